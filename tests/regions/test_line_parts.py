"""Parts of a line that lie a few pixels elsewhere: a defect is not explained by a camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.types import Uint8

HOLE_RADIUS, RING = 8, 55


def part(
    seed: int, at: tuple[float, float], *, missing: bool = False, scratch: bool = False
) -> Uint8:
    """A disc with six holes, which turned by 60 degrees looks the same, and noise."""
    frame = np.full((960, 1280, 3), (70, 74, 80), np.uint8)

    def disc(x: float, y: float, radius: float, grey: int) -> None:
        place = (round(4 * (160 + at[0] + x)), round(4 * (120 + at[1] + y)))
        cv2.circle(frame, place, round(4 * radius), (grey, grey, grey), -1)

    disc(0, 0, 80, 182)
    disc(0, 0, 25, 52)
    for k in range(1 if missing else 0, 6):
        disc(RING * np.cos(k * np.pi / 3), RING * np.sin(k * np.pi / 3), HOLE_RADIUS, 42)
    if scratch:
        ends = ((-60, 40), (-20, 55))
        one, two = ((round(4 * (160 + at[0] + x)), round(4 * (120 + at[1] + y))) for x, y in ends)
        cv2.line(frame, one, two, (242, 242, 242), 12)
    small = cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng(seed).normal(0, 2, (240, 320, 3))
    return np.clip(np.rint(small + grain), 0, 255).astype(np.uint8)


def looked_at(test: Uint8) -> Found:
    return find(FramePair(test, part(1, (3, -2))), METHODS["auto"](Settings()))


@pytest.mark.parametrize("at", [(-2.0, -2.0), (1.5, 2.0)])
def test_a_missing_hole_is_no_camera_that_turned(at: tuple[float, float]) -> None:
    found = looked_at(part(2, at, missing=True))
    (region,) = found.regions
    assert (found.answer.answer, found.answer.rotation) == ("changed", pytest.approx(0, abs=1))
    assert region.kind == "missing"
    assert region.centroid_x == pytest.approx(160 + 3 + RING, abs=8)
    assert region.centroid_y == pytest.approx(120 - 2, abs=5)


def test_a_scratch_is_no_parallax() -> None:
    found = looked_at(part(3, (-2.0, 1.0), scratch=True))
    (region,) = found.regions
    assert found.answer.answer == "changed"
    assert region.centroid_x == pytest.approx(160 + 3 - 40, abs=6)
    assert region.centroid_y == pytest.approx(120 - 2 + 47, abs=6)


def test_a_good_part_elsewhere_has_no_region() -> None:
    assert not looked_at(part(4, (-3.0, 3.0))).regions


def test_a_part_far_elsewhere_is_registered_and_its_missing_hole_is_no_parallax() -> None:
    found = looked_at(part(5, (-12, 11), missing=True))
    (region,) = found.regions
    assert found.answer.answer == "changed"
    assert found.answer.registration in {"objects", "sift"}
    assert (found.answer.shift_x, found.answer.shift_y) == pytest.approx((-15, 13), abs=1)
    assert region.centroid_x == pytest.approx(160 + 3 + RING, abs=8)  # in the reference
    assert region.centroid_y == pytest.approx(120 - 2, abs=5)
