"""Sharpness: how much fine detail a frame has."""

from __future__ import annotations

import cv2

from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["SHARPNESS", "sharpness"]


def sharpness(frame: SignalFrame) -> float:
    """Mean absolute Laplacian of luma, |l(x+1) + l(x-1) + l(y+1) + l(y-1) - 4 l|, in 8-bit code
    values; 0 for a plain frame.

    A measure of focus as in Pertuz, Puig and Garcia (2013). It grows with contrast: divide by
    ``luma_std`` where frames of different contrast are compared. The border is mirrored.
    """
    bends = cv2.Laplacian(frame.luma, cv2.CV_16S)
    return float(cv2.norm(bends, cv2.NORM_L1)) / bends.size


SHARPNESS = Signal(
    SignalSpec("sharpness", "code", "Mean absolute Laplacian of luma."), sharpness, usual=True
)
