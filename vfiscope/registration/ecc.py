"""Registration of small camera motions, without feature points.

A coarse-to-fine search finds the affine matrix with the largest enhanced correlation coefficient
(ECC, Evangelidis and Psarakis 2008). Dense flow (DIS, Kroeger et al. 2016) between the reference
and the frame warped by that matrix then gives points for the homography; points in black borders
or on independently moving objects are rejected.

Range: the search starts at the identity on frames reduced to about 48 px, so it finds motions of up
to about a twentieth of the frame: shifts of 5 %, rotations of 5 degrees, scales of 0.95 to 1.05.
Larger motions need ``sift``; here they are refused, or found by luck.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.registration.homography import covered_mask, project, reduced, warp
from vfiscope.registration.points import Matches, from_points, refused
from vfiscope.types import Float32, Float64, Registration, Uint8, Verdict

__all__ = ["likeness", "register_ecc", "register_flow"]

CLIMB_SIDE = 640
FLOW_SIDE = 1280
"""Longer side in pixels of the frames for the correlation, and for the flow."""
COARSEST_SIDE_PX = 48
"""Shorter side in pixels of the coarsest level."""
MIN_CLIMB_SIDE_PX = 16
"""Shorter side in pixels below which a frame is too small to register."""
MAX_CLIMB_STEPS = 50
MIN_CORRELATION_GAIN = 1e-6
"""A level ends when a step raises the correlation by less than this."""
FLOW_STRIDE_PX = 8
FLOW_MARGIN_PX = 8
"""Pixels between neighbouring points of the flow, and between them and the border."""
MIN_POINT_DEVIATION = 2.0
"""Standard deviation in code values below which the surroundings of a point lack texture."""
MAX_FLOW_ERROR_PX = 1.0
"""Pixels within which a vector of the flow agrees with the matrix."""
MIN_CORRELATION = 0.3


def register_ecc(test: Float32, ref: Float32) -> Registration:
    """The matrix that makes test and reference correlate, refined by their flow.

    Args:
        test: (H, W) float32 luma, 0..255.
        ref: (H, W).
    """
    small, back = reduced(test, CLIMB_SIDE, CLIMB_SIDE)
    small_ref, _ = reduced(ref, CLIMB_SIDE, CLIMB_SIDE)
    if min(small.shape) < MIN_CLIMB_SIDE_PX:
        return refused(
            "ecc",
            Verdict.FEW_MATCHES,
            f"{test.shape[1]}x{test.shape[0]} pixels are too few to register",
        )
    found = _climb(small, small_ref)
    if found is None:
        return refused("ecc", Verdict.UNLIKE, "the search found no maximum of the correlation")
    rough = back @ np.linalg.inv(found) @ np.linalg.inv(back)
    registration = register_flow(test, ref, rough)
    if not registration.accepted:
        return registration
    size = (test.shape[0], test.shape[1])
    warped = warp(test, registration.matrix).astype(np.float32)
    alike = likeness(warped, ref, covered_mask(registration.matrix, size))
    if not alike >= MIN_CORRELATION:
        reason = f"the registered frames correlate only by {alike:.2f}"
        return refused("ecc", Verdict.UNLIKE, reason)
    return registration


def register_flow(test: Float32, ref: Float32, rough: Float64) -> Registration:
    """The matrix that the dense flow after a rough registration gives.

    Args:
        test: (H, W) float32 luma, 0..255.
        ref: (H, W).
        rough: (3, 3) from test to reference, right to a few pixels.
    """
    size = (test.shape[0], test.shape[1])
    return from_points(_flow_points(test, ref, rough), size, "ecc", reach=MAX_FLOW_ERROR_PX)


def _climb(test: Float32, ref: Float32) -> Float64 | None:
    """The affine matrix from reference to test, searched from coarse to fine; None where the search
    fails."""
    levels = [(test, ref)]
    while min(levels[-1][0].shape) >= 2 * COARSEST_SIDE_PX:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    found: Float64 | None = np.eye(3)
    for small, small_ref in reversed(levels):
        if found is None:
            return None
        scale = np.diag([small.shape[1] / test.shape[1], small.shape[0] / test.shape[0], 1.0])
        found = _maximum(small, small_ref, scale @ found @ np.linalg.inv(scale))
        found = None if found is None else np.linalg.inv(scale) @ found @ scale
    return found


def _halved(frame: Float32) -> Float32:
    return np.asarray(cv2.pyrDown(frame), np.float32)


def _maximum(test: Float32, ref: Float32, start: Float64) -> Float64 | None:
    """The affine matrix from reference to test at the nearest maximum, None where there is none."""
    criteria = (
        cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT,
        MAX_CLIMB_STEPS,
        MIN_CORRELATION_GAIN,
    )
    try:
        _, found = cv2.findTransformECC(
            ref, test, start[:2].astype(np.float32), cv2.MOTION_AFFINE, criteria
        )
    except cv2.error:  # raised by OpenCV where the search does not converge
        return None
    usable = bool(np.isfinite(found).all()) and abs(float(np.linalg.det(found[:, :2]))) > 1e-3
    return np.vstack([found, [[0.0, 0.0, 1.0]]]).astype(np.float64) if usable else None


def _flow_points(test: Float32, ref: Float32, rough: Float64) -> Matches:
    """Points on a grid over the reference, and their places in the test by the flow after a rough
    registration."""
    warped, back = reduced(warp(test, rough).astype(np.float32), FLOW_SIDE, FLOW_SIDE)
    small_ref, _ = reduced(ref, FLOW_SIDE, FLOW_SIDE)
    mask, _ = reduced(
        covered_mask(rough, (test.shape[0], test.shape[1])).astype(np.float32), FLOW_SIDE, FLOW_SIDE
    )
    usable = (
        (mask == 1.0)
        & (_texture(warped) >= MIN_POINT_DEVIATION)
        & (_texture(small_ref) >= MIN_POINT_DEVIATION)
    )
    rows, columns = np.mgrid[
        FLOW_MARGIN_PX : usable.shape[0] - FLOW_MARGIN_PX : FLOW_STRIDE_PX,
        FLOW_MARGIN_PX : usable.shape[1] - FLOW_MARGIN_PX : FLOW_STRIDE_PX,
    ]
    kept = usable[rows, columns]
    rows, columns = rows[kept], columns[kept]
    if not len(rows):
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    flow = np.zeros((*small_ref.shape, 2), np.float32)
    cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(
        _bytes(small_ref), _bytes(warped), flow
    )
    at = np.column_stack([columns, rows]).astype(np.float64)
    moved = project(back, at + flow[rows, columns])
    to_test = np.asarray(np.linalg.inv(rough), np.float64)
    return Matches(project(to_test, moved), project(back, at), float(back[0, 0]))


def _texture(frame: Float32) -> Float32:
    """(H, W) standard deviation in a window around each pixel, of the size of a patch of the
    flow."""
    side = (2 * FLOW_MARGIN_PX + 1, 2 * FLOW_MARGIN_PX + 1)
    mean = cv2.blur(frame, side)
    return np.asarray(
        np.sqrt(np.maximum(cv2.blur(frame * frame, side) - mean * mean, 0.0)), np.float32
    )


def _bytes(frame: Float32) -> Uint8:
    return np.rint(frame).clip(0, 255).astype(np.uint8)


def likeness(test: Float32, ref: Float32, mask: NDArray[np.bool_]) -> float:
    """Median over a mask of the local correlation around each pixel, -1..1; NaN where nothing has
    texture.

    It is local so that chance agreement of light and dark areas does not count, and a median to
    tolerate objects that moved on their own.
    """
    side = (2 * FLOW_MARGIN_PX + 1, 2 * FLOW_MARGIN_PX + 1)
    both = cv2.blur(test * ref, side) - cv2.blur(test, side) * cv2.blur(ref, side)
    power = _texture(test) * _texture(ref)
    textured = mask & (power >= MIN_POINT_DEVIATION**2)
    return float(np.median(both[textured] / power[textured])) if textured.any() else float("nan")
