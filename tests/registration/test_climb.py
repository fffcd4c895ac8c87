"""The shift of one plane on another, against OpenCV's general search."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.media import noise

from vfiscope.pixels import luma_plane
from vfiscope.registration.climb import climb

BIG = (cv2.GaussianBlur(luma_plane(noise(1, 90, 110)[0], 8), (0, 0), 2.5) - 127) * 6


@pytest.mark.parametrize(("dx", "dy"), [(0.3, -0.2), (1.6, 0.7), (0.0, 0.0)])
def test_the_steps_are_those_of_opencv(dx: float, dy: float) -> None:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(BIG, matrix, BIG.shape[::-1], flags=cv2.INTER_CUBIC)
    own, other = (np.ascontiguousarray(plane[20:68, 20:84]) for plane in (BIG, moved * 0.7 + 9))
    ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    start = np.eye(2, 3, dtype=np.float32)
    alike, found = cv2.findTransformECC(own, other, start, cv2.MOTION_TRANSLATION, ends)
    assert climb(own, other) == pytest.approx((found[0, 2], found[1, 2], alike), abs=2e-5)
    assert climb(own, other)[:2] == pytest.approx((dx, dy), abs=0.1)


def test_what_is_unlike_has_no_shift() -> None:
    own = np.ascontiguousarray(BIG[20:68, 20:84])
    assert np.isnan(climb(own, -own)).all()
    assert np.isnan(climb(own, np.full_like(own, 3))).all()
