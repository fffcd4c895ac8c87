"""Damage: blocks that only one frame has, and straight seams at their borders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import REORDERED, compiled
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["IMPULSE", "SEAM", "impulse", "seam"]

DAMAGED_BLOCK_PX = 8
DAMAGED_BLOCKS = 12
"""The block with the so-many-th largest value counts: fewer may be sparkle."""
MIN_SEAM_CODES, MIN_SEAM_RATIO = np.float32(10), np.float32(3)
"""Step of a seam in code values, and as a multiple of the steps on both sides of it."""
MIN_SEAM_PX = 7
"""Length of a seam."""
UNIT_STEP, LEAST_RUN = np.float32(1), np.float32(MIN_SEAM_PX)


def impulse(frame: SignalFrame) -> float:
    """How much of the frame only this frame has, in 8-bit code values: the 12th largest mean over
    blocks of 8 x 8 of min(|f - p|, |f - n|) - |p - n| of luma, p and n being the frames before and
    after. Below 0 where everything moves on; NaN for frames of fewer blocks.

    An impulse in time, as detectors of dirt on films use it (Kokaram 1998).
    """
    before, after = frame.before, frame.after
    if before is None or after is None:
        return math.nan
    high, wide = (side // DAMAGED_BLOCK_PX for side in frame.luma.shape)
    if high * wide < DAMAGED_BLOCKS:
        return math.nan
    sums = np.empty((high, wide), np.int64)
    impulse_blocks(frame.luma, before.luma, after.luma, sums)
    place = sums.size - DAMAGED_BLOCKS
    return float(np.partition(sums.ravel(), place)[place]) / DAMAGED_BLOCK_PX**2


def seam(frame: SignalFrame) -> float:
    """Number of pixels on seams of luma: steps of more than 10 code values from a column or row to
    the next, more than three times as high as the steps right before and behind, that run straight
    for at least 7 px. Scenes have them too, but not suddenly more."""
    if min(frame.luma.shape) <= MIN_SEAM_PX:
        return math.nan
    upright, counts = np.zeros((2, frame.luma.shape[1]), np.float32)
    seam_pixels(frame.luma, upright, counts)
    return float(counts.sum(dtype=np.float64))


@compiled()
def impulse_blocks(luma: Any, before: Any, after: Any, sums: Any) -> None:
    """Sums over blocks of what no neighbour has.

    Args:
        luma: (H, W) uint8, as the others.
        before: of the frame before.
        after: of the frame after.
        sums: (h, w) int64, filled.
    """
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            sums[i, j] = 0
        for y in range(i * DAMAGED_BLOCK_PX, (i + 1) * DAMAGED_BLOCK_PX):
            here, past, coming = luma[y], before[y], after[y]
            for j in range(sums.shape[1]):
                total = np.int32(0)
                for x in range(j * DAMAGED_BLOCK_PX, (j + 1) * DAMAGED_BLOCK_PX):
                    now, then, next_one = np.int32(here[x]), np.int32(past[x]), np.int32(coming[x])
                    least = min(abs(now - then), abs(now - next_one))
                    total += np.int32(least - abs(then - next_one))
                sums[i, j] += total


@compiled(REORDERED)
def seam_pixels(luma: Any, upright: Any, counts: Any) -> None:
    """Count pixels on seams, column by column.

    Every loop over a row does one thing for all columns, which compiles to vector operations; so
    truth is 1 or 0, and a run of seven is a product.

    Args:
        luma: (H, W) uint8, at least 8 x 8.
        upright: (W,) float32 zeros: the lengths of upright seams so far.
        counts: (W,) float32 zeros, added to.
    """
    height, width = luma.shape
    level, run = np.zeros(width, np.float32), np.zeros(width + 1, np.float32)
    for y in range(height):
        here = luma[y]
        for x in range(1, width - 2):
            length = (upright[x] + UNIT_STEP) * seams(
                here[x - 1], here[x], here[x + 1], here[x + 2]
            )
            upright[x] = length
            counts[x] += UNIT_STEP * (length > MIN_SEAM_PX) + LEAST_RUN * (length == MIN_SEAM_PX)
        if y < 1 or y >= height - 2:
            continue
        above, below, further = luma[y - 1], luma[y + 1], luma[y + 2]
        for x in range(width):
            level[x] = seams(above[x], here[x], below[x], further[x])
        for x in range(width - MIN_SEAM_PX + 1):
            two = level[x] * level[x + 1] * level[x + 2] * level[x + 3]
            run[x] = two * level[x + 4] * level[x + 5] * level[x + 6]
        for x in range(width - MIN_SEAM_PX + 1):  # one for each place, and the rest of each run
            counts[x] += run[x] * (LEAST_RUN - (LEAST_RUN - UNIT_STEP) * run[x + 1])


@compiled(REORDERED, inner=True)
def seams(before: Any, near: Any, far: Any, behind: Any) -> Any:
    """1.0 where the second of three steps between four pixels in a row is a seam, else 0.0."""
    step = abs(np.float32(far) - np.float32(near))
    first = abs(np.float32(near) - np.float32(before))
    third = abs(np.float32(behind) - np.float32(far))
    return UNIT_STEP * ((step > MIN_SEAM_CODES) & (step > MIN_SEAM_RATIO * max(first, third)))


IMPULSE = Signal(
    SignalSpec(
        "impulse",
        "code",
        "How much the most changed blocks differ from both neighbours beyond what these differ by.",
    ),
    impulse,
    Sight.BEFORE | Sight.AFTER,
    usual=True,
)
SEAM = Signal(
    SignalSpec("seam", "px", "Number of pixels on straight seams one pixel sharp."),
    seam,
    usual=True,
)
