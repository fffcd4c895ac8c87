"""Planes sampled along a flow, against sums by hand and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from helpers.media import noise

from vfiscope.signals.fetching import fetched_along

PLANE = np.array([[0, 100, 40], [20, 60, 200]], np.uint8)


def test_places_between_pixels_by_hand_and_the_border_repeated() -> None:
    flow = np.zeros((2, 3, 2), np.float32)
    flow[0, 0] = 0.25, 0.5  # 25 above and 30 below
    flow[0, 1] = 1, 1  # the last pixel
    flow[0, 2] = 9, -9
    flow[1, 0] = -0.5, 0.5
    flow[1, 2] = -0.5, -0.25  # 70 above and 130 below
    assert fetched_along(PLANE, flow).tolist() == [[27.5, 200, 40], [20, 60, 115]]


def test_a_multiple_of_the_flow_less_an_offset() -> None:
    flow = np.full((2, 3, 2), (4, 0), np.float32)
    found = fetched_along(PLANE, flow, -0.5, np.array([-2.5, -1], np.float32))
    assert found.tolist() == [[40, 130, 200]] * 2


def test_it_is_what_opencv_finds() -> None:
    plane = noise(1, 70, 113, seed=5)[0, ..., 1].copy()
    flow = np.random.default_rng(6).normal(0, 9, (70, 113, 2)).astype(np.float32)
    rows, columns = np.indices(plane.shape, np.float32)
    at = np.stack([columns, rows], axis=-1) + flow / 2
    wide = plane.astype(np.float32)
    found = cv2.remap(wide, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(fetched_along(plane, flow, 0.5), found, rtol=1e-5, atol=1e-4)
