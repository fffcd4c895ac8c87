"""Unmatched content: what a frame shows that neither neighbour has, wherever it may have moved."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.blended import Passage, brought, halfway, passage
from vfiscope.signals.frame_flow import MIN_FLOW_PX, block_flow, from_before, to_next
from vfiscope.signals.ranks import nth_largest, ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, SignalSpec

__all__ = ["UNMATCHED", "unmatched"]

UNMATCHED_BLOCK_PX, UNMATCHED_BLOCKS = 4, 13
"""Side of the blocks, in tiny pixels; the block with the so-many-th largest value counts: flow errs
at some edges."""
MIN_OFF_PX = 0.25
"""How far the whole frame must be off the middle between its neighbours, in tiny pixels, for that
to make a difference."""


def unmatched(frame: SignalFrame) -> float:
    """The 13th largest, over blocks of 4 x 4, of the mean of min(|f - p|, |f - n|) - |p - n|, in
    code values. p and n are the frames before and after, brought to where content is in f by the
    motion between these two, of which f knows nothing, and by the motion of the frame as a whole.

    Near 0 and below for what moves, also where it is covered, and above for bent geometry and for
    damage. Of frames scaled down to at most 240 px of width; NaN where a neighbour is missing, and
    for frames of fewer blocks.
    """
    before, after = frame.before, frame.after
    if before is None or after is None or min(frame.tiny.shape) < MIN_FLOW_PX:
        return math.nan
    high, wide = (side // UNMATCHED_BLOCK_PX for side in frame.tiny.shape)
    only = np.empty((high, wide), np.float32)
    if only.size < UNMATCHED_BLOCKS:
        return math.nan
    found = passage(frame)
    if found is None:  # where hardly anything moves, nothing need be brought
        old, new = before.tiny.astype(np.float32), after.tiny.astype(np.float32)
    else:
        old, new = _middle(frame, found)
    only_here(frame.tiny, old, new, only)
    return nth_largest(only, UNMATCHED_BLOCKS)


def _middle(frame: SignalFrame, found: Passage) -> tuple[Float32, Float32]:
    """(h, w) tiny planes: the frames before and after, brought to where content is in this frame. A
    camera that is held by hand does not move steadily, so it need not be half of the way."""
    off = _off_the_middle(frame)
    if np.abs(off).max() < MIN_OFF_PX:
        return halfway(frame, found)
    return brought(frame, found.flow, off)


def _off_the_middle(frame: SignalFrame) -> Float32:
    """(2,) px by which content is further from the frame before than half of the way to the one
    after: the median over blocks."""
    coming, going = block_flow(from_before(frame)), block_flow(to_next(frame))
    if coming is None or going is None:
        return np.zeros(2, np.float32)
    off = (going - coming) / 2
    return np.array([ranked(off[..., axis], 0.5)[0] for axis in (0, 1)], np.float32)


@compiled()
def only_here(now: Any, old: Any, new: Any, only: Any) -> None:
    """Fill (h, w) float32 with the means over blocks of min(|f - p|, |f - n|) - |p - n|, of (H, W)
    uint8 and float32 planes."""
    sums = np.empty(only.shape[1] * UNMATCHED_BLOCK_PX, np.float32)
    share = np.float32(1 / UNMATCHED_BLOCK_PX**2)
    for i in range(only.shape[0]):
        sums[:] = 0
        for y in range(i * UNMATCHED_BLOCK_PX, (i + 1) * UNMATCHED_BLOCK_PX):
            here, past, coming = now[y], old[y], new[y]
            for x in range(sums.shape[0]):
                value = np.float32(here[x])
                nearest = min(abs(value - past[x]), abs(value - coming[x]))
                sums[x] += nearest - abs(past[x] - coming[x])
        for j in range(only.shape[1]):
            k = UNMATCHED_BLOCK_PX * j
            only[i, j] = (sums[k] + sums[k + 1] + (sums[k + 2] + sums[k + 3])) * share


UNMATCHED = Signal(
    SignalSpec(
        "unmatched",
        "code",
        "What parts of the frame show that neither neighbour has, by the motion between these.",
    ),
    unmatched,
    Sight.BEFORE | Sight.AFTER | Sight.PAST,
    usual=True,
)
