"""What motion does not explain of the change to the frame before."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import from_before
from vfiscope.signals.frame_views import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, SignalSpec

__all__ = ["STRUCTURE_STEP", "WARP_RESIDUAL", "structure_step", "warp_residual"]

MIN_CONTRAST_CODES = 2.0
"""Least standard deviation that a residual is divided by: a black frame has only noise."""
CORRELATED_PX = 9
"""Side of the windows in which structure is compared."""
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
    other = found.luma
    contrast = max(MIN_CONTRAST_CODES, float(frame.tiny.std()))
    return float(np.abs(frame.tiny - other).mean()) / contrast


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
    planes = np.empty((5, *frame.tiny.shape), np.float32)
    moments(frame.tiny, found.luma, planes)
    one, two, three, four, five = (_blurred(plane) for plane in planes)
    alike = np.empty(frame.tiny.size, np.float32)
    floor = np.float32(MIN_STRUCTURE_CODES**2)
    count = correlations(one, two, three, four, five, floor, alike)
    if count < MIN_STRUCTURED_SHARE * alike.size:
        return math.nan
    return 1.0 - ranked(alike[:count], 0.5)[0]


@compiled()
def moments(now: Any, other: Any, planes: Any) -> None:
    """Fill (5, h, w) float32 with two planes, their squares and their product.

    Args:
        now: (h, w) uint8.
        other: (h, w) float32.
        planes: filled.
    """
    for y in range(now.shape[0]):
        for x in range(now.shape[1]):
            one, two = np.float32(now[y, x]), other[y, x]
            planes[0, y, x], planes[1, y, x] = one, two
            planes[2, y, x], planes[3, y, x], planes[4, y, x] = one * one, two * two, one * two


@compiled()
def correlations(
    mean: Any, mean_then: Any, squares: Any, squares_then: Any, products: Any, floor: Any, out: Any
) -> int:
    """Fill the first of (h * w,) float32 with the correlations of windows in which one of the
    frames has structure, and return how many these are.

    Args:
        mean: (h, w) float32 means of the windows, as the next four.
        mean_then: of the other frame.
        squares: of the squares.
        squares_then: of those of the other frame.
        products: of the products of both.
        floor: least variance of structure. Both variances are raised to it: what has structure in
            one frame only is as unlike as can be.
        out: filled.
    """
    count = 0
    for y in range(mean.shape[0]):
        for x in range(mean.shape[1]):
            one, two = mean[y, x], mean_then[y, x]
            power, then = squares[y, x] - one * one, squares_then[y, x] - two * two
            if max(power, then) > floor:
                both = products[y, x] - one * two
                out[count] = both / np.sqrt(max(power, floor) * max(then, floor))
                count += 1
    return count


def _blurred(plane: Float32) -> Float32:
    return np.asarray(cv2.blur(plane, (CORRELATED_PX, CORRELATED_PX)), np.float32)


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
