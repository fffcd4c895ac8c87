"""Registration where it helps, and the look at pixels before features are computed."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vfiscope import synth
from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.fast_filter import unless_equal
from vfiscope.regions.steps import Difference
from vfiscope.regions.viewpoint.candidates import candidates
from vfiscope.regions.viewpoint.where_it_helps import register_where_it_helps, registered
from vfiscope.types import Uint8, Verdict


def photo() -> Uint8:
    made = synth.Ground(3, 60.0, 6.0).render(0.0, 0.0, 150, 200)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def test_a_turned_frame_is_brought_back_and_its_rim_is_not_decided() -> None:
    ref = photo()
    turn = cv2.getRotationMatrix2D((100, 75), 3, 1.0)
    test = cv2.warpAffine(ref, turn, (200, 150), borderMode=cv2.BORDER_REPLICATE)
    made = register_where_it_helps(FramePair(test, ref), things=False)
    assert made.registration is not None
    assert made.registration.verdict == Verdict.ACCEPTED
    assert made.valid is not None
    assert 0.9 < made.valid.mean() < 1
    apart = cv2.absdiff(made.test, ref).max(axis=2)[made.valid]
    assert np.median(apart) <= 3 < np.median(cv2.absdiff(test, ref))
    assert register_where_it_helps(made, things=False) is made


def test_undecidable_pixels_move_with_the_frame() -> None:
    ref = photo()
    turn = np.vstack([cv2.getRotationMatrix2D((100, 75), 6, 1.0), [0, 0, 1]])
    test = cv2.warpAffine(ref, turn[:2], (200, 150), borderMode=cv2.BORDER_REPLICATE)
    valid = np.ones((150, 200), bool)
    valid[30:70, 40:80] = False
    test[~valid] = (255, 0, 0)
    pair = FramePair(test, ref, valid)
    for method in ("auto", "patchcore"):
        found = find(pair, METHODS[method](Settings(embedder="dsift")))
        assert found.answer.registration == "sift"
        assert not found.regions
    back = np.linalg.inv(turn)
    made = registered(pair, replace(found.pair.registration, matrix=back))
    hidden = cv2.warpAffine((~valid).astype(np.uint8), back[:2], (200, 150)) > 0
    assert made.valid is not None
    assert not made.valid[hidden].any()
    assert np.count_nonzero(~made.valid[20:90, 20:110]) < 48 * 48


def test_a_large_turn_is_doubted_and_what_things_say_is_refined() -> None:
    ref = photo()
    turned = FramePair(np.ascontiguousarray(ref[::-1, ::-1]), ref)
    first, upright, *_ = candidates(turned, things=True)
    assert (first.found.accepted, first.doubt) == (True, 2.0)
    assert not upright.found.accepted
    moved = FramePair(np.roll(ref, (3, 5), (0, 1)), ref)
    by_points, refined, rough = candidates(moved, things=True)
    assert [each.doubt for each in (by_points, refined, rough)] == [1.0, 1.0, 1.0]
    assert [each.handicap for each in (by_points, refined, rough)] == [1.0, 1.5, 1.5]
    true = [[1, 0, -5], [0, 1, -3]]
    for each in (by_points, refined):
        assert each.found.matrix[:2] == pytest.approx(np.array(true), abs=0.05)
    assert (refined.found.method, rough.found.method) == ("objects", "objects")
    assert refined.found.inlier_ratio > 0.7
    assert np.isnan(rough.found.inlier_ratio)


def test_rounding_is_no_change_and_a_small_spot_is_one() -> None:
    ref = photo()
    near, spot = ref ^ 1, ref.copy()
    spot[70:76, 90:96] ^= 64
    calls = []

    def looked(pair: FramePair) -> Difference:
        calls.append(1)
        return Difference(np.ones(pair.size, np.float32), "x", pair.decidable)

    for test in (ref, near, spot):
        made = unless_equal(FramePair(test, ref), difference=looked, unit="x")
        assert (made.values == (test is spot)).all()
    assert len(calls) == 1


def test_a_mirrored_frame_cannot_be_compared() -> None:
    ref = photo()
    made = find(FramePair(np.ascontiguousarray(ref[:, ::-1]), ref), METHODS["auto"](Settings()))
    assert (made.answer.answer, list(made.regions)) == ("undecided", [])
    assert "no registration makes the frames alike" in made.answer.caption


def test_a_negative_cannot_be_compared() -> None:
    ref = np.full((150, 220, 3), 245, np.uint8)
    for row in range(5):
        text, place = f"Article {7 * row} of 40", (10, 24 + 26 * row)
        cv2.putText(ref, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 30), 2)
    for test in (255 - ref, (220 - 0.7 * ref).astype(np.uint8)):
        made = find(FramePair(test, ref), METHODS["auto"](Settings()))
        assert (made.answer.answer, list(made.regions)) == ("undecided", [])


@pytest.mark.parametrize("side", [5, 8])
def test_of_few_pixels_light_and_noise_cannot_be_told(side: int) -> None:
    ref = photo()[:side, :side]
    auto = METHODS["auto"](Settings())
    answer = find(FramePair(ref + np.uint8(3), ref), auto).answer
    assert answer.answer == "undecided"
    assert answer.caption.endswith(f"{side}x{side} pixels are too few to tell a change from light.")
    assert find(FramePair(ref.copy(), ref), auto).answer.answer == "same"
