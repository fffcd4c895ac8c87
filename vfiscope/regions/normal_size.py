"""Normal frames must have the size of the frames that are compared with them."""

from __future__ import annotations

from vfiscope.errors import UsageError
from vfiscope.regions.normal_file import is_bank, read_normal
from vfiscope.regions.normal_source import is_hdf5, open_normal

__all__ = ["check_normal_size"]


def check_normal_size(normal: str | None, size: tuple[int, int] | None) -> None:
    """Refuse normal frames of another size than the frames; none of them is decoded.

    Args:
        normal: normal frames as a user names them; None where there are none.
        size: (height, width) of the frames as scored; None where it is not known.

    Raises:
        UsageError: the sizes differ.
        SourceError, StoreError: the normal frames cannot be read.
    """
    if normal is None or size is None:
        return
    own = _size_of(normal)
    if own != tuple(size):
        told, asked = (f"{width}x{height}" for height, width in (own, size))
        raise UsageError(
            f"sizes differ: the normal frames of {normal} are {told}, and these are {asked}: pass"
            f" normal frames of {asked}, made, cropped and resized as these were"
        )


def _size_of(normal: str) -> tuple[int, int]:
    """(height, width)"""
    if is_hdf5(normal) and is_bank(normal):
        return read_normal(normal).size
    with open_normal(normal).source as source:
        return source.size
