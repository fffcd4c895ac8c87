"""FrameShift's registration as published."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vfiscope.pixels import luma_bytes
from vfiscope.regions.steps import FramePair

__all__ = ["frameshift_register"]

SIFT_POINTS = 5000
LEAST_MATCHES = 10
RANSAC_PX = 5.0


def frameshift_register(pair: FramePair) -> FramePair:
    """The test frame warped by a homography of all cross-checked SIFT matches, RANSAC 5 px.

    Mistakes that are kept: no ratio test and no check of the homography; pixels that the test frame
    does not show are black and count as a difference. Frames without points, where the published
    program ended with an error, stay as they are, as those with fewer than 10 matches do.
    """
    sift = cv2.SIFT.create(SIFT_POINTS)
    grey = [luma_bytes(frame) for frame in (pair.test, pair.ref)]
    (at, test), (at_ref, ref) = (sift.detectAndCompute(each, None) for each in grey)
    if test is None or ref is None or not len(at) or not len(at_ref):
        return pair
    matches = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(test, ref)
    if len(matches) < LEAST_MATCHES:
        return pair
    matches = sorted(matches, key=lambda match: match.distance)
    source = np.array([at[match.queryIdx].pt for match in matches], np.float32)
    target = np.array([at_ref[match.trainIdx].pt for match in matches], np.float32)
    matrix, _ = cv2.findHomography(source, target, cv2.RANSAC, RANSAC_PX)
    if matrix is None:
        return pair
    warped = cv2.warpPerspective(pair.test, matrix, (pair.size[1], pair.size[0]))
    return replace(pair, test=np.asarray(warped, np.uint8))
