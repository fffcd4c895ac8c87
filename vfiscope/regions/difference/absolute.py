"""The absolute difference of code values."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.steps import Difference, FramePair

__all__ = ["absolute_difference"]


def absolute_difference(pair: FramePair) -> Difference:
    """The largest absolute difference of R, G and B, 0..255."""
    channels = cv2.absdiff(pair.test, pair.ref)
    return Difference(channels.max(axis=2).astype(np.float32), "code values", pair.decidable)
