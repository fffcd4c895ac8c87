"""The form of a mask: outline, thickness, length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vfiscope.regions.steps import Mask
from vfiscope.types import Int64

__all__ = ["MaskShape", "mask_shape", "polygons"]

OUTLINE_TOLERANCE_PX = 1.0


class MaskShape(NamedTuple):
    """How thick and how long a mask is, in pixels."""

    thickness: float
    """Diameter of the largest circle that fits into it."""
    length: float
    """Area over thickness: of a curved line too."""

    @property
    def elongation(self) -> float:
        """Length over thickness: 0.8 of a disc, 1 of a square."""
        return self.length / self.thickness


def mask_shape(mask: Mask) -> MaskShape:
    """The form of an (H, W) mask; of one without a pixel, that of one pixel."""
    area = max(1, int(np.count_nonzero(mask)))
    padded = np.pad(mask.astype(np.uint8), 1)
    half = float(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    thickness = max(1.0, 2 * half - 1)
    return MaskShape(thickness, area / thickness)


def polygons(
    mask: Mask, origin: tuple[int, int] = (0, 0), *, tolerance: float = OUTLINE_TOLERANCE_PX
) -> Sequence[Int64]:
    """The outer outlines of a mask, the largest first.

    Args:
        mask: (H, W)
        origin: (x, y) of its first pixel in the frame.
        tolerance: pixels by which an outline may be simplified (Douglas and Peucker 1973).

    Returns:
        For each connected part (K, 2) x, y of pixel centres; K is 1 or 2 for a point or a line.
    """
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outlines = sorted(found, key=cv2.contourArea, reverse=True)
    return [
        cv2.approxPolyDP(each, tolerance, closed=True).reshape(-1, 2).astype(np.int64) + origin
        for each in outlines
    ]
