"""Upright frames of the wanted size: quarter turns, mirrors and resizing, exact in rows and
columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.options.crop import Box

__all__ = [
    "UPRIGHT",
    "Orientation",
    "cropped",
    "from_display_matrix",
    "from_exif_orientation",
    "resize_into",
]

INTERPOLATION = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


class Orientation(NamedTuple):
    """The transformation from stored to upright pixels: first transpose, then flip."""

    transpose: bool
    flip_rows: bool
    flip_columns: bool

    def apply(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The upright view of (H, W, C) pixels; shares memory."""
        view = pixels.transpose(1, 0, 2) if self.transpose else pixels
        return view[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) after turning."""
        return (width, height) if self.transpose else (height, width)

    def __str__(self) -> str:
        return NAMES[self]


UPRIGHT = Orientation(False, False, False)

NAMES = {
    UPRIGHT: "upright",
    Orientation(False, False, True): "mirrored left to right",
    Orientation(False, True, True): "turned by 180 degrees",
    Orientation(False, True, False): "mirrored top to bottom",
    Orientation(True, False, False): "transposed",
    Orientation(True, False, True): "turned by 90 degrees clockwise",
    Orientation(True, True, True): "transposed and turned by 180 degrees",
    Orientation(True, True, False): "turned by 90 degrees counterclockwise",
}


def from_exif_orientation(tag: int) -> Orientation:
    """The orientation of EXIF tag 0x0112, 1..8; anything else is taken as upright."""
    order = tuple(NAMES)
    return order[tag - 1] if 1 <= tag <= 8 else UPRIGHT


def from_display_matrix(matrix: bytes) -> Orientation | None:
    """The orientation of a display matrix, nine int32 with x' = a x + c y, y' = b x + d y; None if
    no quarter turn."""
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, "<i4")[:5])
    if a and d and not b and not c:
        return Orientation(False, d < 0, a < 0)
    if b and c and not a and not d:
        return Orientation(True, b < 0, c < 0)
    return None


def cropped(pixels: NDArray[Any], box: Box | None) -> NDArray[Any]:
    """The box of upright (H, W, 3) pixels; shares memory."""
    if box is None:
        return pixels
    return pixels[box.y : box.y + box.height, box.x : box.x + box.width]


def resize_into(pixels: NDArray[Any], out: NDArray[Any], name: str) -> None:
    """Resize (H, W, 3) pixels to the size of ``out`` with a filter of ``--resize``, or
    copy them."""
    if pixels.shape == out.shape:
        np.copyto(out, pixels)
    else:
        size = (out.shape[1], out.shape[0])
        np.copyto(
            out, cv2.resize(np.ascontiguousarray(pixels), size, interpolation=INTERPOLATION[name])
        )
