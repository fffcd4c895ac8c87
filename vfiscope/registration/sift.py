"""Matched points by SIFT (Lowe 2004), for motions of any size between frames of similar look."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.registration.homography import project, reduced
from vfiscope.registration.points import Matches
from vfiscope.types import Float32, Float64

__all__ = ["match_sift"]

MAX_SIFT_SIDE_PX = 1280
"""Longer side in pixels to which a larger frame is reduced before points are detected."""
FEATURES = 2000
RATIO = 0.8
"""Largest ratio of the distances to the best and second best match (Lowe's ratio test)."""
SIFT_CONTRAST_THRESHOLD = 0.02
"""Half of Lowe's threshold: smooth frames have points too, and the matching rejects poor ones."""


def match_sift(test: Float32, ref: Float32) -> Matches:
    """Points of test and reference that are each other's best match and pass the ratio test in both
    directions.

    Args:
        test: (H, W) float32 luma, 0..255.
        ref: (H, W).
    """
    small, back = reduced(test, MAX_SIFT_SIDE_PX, MAX_SIFT_SIDE_PX)
    small_ref, _ = reduced(ref, MAX_SIFT_SIDE_PX, MAX_SIFT_SIDE_PX)
    at, vectors = _describe(small)
    at_ref, vectors_ref = _describe(small_ref)
    if min(len(at), len(at_ref)) < 2:
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    distance = _squared_distances(vectors, vectors_ref)
    forward, backward = _best(distance), _best(distance.T)
    rows = np.flatnonzero(forward >= 0)
    rows = rows[backward[forward[rows]] == rows]
    return Matches(project(back, at[rows]), project(back, at_ref[forward[rows]]), float(back[0, 0]))


def _describe(frame: Float32) -> tuple[Float64, Float32]:
    """(K, 2) places and (K, 128) descriptors."""
    sift = cv2.SIFT.create(
        FEATURES, contrastThreshold=SIFT_CONTRAST_THRESHOLD, enable_precise_upscale=True
    )
    points, vectors = sift.detectAndCompute(np.rint(frame).clip(0, 255).astype(np.uint8), None)
    if vectors is None or not len(points):
        return np.empty((0, 2)), np.empty((0, 128), np.float32)
    return np.array([point.pt for point in points], np.float64), np.asarray(vectors, np.float32)


def _squared_distances(one: Float32, two: Float32) -> Float32:
    """(K, L) squared distances of K and L descriptors.

    OpenCV's descriptors hold whole numbers whose products sum up to less than 2^24: float32 is
    exact here, whatever the order in which a matrix library adds.
    """
    squares, squares_two = (one**2).sum(1), (two**2).sum(1)
    return np.asarray(squares[:, None] + squares_two - 2.0 * (one @ two.T), np.float32)


def _best(distance: Float32) -> NDArray[np.int64]:
    """(K,) column of the least distance in each row, -1 where the second least is nearly as
    small."""
    rows = np.arange(len(distance))
    first = distance.argmin(1)
    second = np.partition(distance, 1, axis=1)[:, 1]
    return np.where(distance[rows, first] < RATIO**2 * second, first, -1)
