"""Both frames of a pair at a smaller size."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.steps import FramePair
from vfiscope.registration.homography import enlarging
from vfiscope.types import Float64, Uint8

__all__ = ["reduced_pair"]


def reduced_pair(pair: FramePair, side: int) -> tuple[Uint8, Uint8, Float64]:
    """Both frames with at most this longer side, and the matrix from reduced to full pixels."""
    height, width = pair.size
    factor = max(1.0, max(height, width) / side)
    small = max(1, round(width / factor)), max(1, round(height / factor))
    back = enlarging((small[1], small[0]), pair.size)
    if factor == 1.0:
        return pair.test, pair.ref, back
    test, ref = (
        np.asarray(cv2.resize(each, small, interpolation=cv2.INTER_AREA), np.uint8)
        for each in (pair.test, pair.ref)
    )
    return test, ref, back
