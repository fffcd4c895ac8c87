"""The published formulas of TrackShift's fourth approach and FrameShift v3."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.difference.published_patches import published_features, trackshift_heat
from vfiscope.regions.propose.published_peaks import (
    frameshift_mask,
    frameshift_peaks,
    trackshift_points,
)
from vfiscope.regions.steps import Cut, Difference

DSIFT = Settings(embedder="dsift")


def heat(scores: np.ndarray, size: tuple[int, int] = (64, 64)) -> Difference:
    values = np.zeros(size, np.float32)
    values[10, 10], values[40, 30:32], values[60, 60] = 200, 90, 30
    return Difference(values, "grey levels", np.ones(size, bool), cells=scores)


def test_mask_and_peaks_of_frameshift_have_different_levels() -> None:
    scores = np.linspace(0.1, 0.4, 256, dtype=np.float32).reshape(16, 16)
    difference = heat(scores)
    t = np.percentile(scores, 95)
    cut = frameshift_mask(difference, percentile=95)
    assert cut.level == pytest.approx(255 * t / 0.4)
    assert cut.mask.sum() == 0
    found = frameshift_peaks(difference, cut, percentile=95)
    assert 255 * t == pytest.approx(98.2, abs=0.1)
    assert [each.point for each in found] == [(10, 10)]
    low = frameshift_peaks(difference, cut, percentile=50)
    assert [each.point for each in low] == [(10, 10), (30, 40)]  # the plateau once


def test_points_of_trackshift_are_the_best_of_each_part() -> None:
    values = np.zeros((80, 80), np.float32)
    values[2:10, 2:10] = 0.5
    values[4, 4], values[70, 70] = 1.0, 0.4
    difference = Difference(values, "x", np.ones((80, 80), bool))
    found = trackshift_points(difference, Cut(0.25, values > 0.25))
    assert [each.point for each in found] == [(4, 4), (70, 70)]
    few = np.where(values == 0.5, 0, values)
    assert len(trackshift_points(difference, Cut(0.25, few > 0.25))) == 2


def test_more_prefix_tokens_shift_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    ref = random.integers(0, 255, (224, 224, 3), dtype=np.uint8)
    test = ref.copy()
    test[98:126, 98:126] = 0
    embed = published_features(DSIFT)
    right = trackshift_heat(FramePair(test, ref), embed=embed).cells
    monkeypatch.setattr(
        "vfiscope.regions.difference.published_patches.extra_prefix", lambda embed: 4
    )
    wrong = trackshift_heat(FramePair(test, ref), embed=embed).cells
    assert right is not None
    assert wrong is not None
    assert (wrong.ravel()[4:] == right.ravel()[:-4]).all()
    assert (wrong.ravel()[:4] == 0).all()


@pytest.mark.parametrize("name", ["semantic-legacy", "patchcore-legacy"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (48, 70)])
def test_every_pair_has_a_defined_answer(name: str, size: tuple[int, int]) -> None:
    method = METHODS[name](DSIFT)
    grey = np.full((*size, 3), 90, np.uint8)
    for test, ref in ((grey, grey), (grey * 2, grey)):
        found = find(FramePair(test, ref), method)
        assert np.isfinite(found.difference.values).all()
        if test is ref:
            assert not found.regions


def test_identical_frames_are_flagged_as_published() -> None:
    random = np.random.default_rng(2)
    ref = np.kron(random.integers(0, 255, (14, 14, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    assert find(FramePair(ref, ref), METHODS["patchcore-legacy"](DSIFT)).regions
    assert not find(FramePair(ref, ref), METHODS["patchcore"](DSIFT)).regions
