"""A test frame between two references: what either shows is no fault, whichever comes first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vfiscope import synth
from vfiscope.regions import METHODS, Settings
from vfiscope.regions.find import find_between
from vfiscope.regions.steps import Difference, FramePair
from vfiscope.types import Uint8

DSIFT = Settings(embedder="dsift")


def pan(x: float) -> Uint8:
    """A textured scene, seen x pixels further right."""
    made = synth.Ground(3, 60.0, 6.0).render(x, 0.0, 150, 240)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("step", [3, 15])
def test_a_faultless_pan_is_the_same(step: int) -> None:
    found = find_between(
        [FramePair(pan(0), pan(-step)), FramePair(pan(0), pan(step))], METHODS["auto"](Settings())
    )
    assert not found.regions
    assert found.answer.answer == "same"
    assert (found.answer.gain, found.answer.offset, found.answer.shift_x) == (1, 0, 0)


def test_a_fault_in_a_pan_is_found_at_its_place_in_the_test_frame() -> None:
    test = pan(0)
    test[60:84, 100:124] = (250, 40, 40)
    pairs = [FramePair(test, pan(-15)), FramePair(test, pan(15))]
    one, other = (find_between(each, METHODS["auto"](Settings())) for each in (pairs, pairs[::-1]))
    assert one.regions == other.regions
    (region,) = one.regions
    assert abs(region.centroid_x - 111.5) < 1.5
    assert abs(region.centroid_y - 71.5) < 1.5
    assert one.answer == other.answer
    assert (one.answer.answer, one.answer.registration) == ("changed", "none")


@pytest.mark.parametrize("name", ["semantic", "patchcore", "fusion", "absdiff"])
def test_what_one_reference_shows_is_no_fault_in_either_order(name: str) -> None:
    test, other = pan(0), pan(0)
    other[20:80, 20:90] = 255 - other[20:80, 20:90]
    method = METHODS[name](DSIFT)
    pairs = [FramePair(test, test), FramePair(test, other)]
    for order in (pairs, pairs[::-1]):
        found = find_between(order, method)
        assert (found.answer.answer, found.regions) == ("same", [])
    test = test.copy()
    test[100:130, 150:190] = (250, 40, 40)
    pairs = [FramePair(test, pan(0)), FramePair(test, other)]
    one, two = (find_between(order, method) for order in (pairs, pairs[::-1]))
    assert one.regions
    assert one.regions == two.regions
    assert (one.cut.mask == two.cut.mask).all()
    assert not one.cut.mask[:70].any()


def disc(x: float) -> Uint8:
    """A disc on a still ground, x pixels further right."""
    shape = synth.Shape("disc", 70.0 + x, 70.0, 44.0, 44.0, seed=1)
    return synth.Scene(140, 200, seed=2, objects=(shape,), velocity=(0.0, 0.0)).frame(0.0)


@pytest.mark.parametrize(("x", "phase"), [(12.0, 0.5), (12.0, np.nan), (6.0, 0.25)])
def test_a_disc_that_moves_further_than_local_shifts_reach_is_no_fault_at_its_instant(
    x: float, phase: float
) -> None:
    pairs = [FramePair(disc(x), disc(0)), FramePair(disc(x), disc(24))]
    found = find_between(pairs, METHODS["auto"](Settings()), phase)
    assert (found.answer.answer, found.regions) == ("same", [])


@pytest.mark.parametrize("far", [6.0, 24.0])
def test_a_blend_of_both_frames_is_marked_where_they_differ(far: float) -> None:
    blend = ((disc(0).astype(np.uint16) + disc(far) + 1) // 2).astype(np.uint8)
    pairs = [FramePair(blend, disc(0)), FramePair(blend, disc(far))]
    one, other = (find_between(each, METHODS["auto"](Settings())) for each in (pairs, pairs[::-1]))
    assert one.regions == other.regions
    assert len(one.regions) == 1
    ends = [(region.tight_x, region.tight_x + region.tight_w) for region in one.regions]
    assert min(start for start, _ in ends) == pytest.approx(48, abs=5)
    assert max(end for _, end in ends) == pytest.approx(92 + far, abs=5)
    assert all(region.tight_y >= 42 for region in one.regions)
    assert all(region.tight_y + region.tight_h <= 98 for region in one.regions)


def test_a_change_beside_a_ghost_is_a_region_of_its_own() -> None:
    blend = ((disc(0).astype(np.uint16) + disc(24) + 1) // 2).astype(np.uint8)
    blend[10:30, 60:80] = (250, 40, 40)
    pairs = [FramePair(blend, disc(0)), FramePair(blend, disc(24))]
    above, ghost = sorted(
        find_between(pairs, METHODS["auto"](Settings())).regions, key=lambda region: region.tight_y
    )
    assert (above.tight_x, above.tight_y) == pytest.approx((60, 10), abs=2)
    assert above.tight_y + above.tight_h <= 34
    assert ghost.tight_y >= 42


def test_frames_too_small_for_motion_are_compared_as_they_are() -> None:
    test, ref = (np.full((9, 9, 3), code, np.uint8) for code in (90, 30))
    found = find_between([FramePair(test, ref)] * 2, METHODS["auto"](Settings()))
    assert found.regions == []


@pytest.mark.parametrize(("x", "compared"), [(0.0, 2), (12.0, 8)])
def test_references_are_moved_only_while_something_is_left(x: float, compared: int) -> None:
    method, asked = METHODS["auto"](Settings()), []

    def difference(pair: FramePair) -> Difference:
        asked.append(pair)
        return method.difference(pair)

    pairs = [FramePair(disc(x), disc(0)), FramePair(disc(x), disc(24))]
    found = find_between(pairs, replace(method, difference=difference))
    assert (found.answer.answer, len(asked)) == ("same", compared)
