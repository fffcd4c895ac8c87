"""A camera that moved among things at several distances, and what changed meanwhile."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.regions.difference.absolute import absolute_difference
from vfiscope.regions.threshold import fixed
from vfiscope.regions.viewpoint.colour_distance import colour_distance
from vfiscope.regions.viewpoint.objectness import objectness, register_objects
from vfiscope.regions.viewpoint.parallax import weigh_parallax
from vfiscope.registration.homography import project
from vfiscope.types import Registration, Verdict

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

RED, GREEN, BLUE, YELLOW = (190, 50, 50), (50, 150, 60), (50, 70, 180), (200, 180, 50)


def scene(colours: tuple[Colour, ...], *, zoom: float = 1.0, parallax: float = 0.0) -> Pixels:
    """Smooth balls on a smooth floor, 480 wide and 320 high; nearer ones move more."""
    rows, columns = np.mgrid[0:320, 0:480]
    floor = 110 + 30 * np.sin(columns / 200) + 20 * np.cos(rows / 150)
    frame = np.repeat(floor[..., None], 3, axis=2)
    places = ((110, 110, 22, 0.2), (230, 90, 18, 0.1), (330, 190, 40, 1.0), (150, 220, 34, 0.8))
    for colour, (x, y, radius, near) in zip(colours, places, strict=True):
        at = 240 + zoom * (x - 240) + parallax * near, 160 + zoom * (y - 160)
        away = np.hypot(columns - at[0], rows - at[1]) / (zoom * radius)
        shade = np.clip(1.15 - 0.4 * away, 0, None)[..., None]
        frame = np.where(away[..., None] < 1, np.array(colour) * shade, frame)
    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.0)
    return smooth.clip(0, 255).astype(np.uint8)


def found_in(test: Pixels, ref: Pixels) -> Found:
    return find(FramePair(test, ref), METHODS["auto"](Settings()))


BEFORE = (RED, GREEN, BLUE, YELLOW)
AFTER = (RED, GREEN, BLUE, (60, 160, 160))


def test_parallax_is_no_change() -> None:
    found = found_in(scene(BEFORE, zoom=1.15, parallax=9), scene(BEFORE))
    assert found.answer.answer == "moved"
    assert not found.regions
    assert found.answer.evidence < 10
    assert found.answer.caption.endswith("; no colour came or went that this does not explain.")
    assert found.answer.zoom == pytest.approx(1.15, abs=0.05)


def test_another_colour_is_found_behind_parallax() -> None:
    found = found_in(scene(AFTER, zoom=1.15, parallax=9), scene(BEFORE))
    (region,) = found.regions
    assert (found.answer.answer, region.change) == ("changed", "colour")
    assert found.answer.evidence > 18
    assert "1 region changed" in found.answer.caption
    assert ", told by colours alone; the camera moved (view " in found.answer.caption
    assert region.centroid_x == pytest.approx(150, abs=12)
    assert region.centroid_y == pytest.approx(220, abs=12)
    assert region.peak == pytest.approx(found.answer.evidence / 18, rel=0.1)


def test_registration_by_things() -> None:
    matrix = register_objects(scene(BEFORE, zoom=1.2), scene(BEFORE)).matrix
    places = np.array([[110.0, 110.0], [330.0, 190.0]])
    moved = np.array([240.0, 160.0]) + 1.2 * (places - [240.0, 160.0])
    assert project(np.asarray(matrix, np.float64), moved) == pytest.approx(places, abs=1.5)


def test_nothing_to_register_by() -> None:
    flat = np.full((60, 80, 3), 100, np.uint8)
    assert not register_objects(flat, flat).accepted
    assert np.ptp(objectness(flat)) < 1e-3
    assert not register_objects(flat[:2, :3], flat[:2, :3]).accepted


def test_colours_within_the_reach_are_no_distance() -> None:
    ref = np.full((120, 240, 3), 128, np.uint8)
    ref[40:80, 100:140] = RED
    near, far = np.roll(ref, 8, axis=1), np.roll(ref, 60, axis=1)
    assert colour_distance(FramePair(near, ref))[0].max() < 1
    distance, known = colour_distance(FramePair(far, ref))
    assert known.all()
    lab = cv2.cvtColor(np.full((1, 1, 3), RED, np.float32) / 255, cv2.COLOR_RGB2Lab)[0, 0]
    assert distance.max() == pytest.approx(float(np.hypot(lab[1], lab[2])), rel=0.02)
    grey, _ = colour_distance(FramePair(np.full_like(ref, 30), np.full_like(ref, 220)))
    assert grey.max() < 0.2


def test_colours_beside_what_is_not_seen_are_unknown() -> None:
    ref = np.full((120, 240, 3), 128, np.uint8)
    valid = np.ones((120, 240), bool)
    valid[:, :40] = False
    _, known = colour_distance(FramePair(ref, ref, valid))
    assert not known[:, : (40 + 12) // 2].any()  # a cell is 2 px, the reach 5 % of 240
    assert known[20, 60]


def test_a_camera_that_hardly_moved_hides_no_change() -> None:
    pair = FramePair(scene(AFTER), scene(BEFORE))
    difference = absolute_difference(pair)
    cut = fixed(difference, level=40)
    assert cut.mask.mean() > 0.02
    for shift, by_colour in ((5.0, False), (30.0, True)):
        moved = np.array([[1.0, 0.0, shift], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        found = Registration(moved, "sift", "affine", Verdict.ACCEPTED, "", 50, 0.5, 1.0, 0.9)
        weighed = weigh_parallax(replace(pair, registration=found), difference, cut)
        assert weighed.by_colour == by_colour  # 1 % of the diagonal is 5.8 px
        assert weighed.evidence > 18
        assert (weighed.difference is difference) != by_colour
