"""Homographies applied to frames: corners, covered area, plausibility, and the warp itself.

Matrices are (3, 3) float64 and map pixel coordinates (x, y, 1) of the test to those of the
reference; pixel centres lie at whole numbers. Sizes are (height, width).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float32, Float64, Uint8, Verdict

__all__ = [
    "cells_covered",
    "corners",
    "covered_mask",
    "enlarging",
    "judge",
    "project",
    "reduced",
    "warp",
]

Size = tuple[int, int]

SCALES = (0.5, 2.0)
MOST_PERSPECTIVE = 1.5
"""Largest ratio of the projective weights at two corners: how much more one end of the frame may be
enlarged than another."""
MIN_VALID = 0.5
EDGE = 1e-3
"""Pixels by which a point may lie outside the outermost pixel centres and still count as inside."""


def project(matrix: Float64, points: Float64) -> Float64:
    """(K, 2) points mapped by a matrix."""
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(moved[:, :2] / moved[:, 2:])


def corners(size: Size) -> Float64:
    """(4, 2) centres of the corner pixels, clockwise from the top left."""
    bottom, right = size[0] - 1.0, size[1] - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])


def reduced(frame: Float32, height: int, width: int) -> tuple[Float32, Float64]:
    """An (H, W) frame reduced until its sides are at most these, if they are larger, and the matrix
    from reduced to full pixel coordinates.

    Both sides shrink by the same factor, rounded to whole pixels; pixels are averaged over areas.
    """
    full_h, full_w = frame.shape
    factor = min(1.0, max(height, width) / max(frame.shape), min(height, width) / min(frame.shape))
    if factor == 1.0:
        return frame, np.eye(3)
    w, h = max(1, round(full_w * factor)), max(1, round(full_h * factor))
    small = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32), enlarging((h, w), (full_h, full_w))


def enlarging(small: Size, full: Size) -> Float64:
    """The matrix from pixel coordinates of a reduced frame to those of the full one."""
    x, y = full[1] / small[1], full[0] / small[0]
    return np.array([[x, 0.0, (x - 1.0) / 2.0], [0.0, y, (y - 1.0) / 2.0], [0.0, 0.0, 1.0]])


def covered_mask(matrix: Float64, size: Size) -> NDArray[np.bool_]:
    """(H, W) reference pixels whose centre falls between the outermost pixel centres of the test
    frame."""
    back = np.linalg.inv(matrix)
    back /= np.abs(back).max()
    x, y = np.arange(size[1], dtype=np.float64), np.arange(size[0], dtype=np.float64)[:, None]
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in back)
    # The sign of an inverse is arbitrary: take the one that puts the centre in front of the camera.
    if back[2] @ [x[-1] / 2.0, y[-1, 0] / 2.0, 1.0] < 0:
        u, v, w = -u, -v, -w
    inside = (w > 0) & (u >= -EDGE * w) & (v >= -EDGE * w)
    return np.asarray(inside & (u <= (x[-1] + EDGE) * w) & (v <= (y[-1, 0] + EDGE) * w))


def cells_covered(mask: NDArray[np.bool_], grid: Size) -> NDArray[np.bool_]:
    """(h, w) cells of a grid over a frame that hold at least one pixel of an (H, W) mask."""
    total = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    for axis, cells in enumerate(grid):
        at, size = np.arange(cells), mask.shape[axis]
        total = np.take(total, -(-(at + 1) * size // cells), axis) - np.take(
            total, at * size // cells, axis
        )
    return total > 0


def judge(matrix: Float64, size: Size) -> tuple[Verdict, str]:
    """Whether a real camera motion could give this matrix; if not, why, in one sentence."""
    at = np.concatenate([corners(size), [[(size[1] - 1) / 2.0, (size[0] - 1) / 2.0]]])
    weights = at @ matrix[2, :2] + matrix[2, 2]
    if not np.isfinite(matrix).all() or np.linalg.det(matrix) <= 0 or (weights <= 0).any():
        return Verdict.MIRRORED, "the matrix mirrors or folds the frame"
    if (strength := float(weights.max() / weights.min())) > MOST_PERSPECTIVE:
        return Verdict.PERSPECTIVE, f"one end is enlarged {strength:.2f} times as much as another"
    scales = np.linalg.svd(_slope(matrix, at[-1]), compute_uv=False)
    if scales[0] > SCALES[1] or scales[1] < SCALES[0]:
        return Verdict.SCALE, f"the matrix scales by {scales[1]:.3g} to {scales[0]:.3g}"
    if (valid := float(covered_mask(matrix, size).mean())) < MIN_VALID:
        return (
            Verdict.OUTSIDE,
            f"the registered frame covers only {100 * valid:.0f} % of the reference",
        )
    return Verdict.ACCEPTED, ""


def _slope(matrix: Float64, point: Float64) -> Float64:
    """(2, 2) derivative of the mapping at a point."""
    moved = matrix @ [*point, 1.0]
    return np.asarray((matrix[:2, :2] - np.outer(moved[:2] / moved[2], matrix[2, :2])) / moved[2])


def warp(frame: Uint8 | NDArray[np.uint16] | Float32, matrix: Float64) -> NDArray[np.generic]:
    """A frame (H, W) or (H, W, 3) resampled on the pixels of the reference, of the same size and
    dtype.

    Bicubic; positions are rounded to 1/32 px, as OpenCV does, and pixels outside repeat the nearest
    one. The identity returns exactly the same pixels. :func:`covered_mask` tells which pixels are
    real.
    """
    size = (frame.shape[1], frame.shape[0])
    return np.asarray(
        cv2.warpPerspective(
            frame, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    )
