"""Registration by where things are, for frames of smooth things without feature points, whose light
and shadows differ too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from vfiscope.registration.homography import covered_mask, enlarging, judge
from vfiscope.registration.points import refused
from vfiscope.types import Float32, Float64, Registration, Uint8, Verdict

__all__ = ["objectness", "register_objects"]

OBJECT_SIDE_PX = 240
"""Longer side to which frames are reduced."""
MIN_OBJECT_SIDE_PX, MIN_OBJECT_RANGE = 16, 0.1
"""Of the reduced frames, and of what stands out in them: with less there is nothing to match."""
FULL_CHROMA = 25.0
"""Distance from grey in CIE Lab from where more counts no more."""
DARK_WEIGHT, FULL_DARK = 0.7, 4.0
"""Of a pixel darker than its surroundings, and by how much of L it is fully so."""
NEAR_SIGMA, FAR_SIGMA, OBJECT_SIGMA = 1.5, 12.5, 1.5
ZOOMS = (0.8, 0.9, 1.0, 1.12, 1.25)
"""From which the search starts: correlation climbs only to the nearest peak."""
OBJECT_STEPS, OBJECT_GAIN = 60, 1e-4
MIN_OBJECT_CORRELATION = 0.6


class Peak(NamedTuple):
    """A maximum of the correlation."""

    correlation: float
    matrix: Float64
    """(3, 3) from reference to test, in reduced pixels."""


def register_objects(test: Uint8, ref: Uint8) -> Registration:
    """The homography that brings the things of a test frame onto those of the reference.

    Climbs to the largest enhanced correlation coefficient (Evangelidis and Psarakis 2008) of the
    two maps of :func:`objectness` from several zooms, each shifted by phase correlation.

    Args:
        test: (H, W, 3) RGB.
        ref: (H, W, 3) RGB.
    """
    maps = objectness(test), objectness(ref)
    height, width = test.shape[:2]
    small = (maps[0].shape[0], maps[0].shape[1])
    flat = min(float(np.ptp(each)) for each in maps) < MIN_OBJECT_RANGE
    if flat or min(small) < MIN_OBJECT_SIDE_PX:
        return refused("objects", Verdict.FEW_MATCHES, "there are no things to register by")
    rough = max(_peaks(*maps), key=lambda peak: peak.correlation, default=None)
    if rough is None:
        return refused("objects", Verdict.UNLIKE, "the search found no maximum of the correlation")
    finer = _climbed(*maps, rough.matrix, cv2.MOTION_HOMOGRAPHY)
    found = [
        _registration(peak, model, small, (height, width))
        for peak, model in ((finer, "homography"), (rough, "affine"))
        if peak is not None and peak.correlation >= rough.correlation
    ]
    return next((one for one in found if one.accepted), found[-1])


def _registration(
    peak: Peak, model: str, small: tuple[int, int], size: tuple[int, int]
) -> Registration:
    """The registration of frames of a size from a peak of their reduced maps, if a camera can have
    moved so."""
    if peak.correlation < MIN_OBJECT_CORRELATION:
        reason = f"the things of the frames correlate only by {peak.correlation:.2f}"
        return refused("objects", Verdict.UNLIKE, reason)
    back = enlarging(small, size)
    matrix = back @ np.linalg.inv(peak.matrix) @ np.linalg.inv(back)
    verdict, reason = judge(matrix, size)
    if verdict != Verdict.ACCEPTED:
        return refused("objects", verdict, reason)
    valid = float(covered_mask(matrix, size).mean())
    return Registration(matrix, "objects", model, verdict, "", 0, np.nan, np.nan, valid)


def objectness(frame: Uint8) -> Float32:
    """Where things are: pixels with a colour, and pixels darker than their surroundings.

    Args:
        frame: (H, W, 3) RGB.

    Returns:
        (h, w) 0..1.7, the longer side at most 240.
    """
    height, width = frame.shape[:2]
    factor = max(1.0, max(height, width) / OBJECT_SIDE_PX)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    lab = np.asarray(cv2.cvtColor(small / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)
    lightness = lab[..., 0]
    chroma = np.minimum(np.hypot(lab[..., 1], lab[..., 2]), FULL_CHROMA) / FULL_CHROMA
    darker = _blurred(lightness, FAR_SIGMA) - _blurred(lightness, NEAR_SIGMA)
    dark = np.clip(darker / FULL_DARK, 0, 1)
    return _blurred(np.asarray(chroma + DARK_WEIGHT * dark, np.float32), OBJECT_SIGMA)


def _blurred(plane: Float32, sigma: float) -> Float32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _peaks(test: Float32, ref: Float32) -> Iterator[Peak]:
    """The maxima reached from each zoom."""
    height, width = ref.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    for zoom in ZOOMS:
        start = np.eye(3)
        start[:2] = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0.0, zoom)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(test, start[:2], (width, height), flags=flags)
        # OpenCV 5 writes into the frames that it correlates.
        (dx, dy), _ = cv2.phaseCorrelate(ref.copy(), warped.astype(np.float32), window)
        shift = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])
        peak = _climbed(test, ref, start @ shift, cv2.MOTION_AFFINE)
        if peak is not None:
            yield peak


def _climbed(test: Float32, ref: Float32, start: Float64, model: int) -> Peak | None:
    """The nearest maximum of the correlation; None where the search fails."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, OBJECT_STEPS, OBJECT_GAIN)
    rows = 3 if model == cv2.MOTION_HOMOGRAPHY else 2
    try:
        correlation, found = cv2.findTransformECC(
            ref, test, start[:rows].astype(np.float32), model, criteria
        )
    except cv2.error:  # raised by OpenCV where the search does not converge
        return None
    matrix = np.eye(3)
    matrix[:rows] = found
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-3:
        return None
    return Peak(float(correlation), matrix)
