"""Items and attributes of HDF5 groups, read safely."""

from __future__ import annotations

from typing import Any

__all__ = ["attribute", "members"]


def members(group: Any) -> list[tuple[str, Any]]:
    """(name, group or dataset) of all that a group holds, in order.

    ``group.items()`` of h5py holds the lock of HDF5 between items: if an error ends the loop, other
    threads are locked out for as long as the traceback is alive.
    """
    return [(name, group[name]) for name in group]


def attribute(attrs: Any, name: str) -> Any:
    """A single value.

    Raises:
        KeyError: there is none of that name.
        ValueError: there are several, which is never read: a small file may refer to one large text
            a million times.
    """
    if attrs.get_id(name).shape != ():
        raise ValueError(f"the attribute {name} is not a single value")
    return attrs[name]
