"""The shape of frames as they are meant to be seen, and whether resizing would change it."""

from __future__ import annotations

from fractions import Fraction

from vfiscope.types import Code, SourceInfo

__all__ = ["aspect_text", "same_shape", "shape_of"]

ROUNDING_PX = 2
"""Pixels by which a side may differ at the smaller of two sizes: sides are rounded to even ones."""

Shape = tuple[Fraction, Fraction]
"""Height, and width in square pixels."""


def shape_of(info: SourceInfo, size: tuple[int, int]) -> Shape:
    """The shape of frames of a size (height, width) by the sample aspect of their source."""
    aspects = [n.values["aspect"] for n in info.notes if n.code == Code.PIXELS_NOT_SQUARE]
    across, down = str(aspects[0]).split(":") if aspects else (1, 1)
    return Fraction(size[0]), size[1] * Fraction(int(across), int(down))


def same_shape(one: Shape, other: Shape) -> bool:
    """True if resizing one to the other stretches nothing, beyond the rounding of sides."""
    stretch = abs(one[0] * other[1] - other[0] * one[1])
    return stretch <= ROUNDING_PX * max(one[1], other[1])


def aspect_text(shape: Shape) -> str:
    """ "1.78:1" """
    return f"{float(shape[1] / shape[0]):.3g}:1"
