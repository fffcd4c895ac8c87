"""How unlike a frame is to the one before it: what tells another shot, at little cost.

A frame is compared with the one before where things lie. Only where that leaves something that a
cut would leave is the one before brought along the motion first, which costs most of the time.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import from_before
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.signals.warp_residual import MIN_CONTRAST_CODES, MIN_STRUCTURED_SHARE
from vfiscope.types import Float32, SignalSpec

__all__ = [
    "SHOT_STEPS",
    "STILL_RESIDUAL",
    "Unlike",
    "block_likeness",
    "in_place",
    "shot_residual",
    "shot_step",
    "unlike_before",
]

LIKENESS_PX = 8
"""Side of the blocks in which structure is compared."""
STILL_RESIDUAL = 0.096
"""Residual up to which motion is not looked for, whatever the structure, which noise changes where
contrast is low. A cut needs 2.5 times as much, and 2.5 times that of the frames around it, so this
hides none."""
NOTHING = np.float32(0)
LEAST_POWER = np.float32(1.5**2)
"""Least variance in a block: what rounding and codecs leave of a plain area."""


class Unlike(NamedTuple):
    """How unlike two planes are."""

    structure: float
    """1 - median correlation of the blocks that have structure; NaN where hardly any has."""
    codes: float
    """Mean absolute difference, in standard deviations of luma."""


def shot_step(frame: SignalFrame) -> float:
    """1 minus the median correlation of luma in blocks of 8 x 8 to the frame in the row before:
    near 0 for one scene whatever its light, near 1 for another one, however dark.

    The frame before is brought along the motion where the residual is more than 0.096. Blocks
    without structure in both frames do not count; NaN where hardly any has any. Of frames scaled
    down to at most 240 px of width.
    """
    return unlike_before(frame).structure


def shot_residual(frame: SignalFrame) -> float:
    """Mean absolute difference of luma to the frame in the row before, divided by the standard
    deviation of luma, where :func:`shot_step` is found: near 1 and above where content is new."""
    return unlike_before(frame).codes


def in_place(frame: SignalFrame) -> Unlike:
    """How unlike a frame is to the one before as that lies; NaN where there is none."""
    before = frame.before
    if before is None:
        return Unlike(math.nan, math.nan)
    return frame.share("unlike_in_place", lambda: _unlike(frame, before.tiny.astype(np.float32)))


def unlike_before(frame: SignalFrame) -> Unlike:
    """The same, and along the motion where much is left: of both what is less unlike."""

    def compute() -> Unlike:
        there = in_place(frame)
        if not there.codes > STILL_RESIDUAL:
            return there
        found = from_before(frame)
        if found is None:
            return there
        along = _unlike(frame, found.luma)
        return Unlike(*(float(np.fmin(*pair)) for pair in zip(there, along, strict=True)))

    return frame.share("unlike_before", compute)


def _unlike(frame: SignalFrame, other: Float32) -> Unlike:
    """How unlike a tiny frame is to a plane of its size."""
    high, wide = (max(1, side // LIKENESS_PX) for side in other.shape)
    likeness = np.empty(high * wide, np.float32)
    count, apart = block_likeness(frame.tiny, other, (high, wide), likeness)
    few = count < max(1, MIN_STRUCTURED_SHARE * likeness.size)
    codes = apart / max(MIN_CONTRAST_CODES, frame.contrast)
    return Unlike(math.nan if few else 1 - ranked(likeness[:count], 0.5)[0], codes)


@compiled()
def block_likeness(now: Any, other: Any, blocks: Any, likeness: Any) -> tuple[int, float]:
    """Compare the blocks of two planes: how many have structure, and the mean absolute difference
    of all.

    The sums of columns come first, in vector operations. Sums of whole numbers are exact.

    Args:
        now: (H, W) uint8.
        other: (H, W) float32.
        blocks: (h, w), the number of blocks.
        likeness: (h * w,) float32, the first of them filled with the correlations of blocks that
            have structure in one of the planes.
    """
    tall, broad = min(LIKENESS_PX, now.shape[0]), min(LIKENESS_PX, now.shape[1])
    area, count, total = np.float32(tall * broad), 0, 0.0
    columns, sums = np.empty((6, blocks[1] * broad), np.float32), np.empty(6, np.float32)
    for i in range(blocks[0]):
        columns[:] = 0
        for y in range(i * tall, (i + 1) * tall):
            add_products(now[y], other[y], columns)
        for left in range(0, columns.shape[1], broad):
            sums[:] = 0
            for x in range(left, left + broad):
                for k in range(sums.shape[0]):
                    sums[k] += columns[k, x]
            total += np.float64(sums[5] / area)
            one, two = sums[0] / area, sums[1] / area
            power = max(sums[2] / area - one * one, NOTHING)
            power_then = max(sums[3] / area - two * two, NOTHING)
            if max(power, power_then) > LEAST_POWER:
                # A floor for each: what has structure in one frame only is as unlike as can be.
                least = max(power, LEAST_POWER) * max(power_then, LEAST_POWER)
                likeness[count] = (sums[4] / area - one * two) / np.sqrt(least)
                count += 1
    return count, total / (blocks[0] * blocks[1])


@compiled(inner=True)
def add_products(now: Any, other: Any, columns: Any) -> None:
    """Add to (6, w) float32, of each column of two rows: both, their squares and product, and their
    absolute difference."""
    for x in range(columns.shape[1]):
        a, b = np.float32(now[x]), other[x]
        columns[0, x] += a
        columns[1, x] += b
        columns[2, x] += a * a
        columns[3, x] += b * b
        columns[4, x] += a * b
        columns[5, x] += abs(a - b)


SHOT_STEPS = tuple(
    Signal(SignalSpec(name, "1", text), compute, Sight.BEFORE, usual=True)
    for name, text, compute in (
        (
            "shot_step",
            "1 - median correlation of small blocks to the frame before, along its motion where"
            " there is much.",
            shot_step,
        ),
        (
            "shot_residual",
            "Difference to the frame before in standard deviations of luma, along its motion where"
            " there is much.",
            shot_residual,
        ),
    )
)
