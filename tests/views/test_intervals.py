"""The block bootstrap: against another bootstrap, against formulas, and how often it covers the
truth."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.types import Float64
from vfiscope.views.intervals import block_length, draws, interval


def autoregressive(frames: int, alike: float, generator: np.random.Generator) -> Float64:
    """A series of mean 0 whose neighbours correlate by ``alike``."""
    noise = generator.standard_normal(frames + 200)
    series = np.zeros(frames + 200)
    for n in range(1, len(series)):
        series[n] = alike * series[n - 1] + noise[n]
    return series[200:]


def covered(frames: int, alike: float, clips: int, seed: int) -> float:
    """The share of clips whose interval holds the true mean."""
    generator = np.random.default_rng(seed)
    found = [interval([autoregressive(frames, alike, generator)]) for _ in range(clips)]
    return float(np.mean([ends is not None and ends.low <= 0 <= ends.high for ends in found]))


@pytest.mark.parametrize(
    ("frames", "length"), [(1, 1), (8, 1), (9, 2), (16, 2), (40, 5), (81, 11), (86400, 10800)]
)
def test_a_block_is_an_eighth_of_the_clip(frames: int, length: int) -> None:
    assert block_length(frames) == length


@pytest.mark.slow
def test_the_ends_are_those_of_blocks_put_together_one_by_one() -> None:
    values = autoregressive(43, 0.6, np.random.default_rng(3))
    generator = np.random.default_rng(4)
    length, means = 6, []
    for _ in range(20000):
        clip = np.concatenate(
            [np.roll(values, -s)[:length] for s in generator.integers(0, 43, size=8)]
        )
        means.append(clip[:43].mean())
    # 43 / 6 blocks: t(6.1667) at 97.5 % is 2.4322, times sqrt(7.1667 / 6.1667) is 2.6220, beyond
    # which the normal distribution has 0.4371 %
    low, high = np.percentile(means, [0.4371, 99.5629])
    ends = interval([values])
    assert ends is not None
    spread = np.std(means)
    assert ends.low == pytest.approx(low, abs=0.12 * spread)
    assert ends.high == pytest.approx(high, abs=0.12 * spread)


@pytest.mark.parametrize(
    ("frames", "alike", "least"), [(100, 0.0, 0.91), (100, 0.5, 0.89), (400, 0.8, 0.89)]
)
def test_it_covers_the_truth_about_as_often_as_it_says(
    frames: int, alike: float, least: float
) -> None:
    # of 300 clips 95 % +- 1.3 % would hold it
    assert least <= covered(frames, alike, 300, seed=11) <= 0.99


def test_drawing_frames_one_by_one_would_not() -> None:
    generator = np.random.default_rng(12)
    held = 0
    for _ in range(200):
        values = autoregressive(100, 0.8, generator)
        reach = 1.96 * values.std(ddof=1) / 10
        held += abs(values.mean()) <= reach
    assert held / 200 < 0.6
    assert covered(100, 0.8, 200, seed=12) > 0.8


def test_few_frames_have_no_interval() -> None:
    assert interval([np.arange(7.0)]) is None
    assert interval([np.arange(4.0), np.arange(3.0)]) is None
    # two scenes of four equal frames each would else be decisive by nothing but how they are
    # counted
    assert interval([np.ones(4), np.full(4, 1.1)]) is None
    assert interval([np.arange(100.0), np.arange(7.0)]) is None
    assert interval([np.arange(100.0), np.arange(8.0)]) is not None
    assert interval([np.arange(1.0)] * 7) is None
    assert interval([np.arange(1.0)] * 8) is not None
    assert interval([]) is None
    assert interval([np.arange(8.0)]) is not None


def test_the_same_values_have_the_same_interval_whatever_was_drawn_before() -> None:
    values = np.random.default_rng(0).random(50)
    first = interval([values])
    np.random.default_rng().random(1000)
    assert interval([values]) == first
    moved = interval([values + 10])
    assert first is not None
    assert moved is not None
    assert moved == pytest.approx((first.low + 10, first.high + 10))


@pytest.mark.parametrize(("frames", "ends"), [(200, 2), (200, 1), (40, 2), (9, 1)])
def test_the_mean_lies_inside_even_where_only_the_ends_are_bad(frames: int, ends: int) -> None:
    values = np.ones(frames)
    values[:ends] = values[-ends:] = -4
    found = interval([values])
    assert found is not None
    assert found.low < values.mean() < found.high


def test_every_frame_is_drawn_as_often_as_any_other() -> None:
    # of a scene of 1 at one frame and 0 elsewhere the draws lie around 1 / 20, wherever the frame
    # is
    reached = [interval([np.eye(20)[n]]) for n in range(20)]
    assert all(ends is not None and ends.low == 0 for ends in reached)
    assert len({round(20 * ends.high) for ends in reached if ends is not None}) == 1


def test_equal_values_leave_no_room() -> None:
    ends = interval([np.full(30, 2.5)])
    assert ends == pytest.approx((2.5, 2.5), abs=1e-12)


def test_of_many_scenes_whole_ones_are_drawn() -> None:
    generator = np.random.default_rng(5)
    levels = generator.standard_normal(20)
    scenes = [np.full(6, level) for level in levels]
    assert draws([len(scene) for scene in scenes]) == "scenes"
    ends = interval(scenes)
    assert ends is not None
    # scenes of equal length are 20 witnesses: t(19) = 2.093
    reach = 2.093 * levels.std(ddof=1) / np.sqrt(20)
    assert ends.low == pytest.approx(levels.mean() - reach, abs=0.12 * reach)
    assert ends.high == pytest.approx(levels.mean() + reach, abs=0.12 * reach)


def test_of_few_scenes_blocks_are_drawn_within_each() -> None:
    scenes = [np.full(40, -5.0), np.full(40, 5.0)]
    assert draws([len(scene) for scene in scenes]) == "blocks"
    assert interval(scenes) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_a_long_scene_counts_by_its_frames() -> None:
    scenes = [np.zeros(1)] * 9 + [np.ones(91)]
    ends = interval(scenes)
    assert ends is not None
    assert ends.low == pytest.approx(0.0)
    assert ends.high == pytest.approx(1.0, abs=0.02)
