"""Outer contours of the mask."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vfiscope.regions.steps import Cut, Difference, Proposal
from vfiscope.types import Box

__all__ = ["contours"]


def contours(
    difference: Difference,
    cut: Cut,
    *,
    min_box: int = 1,
    above_polygon: float = -1.0,
    largest_first: bool = False,
) -> Sequence[Proposal]:
    """One proposal for each part of the mask that lies in no hole of another, in OpenCV's order
    (the lowest first); the pixels of parts in its holes belong to it.

    Args:
        difference: not used.
        cut: the mask.
        min_box: in pixels; parts whose box is smaller are left out.
        above_polygon: in pixels; parts whose contour encloses no more are left out. A contour
            goes through the centres of its pixels.
        largest_first: by that area instead.
    """
    mask = cut.mask.astype(np.uint8)
    outer, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if largest_first:
        outer = sorted(outer, key=cv2.contourArea, reverse=True)
    found = []
    for contour in outer:
        x, y, w, h = (int(value) for value in cv2.boundingRect(contour))
        if w * h < min_box or cv2.contourArea(contour) <= above_polygon:
            continue
        filled = np.zeros((h, w), np.uint8)
        cv2.drawContours(filled, [contour], 0, 1, cv2.FILLED, offset=(-x, -y))
        inside = (filled & mask[y : y + h, x : x + w]).astype(bool)
        found.append(Proposal(Box(x, y, w, h), mask=inside))
    return found
