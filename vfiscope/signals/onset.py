"""Onsets: content that begins at a frame and stays, where a thing appears or is gone at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import from_before, to_next
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import SignalSpec

__all__ = ["ONSET", "onset"]

ONSET_BLOCK_PX = 4
"""Side of the blocks, in tiny pixels."""
ONSET_SHARE = np.float32(1 / ONSET_BLOCK_PX**2)
ONSET_QUANTILE = 0.995
LEAST_OF_ONSET = 0.5
"""Blocks of at least that part of the quantile are where it is."""


class Onset(NamedTuple):
    """What begins at a frame."""

    codes: float
    """How much more it differs from the frame before than from the next one, in 8-bit code
    values."""
    x: float
    """Centre of it, as a part of the width, 0..1 from the left."""
    y: float
    """As a part of the height, 0..1 from the top."""


def onset(frame: SignalFrame) -> Onset | None:
    """Of the mean differences of luma in blocks of 4 x 4, between the frame before brought along
    its motion and this one, less those between this one and the next: the 99.5th percentile, and
    the centre of the blocks that reach half of it. None at the ends, and of tiny frames.

    What moves is explained by its motion, what only one frame has differs from the next one too,
    and what goes on changing does so as much on both sides; what appears, or goes and leaves the
    ground behind it to be seen, does not. Of frames scaled down to at most 240 px of width.
    """
    before, after = from_before(frame), to_next(frame)
    if before is None or after is None or frame.after is None:
        return None
    high, wide = (side // ONSET_BLOCK_PX for side in frame.tiny.shape)
    steps = np.empty((high, wide), np.float32)
    onset_blocks(frame.tiny, before.luma, frame.after.tiny, after.luma, steps)
    codes = ranked(steps, ONSET_QUANTILE)[0]
    total, across, down = moments(steps, max(0.0, LEAST_OF_ONSET * codes))
    if not total:
        return Onset(codes, np.nan, np.nan)
    return Onset(codes, across / (total * wide), down / (total * high))


@compiled()
def onset_blocks(now: Any, carried: Any, later: Any, carried_on: Any, steps: Any) -> None:
    """Fill (h, w) float32 with the mean absolute differences of the first two planes in blocks,
    (H, W) uint8 and float32, less those of the other two."""
    sums = np.empty((2, steps.shape[1] * ONSET_BLOCK_PX), np.float32)
    came, goes_on = sums[0], sums[1]
    for i in range(steps.shape[0]):
        sums[:] = 0
        for y in range(i * ONSET_BLOCK_PX, (i + 1) * ONSET_BLOCK_PX):
            add_apart(now[y], carried[y], came)
            add_apart(later[y], carried_on[y], goes_on)
        for j in range(steps.shape[1]):
            k = ONSET_BLOCK_PX * j
            past = came[k] + came[k + 1] + (came[k + 2] + came[k + 3])
            coming = goes_on[k] + goes_on[k + 1] + (goes_on[k + 2] + goes_on[k + 3])
            steps[i, j] = past * ONSET_SHARE - coming * ONSET_SHARE


@compiled(inner=True)
def add_apart(here: Any, there: Any, sums: Any) -> None:
    """Add the absolute differences of two rows to (w,) float32."""
    for x in range(sums.shape[0]):
        sums[x] += abs(np.float32(here[x]) - there[x])


@compiled()
def moments(steps: Any, least: float) -> tuple[float, float, float]:
    """Sums over (h, w) blocks of what is above ``least``, and of that times x and y of the centre
    of the block."""
    total, across, down = 0.0, 0.0, 0.0
    for i in range(steps.shape[0]):
        for j in range(steps.shape[1]):
            weight = max(0.0, steps[i, j] - least)
            total += weight
            across += weight * (j + 0.5)
            down += weight * (i + 0.5)
    return total, across, down


ONSET = tuple(
    Signal(
        SignalSpec(name, unit, text),
        part_of(onset, place),
        Sight.BEFORE | Sight.AFTER,
        usual=True,
    )
    for name, place, unit, text in (
        (
            *("onset", "codes", "code"),
            "How much more blocks differ from the frame before than from the next one: of something"
            " that appears or is gone.",
        ),
        ("onset_x", "x", "1", "Centre of these blocks from the left, as a part of the width."),
        ("onset_y", "y", "1", "Centre of these blocks from the top, as a part of the height."),
    )
)
