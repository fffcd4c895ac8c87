"""Sharpness: how much fine detail a frame has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import REORDERED, compiled
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["SHARPNESS", "sharpness"]

MIN_BENT_PX = 3
FOURFOLD = np.float32(4)


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
    bends = np.zeros(width - 2, np.float32)
    add_bends(frame.luma, frame.row_step, bends)
    rows = len(range(1, height - 1, frame.row_step))
    return float(bends.sum(dtype=np.float64) / (rows * (width - 2)))


@compiled(REORDERED)
def add_bends(luma: Any, every: int, bends: Any) -> None:
    """Add up the absolute Laplacian of every n-th row, column by column. Whole numbers that float32
    holds up to 16,000 rows.

    Args:
        luma: (H, W) uint8.
        every: n.
        bends: (W - 2,) float32, added to.
    """
    for y in range(1, luma.shape[0] - 1, every):
        above, here, below = luma[y - 1], luma[y], luma[y + 1]
        for x in range(bends.shape[0]):
            across = np.float32(here[x]) + np.float32(here[x + 2])
            down = np.float32(above[x + 1]) + np.float32(below[x + 1])
            bends[x] += abs(across + down - FOURFOLD * np.float32(here[x + 1]))


SHARPNESS = Signal(
    SignalSpec("sharpness", "code", "Mean absolute Laplacian of luma."), sharpness, usual=True
)
