"""Iterate over an HDF5 group without holding its lock."""

from __future__ import annotations

from typing import Any

__all__ = ["members"]


def members(group: Any) -> list[tuple[str, Any]]:
    """(name, group or dataset) of all that a group holds, in order.

    ``group.items()`` of h5py holds the lock of HDF5 between items: if an error ends the loop, other
    threads are locked out for as long as the traceback is alive.
    """
    return [(name, group[name]) for name in group]
