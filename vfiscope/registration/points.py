"""From matched points to a registration: a robust homography, and tests of whether to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.registration.homography import corners, covered_mask, judge, project
from vfiscope.types import Float32, Float64, Registration, Verdict

__all__ = ["Matcher", "Matches", "from_points", "refused"]


@dataclass(frozen=True)
class Matches:
    """K points of a test frame and the matching points of the reference."""

    test: Float64
    """(K, 2) float64 pixel coordinates (x, y)."""
    ref: Float64
    """(K, 2)"""
    scale: float = 1.0
    """Pixels of the full frame per pixel of the reduced frame on which the points were found."""


Matcher = Callable[[Float32, Float32], Matches]
"""Takes the luma of test and reference, each (H, W) float32 0..255."""

MIN_INLIERS = 12
MIN_INLIER_RATIO = 0.25
MAX_INLIER_ERROR_PX = 3.0
"""Pixels of the reduced frame within which a pair of points agrees with the matrix."""
TRIALS = 10_000
RANSAC_CONFIDENCE = 0.9999
ROUNDS = 5
MAX_MEDIAN_MULTIPLE = 3.0
"""Multiple of the median distance beyond which a pair no longer agrees: of normally distributed
errors, 0.2 % exceed it."""
EXACT_RESIDUAL_PX = 0.01
"""Pixels below which a residual counts as zero."""
MAX_CORNER_DEVIATION = 0.01
"""Standard deviation of a corner, as a share of the frame's diagonal, above which the points do not
determine the matrix."""


def from_points(
    matches: Matches, size: tuple[int, int], method: str, *, reach: float = MAX_INLIER_ERROR_PX
) -> Registration:
    """The homography that most of the matched points agree with, or an affine matrix where that
    explains them as well.

    Found by USAC with MAGSAC++ (Barath et al. 2020), whose random numbers always start from the
    same seed, and refined by least squares over the points that agree.

    Args:
        matches: points of test and reference.
        size: (height, width) of both.
        method: name of the method, which is stored.
        reach: pixels of the reduced frame within which a pair agrees.
    """
    count = len(matches.test)
    if count < MIN_INLIERS:
        return refused(
            method, Verdict.FEW_MATCHES, f"only {count} points match: {MIN_INLIERS} are needed"
        )
    usac = (cv2.USAC_MAGSAC, reach * matches.scale, None, TRIALS, RANSAC_CONFIDENCE)
    found, mask = cv2.findHomography(matches.test, matches.ref, *usac)
    agree = np.zeros(count, bool) if found is None else mask.ravel().astype(bool)
    inliers, ratio = int(agree.sum()), float(agree.mean())
    if inliers < MIN_INLIERS:
        return refused(
            method, Verdict.FEW_MATCHES, f"only {inliers} of {count} matched points agree"
        )
    if ratio < MIN_INLIER_RATIO:
        return refused(
            method, Verdict.FEW_INLIERS, f"only {100 * ratio:.0f} % of the matched points agree"
        )
    agree = _tightened(matches, np.asarray(found, np.float64), agree)
    test, ref = matches.test[agree], matches.ref[agree]
    model, matrix = _refined(test, ref, np.asarray(found, np.float64))
    inliers, ratio = len(test), len(test) / count
    residual = float(np.sqrt(_errors(matrix, test, ref) / inliers))
    verdict, reason = judge(matrix, size)
    if verdict == Verdict.ACCEPTED:
        verdict, reason = _judge_corners(matrix, test, residual, size)
    if verdict != Verdict.ACCEPTED:
        return refused(
            method, verdict, reason, model=model, inliers=inliers, ratio=ratio, residual=residual
        )
    return Registration(
        matrix,
        method,
        model,
        verdict,
        reason,
        inliers,
        ratio,
        residual,
        valid=float(covered_mask(matrix, size).mean()),
    )


def _tightened(matches: Matches, found: Float64, agree: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pairs that agree as closely as most of them do, without objects that moved on their own
    by a pixel or two."""
    matrix = found
    for _ in range(ROUNDS):
        distance = np.sqrt(((project(matrix, matches.test) - matches.ref) ** 2).sum(1))
        limit = max(MAX_MEDIAN_MULTIPLE * float(np.median(distance[agree])), EXACT_RESIDUAL_PX)
        closer = agree & (distance <= limit)
        if closer.sum() < MIN_INLIERS:
            break
        _, matrix = _refined(matches.test[closer], matches.ref[closer], matrix)
        kept, agree = agree, closer
        if kept.sum() == closer.sum():
            break
    return agree


def _refined(test: Float64, ref: Float64, found: Float64) -> tuple[str, Float64]:
    """Least squares over the points that agree, with the model that has the lowest information
    criterion (Schwarz 1978).

    The identity is among the models, so that a frame of a camera that stood still is not resampled
    because of the noise of its points.
    """
    affine = np.eye(3)
    affine[:2] = np.linalg.lstsq(np.column_stack([test, np.ones(len(test))]), ref, rcond=None)[0].T
    refined, _ = cv2.findHomography(test, ref, 0)
    homography = found if refined is None else np.asarray(refined, np.float64)
    models = ((0, "affine", np.eye(3)), (6, "affine", affine), (8, "homography", homography))
    least = EXACT_RESIDUAL_PX**2 * len(test)

    def criterion(model: tuple[int, str, Float64]) -> float:
        count = 2.0 * len(test)  # two coordinates to a point
        return model[0] * float(np.log(count)) + count * float(
            np.log(max(_errors(model[2], test, ref), least))
        )

    _, name, matrix = min(models, key=criterion)
    return name, matrix


def _errors(matrix: Float64, test: Float64, ref: Float64) -> float:
    """Sum of squared distances, px squared."""
    return float(((project(matrix, test) - ref) ** 2).sum())


def _judge_corners(
    matrix: Float64, test: Float64, residual: float, size: tuple[int, int]
) -> tuple[Verdict, str]:
    """Whether points at these places, with these errors, determine the corners of the frame.

    By propagation of errors: the covariance of the corners is ``J (A'A)^-1 J' s^2``, with A the
    derivative of the points by the eight parameters, J that of the corners, and s the residual of a
    coordinate, at least a tenth of a pixel.
    """
    a, j = _derivative(matrix, test, size), _derivative(matrix, corners(size), size)
    sigma = max(residual / np.sqrt(2.0), 0.1)
    information = a.T @ a
    if np.linalg.cond(information) > 1e14:
        return Verdict.UNSTEADY, "the matched points lie on a line"
    variance = np.diag(j @ np.linalg.inv(information) @ j.T).reshape(4, 2).sum(1)
    worst, diagonal = sigma * float(np.sqrt(variance.max())), float(np.hypot(*size))
    if worst > MAX_CORNER_DEVIATION * diagonal:
        return Verdict.UNSTEADY, f"the matched points fix a corner only to {worst:.1f} px"
    return Verdict.ACCEPTED, ""


def _derivative(matrix: Float64, points: Float64, size: tuple[int, int]) -> Float64:
    """(2 K, 8) derivative of projected points by the first eight entries of the matrix, with the
    frame size as unit."""
    unit = float(max(size))
    scale = np.diag([1.0 / unit, 1.0 / unit, 1.0])
    normal = scale @ (matrix / matrix[2, 2]) @ np.linalg.inv(scale)
    at = np.column_stack([points / unit, np.ones(len(points))])
    moved = at @ normal.T
    weight, nothing = moved[:, 2:], np.zeros_like(at)
    x, y = moved[:, :1] / weight, moved[:, 1:2] / weight
    rows = np.stack(
        [np.hstack([at, nothing, -x * at[:, :2]]), np.hstack([nothing, at, -y * at[:, :2]])], axis=1
    )
    return np.asarray(unit * (rows / weight[:, None]).reshape(2 * len(points), 8))


def refused(
    method: str,
    verdict: Verdict,
    reason: str,
    *,
    model: str = "homography",
    inliers: int = 0,
    ratio: float = np.nan,
    residual: float = np.nan,
) -> Registration:
    """A registration that leaves the test frame as it is, with the reason."""
    return Registration(
        np.eye(3), method, model, verdict, reason, inliers, ratio, residual, valid=1.0
    )
