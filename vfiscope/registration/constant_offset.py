"""A constant offset between two sequences, from the shifts of their frames."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ConstantOffset", "constant_offset"]

MIN_OFFSET_PX = 0.25
"""A smaller one changes scores little, and correlation itself is uncertain by a tenth."""
MIN_OFFSET_ROWS = 3
MAX_SCATTER = (0.15, 0.1)
"""Pixels, or part of the offset, within which a frame agrees with it."""
MIN_AGREEING_SHARE = 0.8
"""A moving camera, or motion that an interpolation got wrong, does not agree for so long."""
MAX_ECC_SHARE = 0.05
"""Part of the shorter side up to which ``ecc`` finds an offset."""


class ConstantOffset(NamedTuple):
    """Where the test lies on its partner, in pixels; positive to the right and down."""

    dx: float
    dy: float
    share: float
    """Part of the frames that agree."""
    method: str
    """The registration that brings it back."""


def constant_offset(
    shift_x: NDArray[Any], shift_y: NDArray[Any], size: tuple[int, int]
) -> ConstantOffset | None:
    """The offset that nearly all frames of a test have; None where there is none.

    Args:
        shift_x: (N,) px from each test frame to its partner, NaN where unknown.
        shift_y: (N,)
        size: (height, width) of the frames.
    """
    shifts = np.column_stack([shift_x, shift_y]).astype(np.float64)
    shifts = shifts[np.isfinite(shifts).all(axis=1)]
    if len(shifts) < MIN_OFFSET_ROWS:
        return None
    middle = np.median(shifts, axis=0)
    length = float(np.hypot(*middle))
    away = np.hypot(*(shifts - middle).T)
    share = float((away <= max(MAX_SCATTER[0], MAX_SCATTER[1] * length)).mean())
    if length < MIN_OFFSET_PX or share < MIN_AGREEING_SHARE:
        return None
    near = max(abs(middle)) <= MAX_ECC_SHARE * min(size)
    dx, dy = (0.0 - float(value) for value in middle)
    return ConstantOffset(dx, dy, share, "ecc" if near else "sift")
