"""What motion does not explain of the change to the frame before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import from_before
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["STRUCTURE_STEP", "WARP_RESIDUAL", "structure_step", "warp_residual"]

MIN_CONTRAST_CODES = 2.0
"""Least standard deviation that a residual is divided by: a black frame has only noise."""
REACH_PX = 4
"""Windows in which structure is compared reach so far each way."""
SHARE_OF_WINDOW = 1 / (2 * REACH_PX + 1) ** 2
MIN_STRUCTURE_CODES = 1.5
"""Least standard deviation in a window: what rounding and codecs leave of a plain area."""
MIN_STRUCTURED_SHARE = 0.01


def warp_residual(frame: SignalFrame) -> float:
    """Mean absolute difference of luma to the frame in the row before when each place of that has
    been brought along the flow, divided by the standard deviation of luma: near 0 for motion, near
    1 and above where content is new.

    Of frames scaled down to at most 240 px of width.
    """
    found = from_before(frame)
    if found is None:
        return math.nan
    return found.left / max(MIN_CONTRAST_CODES, frame.contrast)


def structure_step(frame: SignalFrame) -> float:
    """1 minus the median correlation of luma in windows of 9 x 9 to the frame in the row before,
    which is brought along the flow first: near 0 for one scene whatever its light, near 1 for
    another one, however dark.

    Windows without structure in both frames do not count; NaN where none has any. Of frames scaled
    down to at most 240 px of width.
    """
    found = from_before(frame)
    if found is None:
        return math.nan
    alike = np.empty(frame.tiny.size, np.float32)
    count = correlations(frame.tiny, found.luma, np.float32(MIN_STRUCTURE_CODES**2), alike)
    if count < MIN_STRUCTURED_SHARE * alike.size:
        return math.nan
    return 1.0 - ranked(alike[:count], 0.5)[0]


@compiled()
def correlations(now: Any, other: Any, floor: Any, out: Any) -> int:
    """Fill the first of (h * w,) float32 with the correlations of windows in which one of the
    frames has structure, and return how many these are. The border is mirrored.

    Args:
        now: (h, w) uint8, at least 9 x 9.
        other: (h, w) float32.
        floor: least variance of structure. Both variances are raised to it: what has structure in
            one frame only is as unlike as can be.
        out: filled.
    """
    height, width = now.shape
    columns, means = np.zeros((5, width + 2 * REACH_PX)), np.empty((5, width), np.float32)
    fours = np.empty(width + 2 * REACH_PX)
    alike, powers = np.empty((2, width), np.float32)
    count = 0
    for y in range(-REACH_PX, REACH_PX):
        add_moments(now, other, y, 1.0, columns)
    for y in range(height):
        add_moments(now, other, y + REACH_PX, 1.0, columns)
        for k in range(5):
            window_means(columns[k], fours, means[k])
        add_moments(now, other, y - REACH_PX, -1.0, columns)
        one, two, ones, twos, both = means[0], means[1], means[2], means[3], means[4]
        for x in range(width):
            power, then = ones[x] - one[x] * one[x], twos[x] - two[x] * two[x]
            powers[x] = max(power, then)
            least = max(power, floor) * max(then, floor)
            alike[x] = (both[x] - one[x] * two[x]) / np.sqrt(least)
        for x in range(width):
            if powers[x] > floor:
                out[count] = alike[x]
                count += 1
    return count


@compiled(inner=True)
def add_moments(now: Any, other: Any, y: int, times: float, columns: Any) -> None:
    """Add both planes, their squares and their product in a row to (5, w + 8) sums of columns."""
    height, width = now.shape
    row = height - 1 - abs(height - 1 - abs(y))
    here, there = now[row], other[row]
    for x in range(width):
        one, two, at = np.float32(here[x]), there[x], x + REACH_PX
        columns[0, at] += times * one
        columns[1, at] += times * two
        columns[2, at] += times * (one * one)
        columns[3, at] += times * (two * two)
        columns[4, at] += times * (one * two)


@compiled(inner=True)
def window_means(sums: Any, fours: Any, means: Any) -> None:
    """Fill (w,) float32 with the means of windows, from (w + 8,) sums of columns, whose ends are
    filled as mirrored; ``fours`` (w + 8,) is filled with sums of four of them."""
    width = means.shape[0]
    for i in range(REACH_PX):
        sums[i] = sums[2 * REACH_PX - i]
        sums[width + REACH_PX + i] = sums[width + REACH_PX - 2 - i]
    for x in range(width + REACH_PX + 1):
        fours[x] = sums[x] + sums[x + 1] + (sums[x + 2] + sums[x + 3])
    for x in range(width):
        means[x] = np.float32((fours[x] + sums[x + 4] + fours[x + 5]) * SHARE_OF_WINDOW)


WARP_RESIDUAL = Signal(
    SignalSpec(
        "warp_residual",
        "1",
        "What motion does not explain of the difference to the frame before, in standard"
        " deviations of luma.",
    ),
    warp_residual,
    Sight.BEFORE,
    usual=True,
)
STRUCTURE_STEP = Signal(
    SignalSpec(
        "structure_step",
        "1",
        "1 - median local correlation to the frame before along its motion.",
    ),
    structure_step,
    Sight.BEFORE,
    usual=True,
)
