"""Levels of a frame against its partner, or against what the real frames around it predict."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.between import between, frames, score
from numpy.typing import NDArray

from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.types import Pairs, Status


def flat(*colour: float, dtype: type = np.uint8) -> NDArray[np.uint16]:
    return np.full((32, 48, 3), colour, dtype)


def levels(pairs: Pairs) -> NDArray[np.float64]:
    return np.array([score(pairs, name) for name in LEVEL_METRICS]).T


def test_levels_are_those_of_bt_601() -> None:
    shown, expected = [flat(108, 108, 108), flat(110, 100, 100), flat(100, 100, 95)], []
    for red, green, blue in ((8, 8, 8), (10, 0, 0), (0, 0, -5)):
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        expected.append([luma, (blue - luma) / 1.772, (red - luma) / 1.402])
    grey = flat(100, 100, 100)
    np.testing.assert_allclose(levels(between(grey, shown, grey)), expected, atol=1e-4)
    deep = [each.astype(np.uint16) * 257 for each in (grey, *shown)]
    found = levels(between(deep[0], deep[1:], deep[0], depth=16))
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("phase", "predicted"), [(0.5, 120), (0.25, 110), (np.nan, 120)])
def test_a_fade_is_predicted_at_its_instant(phase: float, predicted: int) -> None:
    before, after = flat(100, 100, 100), flat(140, 140, 140)
    shown = [flat(*[predicted + off] * 3) for off in (0, 3, -2)]
    found = levels(between(before, shown, after, phase=phase))
    np.testing.assert_allclose(found[:, 0], [0, 3, -2], atol=1e-4)
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-4)


def test_the_partner_counts_before_the_frames_around() -> None:
    grey = flat(100, 100, 100)
    pairs = between(grey, [flat(104, 104, 104)], grey, ref=flat(103, 103, 103))
    assert score(pairs, "level_y") == pytest.approx([1.0])
    alone = Pairs(frames([grey]), frames([flat(97, 97, 97)]))
    assert score(alone, "level_y") == pytest.approx([3.0])
    assert np.isnan(score(Pairs(frames([grey]), None), "level_y")).all()


def test_identical_frames_have_exactly_the_same_level_and_unreadable_ones_none() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    pairs = between(noise, [noise, noise], noise, phase=1 / 3)
    assert not levels(pairs).any()
    assert pairs.around is not None
    pairs.around.after.status[1] = Status.UNREADABLE
    unseen = Pairs(pairs.test, None, around=pairs.around, phase=pairs.phase)
    assert np.isnan(levels(unseen)).any(axis=1).tolist() == [False, True]
