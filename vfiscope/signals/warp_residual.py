"""What motion does not explain of the change to the frame before."""

from __future__ import annotations

import math

import cv2
import numpy as np

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
    other = found.luma
    now = frame.tiny.astype(np.float32)
    mean, mean_then = _blurred(now), _blurred(other)
    power = np.maximum(0, _blurred(now * now) - mean * mean)
    power_then = np.maximum(0, _blurred(other * other) - mean_then * mean_then)
    both = _blurred(now * other) - mean * mean_then
    floor = MIN_STRUCTURE_CODES**2
    seen = np.maximum(power, power_then) > floor
    if seen.sum() < MIN_STRUCTURED_SHARE * seen.size:
        return math.nan
    # A floor for each: what has structure in one frame only is as unlike as can be.
    alike = both[seen] / np.sqrt(np.maximum(power, floor) * np.maximum(power_then, floor))[seen]
    return 1.0 - ranked(alike, 0.5)[0]


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
