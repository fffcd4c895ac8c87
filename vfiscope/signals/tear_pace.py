"""Tears in terms of motion: one part of a frame goes further than the other, and comes back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vfiscope.signals.frame_flow import block_flow, from_before
from vfiscope.signals.pace import MIN_PACE_BLOCKS, MIN_PACE_PX
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float32, SignalSpec

__all__ = ["TEAR_PACES", "TearPace", "tear_pace"]

EARLIER_STEPS, LEAST_STEPS = 5, 2
"""How many steps before make the usual one, at most and at least."""
LEAST_PART = 0.1
"""Least part of what moves on both sides of a split."""


class TearPace(NamedTuple):
    """The split of a frame at a row whose sides differ most in how far they go."""

    ahead: float
    """How many of their usual steps content above the split went, minus those below it."""
    split: float
    """Part of the frame, 0..1, that lies above it."""


def tear_pace(frame: SignalFrame) -> TearPace | None:
    """The split; None at the start, and where too little moves.

    v is the motion of a block since the frame before, and u its usual step, the median of those of
    up to five frames before. The pace of a part is the sum of v . u over that of |u|^2. Where a
    part shows an instant that is k frames older, or the other one that is k frames newer, the
    difference of the paces is -k, and k where the tear ends.

    Blocks are 8 x 8 of frames scaled down to at most 240 px of width, and |u| above 0.25 of their
    pixels.
    """
    step, earlier = _steps(frame), _earlier(frame)
    if step is None or len(earlier) < LEAST_STEPS:
        return None
    return frame.share(
        "tear_pace", lambda: _widest(step, np.asarray(np.median(np.stack(earlier), axis=0)))
    )


def _widest(step: Float32, usual: Float32) -> TearPace | None:
    """Of (h, w, 2) steps."""
    lengths = np.square(usual.astype(np.float64)).sum(axis=-1)
    moving = lengths > MIN_PACE_PX**2
    if moving.sum() < MIN_PACE_BLOCKS:
        return None
    along = (step.astype(np.float64) * usual).sum(axis=-1)
    blocks, along, lengths = (
        np.where(moving, each, 0).sum(axis=1).cumsum() for each in (moving, along, lengths)
    )
    part = blocks[:-1] / blocks[-1]
    fair = np.flatnonzero((part >= LEAST_PART) & (part <= 1 - LEAST_PART))
    if not len(fair):
        return None
    above = along[fair] / lengths[fair]
    below = (along[-1] - along[fair]) / (lengths[-1] - lengths[fair])
    ahead, weight = above - below, lengths[fair] / lengths[-1]
    at = int((np.abs(ahead) * np.sqrt(weight * (1 - weight))).argmax())
    return TearPace(float(ahead[at]), float((fair[at] + 1) / len(blocks)))


def _steps(frame: SignalFrame) -> Float32 | None:
    """(h, w, 2) steps of the blocks since the frame before."""
    return frame.share("block_steps", lambda: block_flow(from_before(frame)))


def _earlier(frame: SignalFrame) -> tuple[Float32, ...]:
    """Those of up to five frames before, the latest first."""
    before = frame.before
    if before is None:
        return ()
    last: Float32 | None = before.shared.get("block_steps")
    further: tuple[Float32, ...] = before.shared.get("earlier_steps", ())
    known = () if last is None else (last, *further)
    return frame.share("earlier_steps", lambda: known[:EARLIER_STEPS])


TEAR_PACES = tuple(
    Signal(
        SignalSpec(f"tear_{name}", unit, text),
        part_of(tear_pace, name),
        Sight.BEFORE | Sight.PAST,
        usual=True,
    )
    for name, unit, text in (
        (
            "ahead",
            "steps",
            "How many usual steps one part of the frame, from the top on, goes more than the rest.",
        ),
        ("split", "1", "Part of the frame that lies above that split."),
    )
)
