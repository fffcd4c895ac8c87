"""Damage: blocks that only one frame has, and straight seams at their borders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["IMPULSE", "SEAM", "impulse", "seam"]

DAMAGED_BLOCK_PX = 8
DAMAGED_BLOCKS = 12
"""The block with the so-many-th largest value counts: fewer may be sparkle."""
MIN_SEAM_CODES = np.uint8(10)
"""Step of a seam in code values; it is also more than three times those on both sides of it."""
MIN_SEAM_PX = 7
"""Length of a seam."""
FULL_RUN, LONGER_RUN = np.uint8(MIN_SEAM_PX), np.uint8(MIN_SEAM_PX + 1)
ONE_ROW, NOT_ONE, THIRD_OF_TOP = np.uint8(1), np.uint8(0), np.uint8(85)
SUMMED_ROWS = 4096
"""Rows that add 14 to a column at most, so that uint16 holds their sums."""


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
    return float(seam_pixels(frame.luma))


@compiled()
def impulse_blocks(luma: Any, before: Any, after: Any, sums: Any) -> None:
    """Sums over blocks of what no neighbour has.

    Args:
        luma: (H, W) uint8, as the others.
        before: of the frame before.
        after: of the frame after.
        sums: (h, w) int64, filled.
    """
    columns = np.empty(sums.shape[1] * DAMAGED_BLOCK_PX, np.int16)
    for i in range(sums.shape[0]):
        for x in range(columns.shape[0]):
            columns[x] = 0
        for y in range(i * DAMAGED_BLOCK_PX, (i + 1) * DAMAGED_BLOCK_PX):
            here, past, coming = luma[y], before[y], after[y]
            for x in range(columns.shape[0]):
                least = min(apart(here[x], past[x]), apart(here[x], coming[x]))
                columns[x] += np.int16(np.int16(least) - np.int16(apart(past[x], coming[x])))
        for j in range(sums.shape[1]):
            total = np.int32(0)
            for x in range(j * DAMAGED_BLOCK_PX, (j + 1) * DAMAGED_BLOCK_PX):
                total += np.int32(columns[x])
            sums[i, j] = total


@compiled()
def seam_pixels(luma: Any) -> Any:
    """The number of pixels on seams of (H, W) uint8, at least 8 x 8.

    Every loop over a row does one thing for all columns in bytes, which compiles to vector
    operations.
    """
    height, width = luma.shape
    steps = np.zeros((3, width), np.uint8)
    across, lengths, level, run = np.zeros((4, width), np.uint8)
    sums = np.zeros(width, np.uint16)
    total: Any = 0
    for y in range(height):
        upright_seams(luma[y], across, lengths, sums)
        if y < height - 1:
            here, below, down = luma[y], luma[y + 1], steps[y % 3]
            for x in range(width):
                down[x] = apart(here[x], below[x])
            if y >= 2:
                level_seams(steps[(y - 2) % 3], steps[(y - 1) % 3], down, level, run, sums)
        if y == height - 1 or y % SUMMED_ROWS == SUMMED_ROWS - 1:
            for x in range(width):
                total += np.int64(sums[x])
                sums[x] = 0
    return total


@compiled(inner=True)
def upright_seams(here: Any, across: Any, lengths: Any, sums: Any) -> None:
    """Add the pixels of upright seams that a row adds: each seam counts from its seventh row on,
    there with those before.

    Args:
        here: (W,) uint8 row.
        across: (W,) uint8, filled with its steps.
        lengths: (W,) uint8 lengths of the seams so far, at most eight; changed.
        sums: (W,) uint16, added to.
    """
    last = here.shape[0] - 2
    for x in range(last + 1):
        across[x] = apart(here[x], here[x + 1])
    for x in range(1, last):
        longer = min(np.uint8(lengths[x] + ONE_ROW), LONGER_RUN)
        lengths[x] = longer if is_seam(across[x - 1], across[x], across[x + 1]) else NOT_ONE
    for x in range(1, last):
        more = ONE_ROW if lengths[x] == LONGER_RUN else NOT_ONE
        sums[x] += FULL_RUN if lengths[x] == FULL_RUN else more


@compiled(inner=True)
def level_seams(before: Any, step: Any, behind: Any, level: Any, run: Any, sums: Any) -> None:
    """Add the pixels of the level seams between two rows.

    Args:
        before: (W,) uint8 steps to the first of the two rows.
        step: (W,) uint8 steps between them.
        behind: (W,) uint8 steps from the second one on.
        level: (W,) uint8, filled with 1 for seams.
        run: (W,) uint8 zeros, filled up to its last six with 1 where seven begin.
        sums: (W,) uint16, added to.
    """
    for x in range(step.shape[0]):
        level[x] = ONE_ROW if is_seam(before[x], step[x], behind[x]) else NOT_ONE
    starts = step.shape[0] - MIN_SEAM_PX + 1
    for x in range(starts):
        three = level[x] & level[x + 1] & level[x + 2]
        run[x] = np.uint8(three & level[x + 3] & level[x + 4] & level[x + 5] & level[x + 6])
    for x in range(starts):
        # What goes on adds one pixel, and what ends here, as seen from its end, all seven.
        last = ONE_ROW if run[x + 1] else FULL_RUN
        sums[x] += last if run[x] else NOT_ONE


@compiled(inner=True)
def apart(one: Any, other: Any) -> Any:
    """Absolute difference of two bytes."""
    return np.uint8(max(one, other) - min(one, other))


@compiled(inner=True)
def is_seam(before: Any, step: Any, behind: Any) -> Any:
    """True where the second of three steps in a row is a seam; all bytes. No step exceeds 255,
    which stands for all that is three times as much as 85 or more."""
    most = min(max(before, behind), THIRD_OF_TOP)
    return step > max(np.uint8(most + np.uint8(most + most)), MIN_SEAM_CODES)


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
