"""The steps of ``patchcore`` before features are looked at."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vfiscope import synth
from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.fast_filter import unless_equal
from vfiscope.regions.registered_by import registered_by
from vfiscope.regions.steps import Difference
from vfiscope.types import Uint8, Verdict


def photo() -> Uint8:
    made = synth.Ground(3, 60.0, 6.0).render(0.0, 0.0, 150, 200)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def test_a_turned_frame_is_brought_back_and_its_rim_is_not_decided() -> None:
    ref = photo()
    turn = cv2.getRotationMatrix2D((100, 75), 3, 1.0)
    test = cv2.warpAffine(ref, turn, (200, 150), borderMode=cv2.BORDER_REPLICATE)
    made = registered_by(FramePair(test, ref), method="sift")
    assert made.registration is not None
    assert made.registration.verdict == Verdict.ACCEPTED
    assert made.valid is not None
    assert 0.9 < made.valid.mean() < 1
    apart = cv2.absdiff(made.test, ref).max(axis=2)[made.valid]
    assert np.median(apart) <= 3 < np.median(cv2.absdiff(test, ref))
    assert registered_by(made, method="sift") is made


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (60, 80)])
def test_frames_without_points_stay_as_they_are(size: tuple[int, int]) -> None:
    grey = np.full((*size, 3), 90, np.uint8)
    made = registered_by(FramePair(grey + 40, grey), method="sift")
    assert made.registration is not None
    assert made.registration.verdict != Verdict.ACCEPTED
    assert (made.test == 130).all()
    found = find(FramePair(grey, grey), METHODS["patchcore"](Settings(embedder="dsift")))
    assert not found.regions
    assert found.difference.unit == "cosine distance"


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
