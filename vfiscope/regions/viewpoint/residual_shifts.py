"""Whether the local shifts that a registration leaves are those of one plane."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.pixels import luma_bytes
from vfiscope.regions.steps import Cut, Difference, FramePair

__all__ = ["shows_one_plane"]

MIN_EDGE_CODES = 16
"""Change of luma over two pixels, from where a local shift is seen and not guessed."""
MOST_EDGE_POINTS, FEWEST_EDGE_POINTS = 2000, 100
PLANE_REACH_PX, MIN_PLANE_EDGES = 1.5, 0.98
"""Nearly all edges agree on an affine shift to within what difference maps tolerate. Things at
several distances do not: in CLEVR-Change at most nine tenths do."""
BESIDE_CHANGES_PX = 12
"""Half of a cell of local shifts: these are pulled beside what changed."""


def shows_one_plane(pair: FramePair, difference: Difference, cut: Cut) -> bool:
    """Whether what did not change lies in one plane, by the local shifts at its edges.

    Args:
        pair: after registration.
        difference: with the local shifts that it fitted out; without any it is not told.
        cut: what changed.
    """
    flow = difference.flow
    if flow is None:
        return False
    grey = luma_bytes(pair.test)
    across, along = (cv2.Sobel(grey, cv2.CV_16S, dx, 1 - dx, ksize=1) for dx in (1, 0))
    edges = np.maximum(np.abs(across), np.abs(along)) >= MIN_EDGE_CODES
    side = 2 * BESIDE_CHANGES_PX + 1
    changed = cv2.dilate(cut.mask.astype(np.uint8), np.ones((side, side), np.uint8))
    rows, columns = np.nonzero(edges & difference.valid & (changed == 0))
    if len(rows) < FEWEST_EDGE_POINTS:
        return False
    step = np.s_[:: 1 + len(rows) // MOST_EDGE_POINTS]
    rows, columns = rows[step], columns[step]
    test = np.column_stack([columns, rows]).astype(np.float64)
    ref = test + flow[:, rows, columns].T
    found, agree = cv2.estimateAffine2D(
        test, ref, method=cv2.RANSAC, ransacReprojThreshold=PLANE_REACH_PX
    )
    return found is not None and bool(agree.mean() >= MIN_PLANE_EDGES)
