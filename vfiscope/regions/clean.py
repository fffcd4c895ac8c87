"""Cleaning of masks by morphology."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.steps import Mask

__all__ = ["opened"]


def opened(mask: Mask, *, size: int, times: int = 1) -> Mask:
    """The mask without parts that a square of ``size`` pixels does not fit into."""
    kernel = np.ones((size, size), np.uint8)
    made = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel, iterations=times)
    return np.asarray(made, bool)
