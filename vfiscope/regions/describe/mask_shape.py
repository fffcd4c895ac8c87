"""The form of a mask: outline, thickness, length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vfiscope.regions.masks import decode, extent_of
from vfiscope.regions.steps import Mask
from vfiscope.types import Int64

__all__ = ["MaskShape", "mask_shape", "outlines_of", "polygons"]

OUTLINE_TOLERANCE_PX = 0.75
"""More than the steps of a slanting line, less than the width of a thin one."""
LEAST_CORNERS = 4
"""Of an outline; a single pixel would lose two of them."""


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


def polygons(mask: Mask, origin: tuple[int, int] = (0, 0)) -> Sequence[Int64]:
    """The outer outlines of a mask, the largest first, along the edges of its pixels.

    Args:
        mask: (H, W)
        origin: (x, y) of its first pixel in the frame.

    Returns:
        For each connected part (K, 2) x, y of corners of pixels, where a pixel reaches from x to
        x + 1; K is at least 4. Outlines are simplified by less than a pixel (Douglas and Peucker
        1973).
    """
    # Each pixel becomes 2 x 2, through the centres of which OpenCV's contour goes: of the two, the
    # first stands for the near edge and the second for the far one.
    doubled = mask.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    found, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    made = []
    for each in sorted(found, key=cv2.contourArea, reverse=True):
        exact = np.asarray((each + 1) // 2, np.int32)
        simple = cv2.approxPolyDP(exact, OUTLINE_TOLERANCE_PX, closed=True)
        outline = (
            simple if len(simple) >= LEAST_CORNERS else cv2.approxPolyDP(exact, 0, closed=True)
        )
        made.append(np.asarray(outline, np.int64).reshape(-1, 2) + origin)
    return made


def outlines_of(text: str, size: tuple[int, int]) -> Sequence[Int64]:
    """The outlines of a stored mask, as :func:`polygons`, in pixels of the frame.

    Args:
        text: as of :func:`vfiscope.regions.masks.encode`.
        size: (height, width) of the frame.

    Raises:
        StoreError: the text is no mask of such a frame.
    """
    part = extent_of(text, size)
    return [] if part is None else polygons(decode(text, size, part), (part.x, part.y))
