"""The values of ``--crop``: a box in pixels, or the word for "without black bars"."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

__all__ = ["BARS", "Box", "Crop", "box_of"]

BARS = "bars"
"""Leaves out the black bars of a source, whatever their size."""
BOX_PATTERN = re.compile(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*")


class Box(NamedTuple):
    """A part of a frame in pixels: its left top corner, its width and its height."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return ",".join(str(value) for value in self)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        return self.height, self.width

    def lies_in(self, size: tuple[int, int]) -> bool:
        """True if no pixel lies outside of frames of a size (height, width)."""
        return self.y + self.height <= size[0] and self.x + self.width <= size[1]

    def common(self, other: Box) -> Box:
        """The pixels of both; a width or height of 0 or less where there are none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)


def _crop(value: Any) -> Any:
    """A box as its text, so that configurations hold plain values."""
    if value is None or value == BARS:
        return value
    if isinstance(value, (tuple, list)):
        value = ",".join(str(part) for part in value)
    found = BOX_PATTERN.fullmatch(value) if isinstance(value, str) else None
    if found is None or not int(found[3]) or not int(found[4]):
        raise ValueError
    return str(Box(*(int(part) for part in found.groups())))


Crop = Annotated[str | None, BeforeValidator(_crop)]
"""None, ``"bars"`` or ``"X,Y,W,H"``."""


def box_of(crop: str) -> Box:
    """The box of a validated text other than ``"bars"``."""
    return Box(*(int(part) for part in crop.split(",")))
