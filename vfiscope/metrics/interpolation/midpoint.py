"""Deviation of the content of a frame from where it should be between two real frames.

Conventions: those of :mod:`vfiscope.metrics.interpolation.between_frames`.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from vfiscope.metrics.interpolation.fault import MIN_MOVING_PX
from vfiscope.metrics.interpolation.flow import Triplet

__all__ = ["deviation"]

MIN_MOTION_TEXTURE = 4.0
"""Least eigenvalue of the mean structure tensor of a window (Sobel derivatives, twice the gradient)
for its motion to be measurable in every direction."""
TEXTURE_WINDOW = 11
MIN_SHARE = 0.002
"""Share of the frame that must move and be visible in both neighbours for a deviation to be
defined."""


def deviation(frame: Triplet, phase: float) -> float:
    """Distance by which the content of a frame is ahead of where it should be at its instant, along
    its track.

    With flow f0 to the frame before, f1 to the one after and the track d = f1 - f0, content is
    -f0 . d / |d| along its track and should be at phase |d|. The deviation is the median of the
    difference over content that moves at least 1 px from before to after, has texture in every
    direction and is visible in both.

    Args:
        frame: the frame and its flows.
        phase: its instant, 0 at the frame before, 1 at the one after.

    Returns:
        Pixels of the full frame, positive where content is ahead; NaN where such content covers
        less than 0.2 % of the frame, or the phase is NaN.
    """
    track, passed = frame.track, -frame.to_before * frame.scale
    length = np.hypot(track[..., 0], track[..., 1])
    texture = cv2.cornerMinEigenVal(frame.test, TEXTURE_WINDOW, ksize=3)
    known = (
        (length >= MIN_MOVING_PX)
        & (texture >= MIN_MOTION_TEXTURE)
        & frame.in_before
        & frame.in_after
    )
    if known.mean() < MIN_SHARE:
        return math.nan
    ahead = (passed * track).sum(axis=-1)[known] / length[known] - phase * length[known]
    return float(np.median(ahead))
