"""Pace: how far content moved since the frame before, in terms of its usual step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import block_flow, from_before, step_before, step_to_next
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import SignalSpec

__all__ = ["HEADING", "PACE", "PACE_SPREAD", "Pace", "heading", "pace"]

MIN_PACE_PX = 0.25
"""Usual step of a block, in tiny pixels, above which it moves."""
MIN_PACE_BLOCKS = 6


class Pace(NamedTuple):
    """How far the blocks of a frame moved, in terms of their usual step."""

    median: float
    spread: float
    """Interquartile range: small where all moved alike."""


def pace(frame: SignalFrame) -> Pace | None:
    """Median over moving blocks of (v . u) / |u|^2: v is the motion of a block since the frame in
    the row before, and u its usual step, the longer one of those since the frame before that and
    until the next frame. 1 for steady motion, 0 for a repeat, n + 1 where n instants are missing.

    Blocks are 8 x 8 of frames scaled down to at most 240 px of width; they move where |u| is above
    0.25 of their pixels. None where fewer than six do, and where neither neighbour is known.
    """
    step, earlier, later = block_flow(from_before(frame)), step_before(frame), step_to_next(frame)
    if step is None or (earlier is None and later is None):
        return None

    nothing, ratios = np.zeros_like(step), np.empty(step.size // 2)
    usual = [nothing if each is None else each for each in (earlier, later)]
    count = ratios_of(step, usual[0], usual[1], ratios)
    if count < MIN_PACE_BLOCKS:
        return None
    low, middle, high = ranked(ratios[:count], 0.25, 0.5, 0.75)
    return Pace(middle, high - low)


def heading(frame: SignalFrame) -> float:
    """Cosine between the motion of all blocks into the frame before and out of this one: 1 where
    motion goes on, -1 where it turns round, as a pendulum does, which moves as little there as in
    a repeat. NaN where either is not known, or fewer than six blocks move by 0.25 tiny pixels."""
    earlier, later = step_before(frame), step_to_next(frame)
    return math.nan if earlier is None or later is None else cosine(earlier, later)


@compiled()
def ratios_of(step: Any, earlier: Any, later: Any, ratios: Any) -> int:
    """Fill the first of (h * w,) float64 with the paces of moving blocks, from flows (h, w, 2), and
    return how many these are."""
    count = 0
    for i in range(step.shape[0]):
        for j in range(step.shape[1]):
            usual, length = earlier[i, j], product(earlier[i, j], earlier[i, j])
            other = product(later[i, j], later[i, j])
            if other > length:
                usual, length = later[i, j], other
            if length > MIN_PACE_PX * MIN_PACE_PX:
                ratios[count] = product(step[i, j], usual) / length
                count += 1
    return count


@compiled()
def cosine(earlier: Any, later: Any) -> float:
    """Cosine between all motion of two flows (h, w, 2); NaN where too few blocks of either move."""
    both, ones, others, moving, moving_on = 0.0, 0.0, 0.0, 0, 0
    for i in range(earlier.shape[0]):
        for j in range(earlier.shape[1]):
            one, other = product(earlier[i, j], earlier[i, j]), product(later[i, j], later[i, j])
            moving += one > MIN_PACE_PX * MIN_PACE_PX
            moving_on += other > MIN_PACE_PX * MIN_PACE_PX
            both += product(earlier[i, j], later[i, j])
            ones += one
            others += other
    few = min(moving, moving_on) < MIN_PACE_BLOCKS
    return np.nan if few else both / math.sqrt(ones * others)


@compiled(inner=True)
def product(one: Any, other: Any) -> Any:
    """Scalar product of (2,) float32."""
    return one[0] * other[0] + one[1] * other[1]


PACE = Signal(
    SignalSpec(
        "pace",
        "1",
        "Motion since the frame before as a multiple of the usual step: 0 for a repeat, 2 where an"
        " instant is missing.",
    ),
    part_of(pace, "median"),
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
    part_of(pace, "spread"),
    Sight.BEFORE | Sight.AFTER | Sight.PAST,
    usual=True,
)
