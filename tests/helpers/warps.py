"""Pictures seen through known warps, and how far a registration is from one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.registration.homography import corners, project
from vfiscope.types import Frames, Status

Array = NDArray[Any]
LUMA = np.array([0.299, 0.587, 0.114])
LARGE = (8.0, 1.1, 0.05, 0.05)
"""Degrees, scale, shift in parts of the picture, and how much the projective weight changes over
its width."""
SMALL = (3.0, 1.03, 0.02, 0.01)


def planted(
    height: int, width: int, degrees: float, scale: float, shift: float, bend: float
) -> Array:
    """The matrix from test to reference: about the centre, then shifted right and up."""
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    c, s = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    bent = np.array([[1, 0, 0], [0, 1, 0], [bend / width, -bend / (2 * height), 1]])
    there = np.array(
        [[1, 0, middle[0] + shift * width], [0, 1, middle[1] - shift * height], [0, 0, 1]]
    )
    back = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    return np.asarray(there @ bent @ turn @ back)


def seen_through(picture: Array, matrix: Array) -> Array:
    """The test frame that the matrix brings onto the picture: black where there is nothing to
    see."""
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


def jpeg(picture: Array, quality: int = 80) -> Array:
    coded, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert coded
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def frames(*pictures: Array, bit_depth: int = 8, status: int = Status.OK) -> Frames:
    n = len(pictures)
    data = np.stack(pictures).transpose(0, 3, 1, 2)
    count = np.arange(n, dtype=np.int64)
    return Frames(
        data, count, count, count / 25.0, np.full(n, status, np.uint8), Fraction(1, 25), bit_depth
    )


def corner_error(found: Array, truth: Array, size: tuple[int, int]) -> float:
    """Pixels of the reference by which the worst corner of the test is misplaced."""
    return float(
        np.linalg.norm(project(found, corners(size)) - project(truth, corners(size)), axis=1).max()
    )
