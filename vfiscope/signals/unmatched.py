"""Unmatched content: what a frame shows that neither neighbour has, wherever it may have moved."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vfiscope.signals.blended import Passage, brought, halfway, passage
from vfiscope.signals.frame_flow import MIN_FLOW_PX, block_flow, from_before, to_next
from vfiscope.signals.frame_views import block_means, ranked
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
    found = passage(frame)
    # Where hardly anything moves, nothing need be brought.
    still = (before.tiny.astype(np.float32), after.tiny.astype(np.float32))
    only = _only_here(frame.tiny.astype(np.float32), *(_middle(frame, found) if found else still))
    if only.size < UNMATCHED_BLOCKS:
        return math.nan
    place = only.size - UNMATCHED_BLOCKS
    return float(np.partition(only.ravel(), place)[place])


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


def _only_here(now: Float32, old: Float32, new: Float32) -> Float32:
    """(h, w) means over blocks."""
    nearest = cv2.min(cv2.absdiff(now, old), cv2.absdiff(now, new))
    return block_means(cv2.subtract(nearest, cv2.absdiff(old, new)), UNMATCHED_BLOCK_PX)


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
