"""Smaller and simpler versions of a frame that several signals look at."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import eight_bit_scale
from vfiscope.types import Float32, Uint8

__all__ = ["BLOCK_PX", "block_means", "grey", "scaled_down"]

BLOCK_PX = 16
"""Side of the blocks of a small frame."""


def grey(pixels: NDArray[Any], bit_depth: int) -> Uint8:
    """Luma of a frame (H, W, 3), rounded to 8-bit code values: (H, W)."""
    plane = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if bit_depth != 8:
        plane = cv2.convertScaleAbs(plane, alpha=eight_bit_scale(bit_depth))
    return np.asarray(plane, np.uint8)


def scaled_down(plane: Uint8, width: int) -> Uint8:
    """A plane (H, W) at the largest whole fraction of its size that is at most ``width`` wide: the
    rounded means of squares of pixels. What does not fill a square at the right and the bottom is
    left out."""
    times = -(-plane.shape[1] // width)
    if times == 1:
        return plane
    high, wide = (max(1, side // times) for side in plane.shape)
    squares = np.ascontiguousarray(plane[: high * times, : wide * times])
    return np.asarray(cv2.resize(squares, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)


def block_means(plane: NDArray[Any], side: int = BLOCK_PX) -> Float32:
    """(h, w) means of the blocks of a plane, which lie side by side from the top left corner. What
    does not fill a block is left out, but there is one block at least each way."""
    high, wide = (max(1, length // side) for length in plane.shape)
    whole = plane[: high * side, : wide * side].astype(np.float32)
    return np.asarray(cv2.resize(whole, (wide, high), interpolation=cv2.INTER_AREA), np.float32)
