"""Pace: how far content moved since the frame before, in terms of its usual step."""

from __future__ import annotations

import math

import numpy as np

from vfiscope.signals.frame_flow import block_flow, from_before, to_next
from vfiscope.signals.frame_views import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, Float64, SignalSpec

__all__ = ["HEADING", "PACE", "PACE_SPREAD", "heading", "pace", "pace_spread"]

MIN_PACE_PX = 0.25
"""Usual step of a block, in tiny pixels, above which it moves."""
MIN_PACE_BLOCKS = 6


def pace(frame: SignalFrame) -> float:
    """Median over moving blocks of (v . u) / |u|^2: v is the motion of a block since the frame in
    the row before, and u its usual step, the longer one of those since the frame before that and
    until the next frame. 1 for steady motion, 0 for a repeat, n + 1 where n instants are missing.

    Blocks are 8 x 8 of frames scaled down to at most 240 px of width; they move where |u| is above
    0.25 of their pixels. NaN where fewer than six do, and where neither neighbour is known.
    """
    ratios = _ratios(frame)
    return math.nan if ratios is None else ranked(ratios, 0.5)[0]


def pace_spread(frame: SignalFrame) -> float:
    """Interquartile range of those ratios over the blocks: small where all moved alike."""
    ratios = _ratios(frame)
    if ratios is None:
        return math.nan
    low, high = ranked(ratios, 0.25, 0.75)
    return high - low


def heading(frame: SignalFrame) -> float:
    """Cosine between the motion of all blocks into the frame before and out of this one: 1 where
    motion goes on, -1 where it turns round, as a pendulum does, which moves as little there as in
    a repeat. NaN where either is not known, or fewer than six blocks move by 0.25 tiny pixels."""
    before, later = frame.before, block_flow(to_next(frame))
    earlier = None if before is None else block_flow(before.shared.get("from_before"))
    if earlier is None or later is None:
        return math.nan
    squares = [_products(each, each) for each in (earlier, later)]
    if min(int((each > MIN_PACE_PX**2).sum()) for each in squares) < MIN_PACE_BLOCKS:
        return math.nan
    return float((earlier * later).sum() / math.sqrt(squares[0].sum() * squares[1].sum()))


def _ratios(frame: SignalFrame) -> Float64 | None:
    """(K,) of the moving blocks; None where there are too few."""
    step = block_flow(from_before(frame))
    earlier = None if frame.before is None else block_flow(frame.before.shared.get("from_before"))
    later = block_flow(to_next(frame))
    known = [each for each in (earlier, later) if each is not None]
    if step is None or not known:
        return None

    def compute() -> Float64 | None:
        usual, length = known[0], _products(known[0], known[0])
        for other in known[1:]:
            longer = _products(other, other) > length
            usual = np.where(longer[..., None], other, usual)
            length = _products(usual, usual)
        moving = length > MIN_PACE_PX**2
        if moving.sum() < MIN_PACE_BLOCKS:
            return None
        return np.asarray(_products(step, usual)[moving] / length[moving], np.float64)

    return frame.share("pace_ratios", compute)


def _products(one: Float32, other: Float32) -> Float32:
    """(h, w) scalar products of vectors (h, w, 2)."""
    return np.asarray(one[..., 0] * other[..., 0] + one[..., 1] * other[..., 1], np.float32)


PACE = Signal(
    SignalSpec(
        "pace",
        "1",
        "Motion since the frame before as a multiple of the usual step: 0 for a repeat, 2 where an"
        " instant is missing.",
    ),
    pace,
    Sight.BEFORE | Sight.AFTER | Sight.PAST,
    usual=True,
)
HEADING = Signal(
    SignalSpec(
        "heading",
        "1",
        "Cosine between the motion into the frame before and the motion out of this one: -1 where"
        " motion turns round.",
    ),
    heading,
    Sight.BEFORE | Sight.AFTER | Sight.PAST,
    usual=True,
)
PACE_SPREAD = Signal(
    SignalSpec("pace_spread", "1", "Interquartile range of that over the blocks."),
    pace_spread,
    Sight.BEFORE | Sight.AFTER | Sight.PAST,
    usual=True,
)
