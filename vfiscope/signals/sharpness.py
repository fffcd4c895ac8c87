"""Sharpness: how much fine detail a frame has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["SHARPNESS", "sharpness"]

MIN_BENT_PX = 3


def sharpness(frame: SignalFrame) -> float:
    """Mean absolute Laplacian of luma, |l(x+1) + l(x-1) + l(y+1) + l(y-1) - 4 l|, in 8-bit code
    values; 0 for a plain frame.

    A measure of focus as in Pertuz, Puig and Garcia (2013). It grows with contrast: divide by
    ``luma_std`` where frames of different contrast are compared. Pixels at the border do not
    count, and of frames wider than 480 px every n-th row does.
    """
    height, width = frame.luma.shape
    if min(height, width) < MIN_BENT_PX:
        return math.nan
    rows = len(range(1, height - 1, frame.row_step))
    return float(summed_bends(frame.luma, frame.row_step) / (rows * (width - 2)))


@compiled()
def summed_bends(luma: Any, every: int) -> Any:
    """Sum of the absolute Laplacian of every n-th row of (H, W) uint8."""
    bends = np.empty(luma.shape[1] - 2, np.int16)
    total: Any = 0
    for y in range(1, luma.shape[0] - 1, every):
        above, here, below = luma[y - 1, 1:], luma[y], luma[y + 1, 1:]
        for x in range(bends.shape[0]):
            around = np.int16(here[x]) + np.int16(here[x + 2])
            around += np.int16(above[x]) + np.int16(below[x])
            bend = np.int16(around - 4 * np.int16(here[x + 1]))
            bends[x] = max(bend, np.int16(-bend))
        row = np.int32(0)
        for x in range(bends.shape[0]):
            row += np.int32(bends[x])
        total += row
    return total


SHARPNESS = Signal(
    SignalSpec("sharpness", "code", "Mean absolute Laplacian of luma."), sharpness, usual=True
)
