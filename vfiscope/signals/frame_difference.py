"""Frame difference: the mean absolute difference to the frame before."""

from __future__ import annotations

import math

import cv2

from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["FRAME_DIFFERENCE", "frame_difference"]


def frame_difference(frame: SignalFrame) -> float:
    """Mean absolute difference to the frame in the row before, over R, G, B and all pixels, in
    8-bit code values 0..255; 0 when identical.

    A sum of integers, and so exact. With ``--step S`` the frame before is S frames away.
    """
    before = frame.before
    if before is None:
        return math.nan
    pixels, then = frame.pixels, before.pixels
    apart = frame.share("apart_from_before", lambda: cv2.norm(pixels, then, cv2.NORM_L1))
    return float(apart) / frame.pixels.size * 255 / frame.white


FRAME_DIFFERENCE = Signal(
    SignalSpec(
        "frame_difference",
        "code",
        "Mean absolute difference to the frame before over R, G, B and all pixels, in 8-bit code"
        " values.",
    ),
    frame_difference,
    Sight.BEFORE,
    usual=True,
)
