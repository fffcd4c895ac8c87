"""Matched points by SIFT (Lowe 2004), for motions of any size between frames of similar look."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.registration.homography import project, reduced
from vfiscope.registration.points import Matches
from vfiscope.types import Float32, Float64

__all__ = ["Points", "describe_points", "match_points", "match_sift"]

MAX_SIFT_SIDE_PX = 1280
"""Longer side in pixels to which a larger frame is reduced before points are detected."""
FEATURES = 2000
RATIO = 0.8
"""Largest ratio of the distances to the best and second best match (Lowe's ratio test)."""
SIFT_CONTRAST_THRESHOLD = 0.02
"""Half of Lowe's threshold: smooth frames have points too, and the matching rejects poor ones."""


class Points(NamedTuple):
    """Points of a frame with what is around them."""

    at: Float64
    """(K, 2) pixels of the frame."""
    vectors: Float32
    """(K, 128)"""
    scale: float
    """Pixels of the frame per pixel of the reduced frame on which they were found."""


def match_sift(test: Float32, ref: Float32) -> Matches:
    """Points of test and reference that are each other's best match and pass the ratio test in both
    directions.

    Args:
        test: (H, W) float32 luma, 0..255.
        ref: (H, W).
    """
    return match_points(describe_points(test), describe_points(ref))


def match_points(test: Points, ref: Points) -> Matches:
    """As :func:`match_sift`, of points that were found before."""
    if min(len(test.at), len(ref.at)) < 2:
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    distance = _squared_distances(test.vectors, ref.vectors)
    forward, backward = _best(distance), _best(distance.T)
    rows = np.flatnonzero(forward >= 0)
    rows = rows[backward[forward[rows]] == rows]
    return Matches(test.at[rows], ref.at[forward[rows]], test.scale)


def describe_points(frame: Float32) -> Points:
    """The points of a frame.

    Args:
        frame: (H, W) float32 luma, 0..255.
    """
    small, back = reduced(frame, MAX_SIFT_SIDE_PX, MAX_SIFT_SIDE_PX)
    sift = cv2.SIFT.create(
        FEATURES, contrastThreshold=SIFT_CONTRAST_THRESHOLD, enable_precise_upscale=True
    )
    points, vectors = sift.detectAndCompute(np.rint(small).clip(0, 255).astype(np.uint8), None)
    if vectors is None or not len(points):
        return Points(np.empty((0, 2)), np.empty((0, 128), np.float32), float(back[0, 0]))
    at = np.array([point.pt for point in points], np.float64)
    return Points(project(back, at), np.asarray(vectors, np.float32), float(back[0, 0]))


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
