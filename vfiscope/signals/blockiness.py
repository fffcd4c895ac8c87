"""Blockiness: steps at the borders of the blocks of a codec."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import Int64, SignalSpec

__all__ = ["BLOCKINESS", "blockiness"]

CODEC_BLOCK_PX = 8
MIN_BLOCKY_PX = 4 * CODEC_BLOCK_PX
"""A frame must be larger than this each way."""
MIN_STEP_CODES = 0.05
"""Least mean step between blocks that are compared with: a plain frame has none."""


def blockiness(frame: SignalFrame) -> float:
    """Mean step of luma between neighbouring columns and rows where it is largest in a raster of
    8 px, divided by the median of the other seven places of the raster: 1 without blocks.

    After Wang, Sheikh and Bovik (2002), whose blocking is the same step at known borders. The
    place is searched, because frames are cropped and padded; NaN where nothing has a step.
    """
    height, width = frame.luma.shape
    if min(height, width) <= MIN_BLOCKY_PX:
        return math.nan
    columns, rows = np.zeros(width - 1, np.int64), np.zeros(height - 1, np.int64)
    border_steps(frame.luma, columns, rows)
    return (_raster(columns / height) + _raster(rows / width)) / 2


def _raster(steps: Any) -> float:
    """Largest mean over the places of a raster, divided by the median of the others."""
    whole = steps[: len(steps) // CODEC_BLOCK_PX * CODEC_BLOCK_PX]
    means = np.sort(whole.reshape(-1, CODEC_BLOCK_PX).mean(axis=0))
    usual = float(np.median(means[:-1]))
    return math.nan if usual < MIN_STEP_CODES else float(means[-1]) / usual


@compiled()
def border_steps(luma: Any, columns: Int64, rows: Int64) -> None:
    """Add up absolute steps to the next column and to the next row.

    Args:
        luma: (H, W) uint8.
        columns: (W - 1,) int64, sums over all rows.
        rows: (H - 1,) int64, sums over all columns.
    """
    height, width = luma.shape
    for y in range(height):
        here = luma[y]
        for x in range(width - 1):
            columns[x] += abs(np.int32(here[x + 1]) - np.int32(here[x]))
        if y + 1 < height:
            below = luma[y + 1]
            total = np.int32(0)
            for x in range(width):
                total += np.int32(abs(np.int32(below[x]) - np.int32(here[x])))
            rows[y] = total


BLOCKINESS = Signal(
    SignalSpec(
        "blockiness",
        "1",
        "Step at the borders of a raster of 8 px as a multiple of that elsewhere; 1 without"
        " blocks.",
    ),
    blockiness,
)
