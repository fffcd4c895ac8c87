"""Ghosts: what shows two instants at once, which no threshold on a difference can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vfiscope.metrics.interpolation.flow import resized
from vfiscope.metrics.interpolation.ghosting import BLEND_WINDOW, ghosts
from vfiscope.pixels import luma_bytes
from vfiscope.regions.steps import Difference
from vfiscope.regions.surrounding import Surrounding
from vfiscope.types import Float32, Uint8

__all__ = ["with_ghosts"]

MIN_GHOST_DEGREE = 0.5
"""Of a blend, from where most of what is unexplained is explained by it."""
GHOST_CODES = 8.0
"""Codes of smoothed luma from the nearest real frame, in place or moved, below which nobody sees
that a blend is one. A ghost is half of a contrast, so about half of what a change must have."""
GHOST_SIGMA = 1.0
GHOST_RIM = 0.5
"""Of the threshold, in the mean of the window in which blends are fitted, for what belongs to a
ghost beside it."""


def with_ghosts(difference: Difference, around: Surrounding, *, scale: float = 1.0) -> Difference:
    """What differs from all that a frame between two real ones may show, with what is a blend of
    these two.

    An edge of contrast C in both frames, at two places, is C / 2 at both in a blend. That is half
    of the local contrast, which a tolerance of half a pixel explains at any single edge; so blends
    are told by how well they fit
    (:func:`~vfiscope.metrics.interpolation.ghosting.ghosts`). A thing shows its contours twice and
    nothing between them, so what moves as one bridges its ghosts, but no other change beside them.

    Args:
        difference: ratios to the threshold, of what differs from both in place and moved.
        around: the frame and the real ones.
        scale: of the threshold.
    """
    if not around.has_flow:
        return difference
    degree = resized(ghosts(around.triplet), around.test.shape[:2])
    if not (degree >= MIN_GHOST_DEGREE).any():
        return difference
    shown = [around.before, around.after, *around.expected]
    apart = _apart(around.test, shown) / np.float32(scale * GHOST_CODES)
    apart[degree < MIN_GHOST_DEGREE] = 0
    # Both places of a thing, and what lies between its outlines, are one ghost.
    near = cv2.blur(apart, (BLEND_WINDOW, BLEND_WINDOW), borderType=cv2.BORDER_REFLECT_101)
    rim = (near > GHOST_RIM) & (degree >= MIN_GHOST_DEGREE)
    other = (difference.values > 1) & (degree < MIN_GHOST_DEGREE)
    side = 2 * BLEND_WINDOW + 1
    beside = cv2.dilate(other.astype(np.uint8), np.ones((side, side), np.uint8))
    return replace(
        difference,
        values=np.maximum(difference.values, apart),
        rim=difference.valid & (rim if difference.rim is None else rim | difference.rim),
        reach=max(difference.reach, BLEND_WINDOW // 2),
        bridge=around.moving & (beside == 0),
    )


def _apart(test: Uint8, references: Sequence[Uint8]) -> Float32:
    """(H, W) codes from the nearest reference."""
    own = _smoothed_luma(test)
    least = np.full(own.shape, np.inf, np.float32)
    for each in references:
        np.minimum(least, cv2.absdiff(own, _smoothed_luma(each)), out=least)
    return least


def _smoothed_luma(frame: Uint8) -> Float32:
    plane = luma_bytes(frame).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), GHOST_SIGMA), np.float32)
