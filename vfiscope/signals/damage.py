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
ALL_BITS, ALL_BUT_ONE = np.uint8(255), np.uint8(MIN_SEAM_PX - 1)
SUMMED_ROWS = 18
"""Rows that add 14 to a column at most, so that a byte holds their sums."""


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
    most = np.full(DAMAGED_BLOCKS, np.iinfo(np.int64).min)
    impulse_blocks(frame.luma, before.luma, after.luma, most)
    return float(most[0]) / DAMAGED_BLOCK_PX**2


def seam(frame: SignalFrame) -> float:
    """Number of pixels on seams of luma: steps of more than 10 code values from a column or row to
    the next, more than three times as high as the steps right before and behind, that run straight
    for at least 7 px. Scenes have them too, but not suddenly more."""
    if min(frame.luma.shape) <= MIN_SEAM_PX:
        return math.nan
    return float(seam_pixels(frame.luma))


@compiled()
def impulse_blocks(luma: Any, before: Any, after: Any, most: Any) -> None:
    """The largest of the sums over blocks of what no neighbour has.

    Args:
        luma: (H, W) uint8, as the others.
        before: of the frame before.
        after: of the frame after.
        most: (K,) int64, smaller than any sum before; filled with the K largest, rising.
    """
    columns = np.empty(luma.shape[1] // DAMAGED_BLOCK_PX * DAMAGED_BLOCK_PX, np.int16)
    for top in range(0, luma.shape[0] - DAMAGED_BLOCK_PX + 1, DAMAGED_BLOCK_PX):
        for x in range(columns.shape[0]):
            columns[x] = 0
        for y in range(top, top + DAMAGED_BLOCK_PX):
            here, past, coming = luma[y], before[y], after[y]
            for x in range(columns.shape[0]):
                least = min(apart(here[x], past[x]), apart(here[x], coming[x]))
                columns[x] += np.int16(np.int16(least) - np.int16(apart(past[x], coming[x])))
        for left in range(0, columns.shape[0], DAMAGED_BLOCK_PX):
            total = np.int32(0)
            for x in range(left, left + DAMAGED_BLOCK_PX):
                total += np.int32(columns[x])
            if total > most[0]:
                insert(total, most)


@compiled(inner=True)
def insert(value: Any, most: Any) -> None:
    """Put a value in its place among rising ones, the first of which it exceeds and drops."""
    place = 1
    while place < most.shape[0] and most[place] < value:
        most[place - 1] = most[place]
        place += 1
    most[place - 1] = value


@compiled()
def seam_pixels(luma: Any) -> Any:
    """The number of pixels on seams of (H, W) uint8, at least 8 x 8.

    Every loop over a row does one thing for all columns in bytes, which compiles to vector
    operations.
    """
    height, width = luma.shape
    steps = np.zeros((3, width), np.uint8)
    across, lengths, level, found = np.zeros((4, width + MIN_SEAM_PX), np.uint8)
    total: Any = 0
    for y in range(height):
        upright_seams(luma[y], across, lengths, found)
        if y < height - 1:
            here, below, down = luma[y], luma[y + 1], steps[y % 3]
            for x in range(width):
                down[x] = apart(here[x], below[x])
            if y >= 2:
                level_seams(steps[(y - 2) % 3], steps[(y - 1) % 3], down, level, found)
        if y == height - 1 or y % SUMMED_ROWS == SUMMED_ROWS - 1:
            for x in range(width):
                total += np.int64(found[x])
                found[x] = 0
    return total


@compiled(inner=True)
def upright_seams(here: Any, across: Any, lengths: Any, found: Any) -> None:
    """Add the pixels of upright seams that a row adds: each seam counts from its seventh row on,
    there with those before.

    Args:
        here: (W,) uint8 row.
        across: (W,) uint8 or more, filled with its steps.
        lengths: (W,) uint8 or more, lengths of the seams so far, at most eight; changed.
        found: (W,) uint8 or more, added to.
    """
    last = here.shape[0] - 2
    for x in range(last + 1):
        across[x] = apart(here[x], here[x + 1])
    for x in range(1, last):
        longer = min(np.uint8(lengths[x] + ONE_ROW), LONGER_RUN)
        length = longer if is_seam(across[x - 1], across[x], across[x + 1]) else NOT_ONE
        more = ONE_ROW if length == LONGER_RUN else NOT_ONE
        found[x] += FULL_RUN if length == FULL_RUN else more
        lengths[x] = length


@compiled(inner=True)
def level_seams(before: Any, step: Any, behind: Any, level: Any, found: Any) -> None:
    """Add the pixels of the level seams between two rows.

    Args:
        before: (W,) uint8 steps to the first of the two rows.
        step: (W,) uint8 steps between them.
        behind: (W,) uint8 steps from the second one on.
        level: (W + 7,) uint8, zeros at its end, filled with ones in all bits for seams.
        found: (W,) uint8 or more, added to.
    """
    for x in range(step.shape[0]):
        level[x] = ALL_BITS if is_seam(before[x], step[x], behind[x]) else NOT_ONE
    for x in range(step.shape[0]):
        # What goes on adds one pixel, and what ends here, as seen from its end, all seven.
        four = level[x] & level[x + 1] & level[x + 2] & level[x + 3]
        run = four & level[x + 4] & level[x + 5] & level[x + 6]
        found[x] += np.uint8(np.uint8(run & FULL_RUN) - np.uint8(run & level[x + 7] & ALL_BUT_ONE))


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
