"""What a group of an HDF5 file holds."""

from __future__ import annotations

from typing import Any

__all__ = ["members"]


def members(group: Any) -> list[tuple[str, Any]]:
    """(name, group or dataset) of all that a group holds, in order.

    ``group.items()`` of h5py holds its lock from item to item: where an error ends the loop, no
    other thread comes to HDF5 again for as long as somebody keeps the error.
    """
    return [(name, group[name]) for name in group]
