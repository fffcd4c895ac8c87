"""What video detectors share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores
from scipy.ndimage import maximum_filter1d

from vfiscope.segments.detectors import Columns
from vfiscope.segments.evidence.context import context_of, highest_near, medians

NAN = float("nan")


def columns_of(step_s: float, count: int = 5) -> Columns:
    frames = replace(make_scores(count).frames, time_s=np.arange(count) * step_s)
    return Columns(frames, {}, {}, {"luma_mean": np.arange(count, dtype=np.float32)})


def test_medians_leave_out_what_is_unknown_and_outside() -> None:
    values = np.array([1.0, NAN, 3, 10, 5])
    # before: nothing; 1; 1; 3; 3, 10 -> 6.5   (two rows back, where known)
    np.testing.assert_array_equal(medians(values, (-2, -1)), [NAN, 1, 1, 3, 6.5])
    # around, without the row itself
    np.testing.assert_array_equal(medians(values, (-1, 1)), [NAN, 2, 10, 4, 10])


@pytest.mark.parametrize(("step_s", "video"), [(0.04, True), (1.0, True), (3.0, False), (0, False)])
def test_frames_that_are_seconds_apart_are_no_video(step_s: float, video: bool) -> None:
    assert context_of(columns_of(step_s)).is_video is video


def test_a_context_is_made_once_and_widens_signals() -> None:
    columns = columns_of(0.04)
    context = context_of(columns)
    assert context_of(columns) is context
    assert context.signal("luma_mean") is context.signal("luma_mean")
    assert context.signal("luma_mean").dtype == np.float64


@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("size", [1, 4, 5, 17])
def test_the_highest_near_is_that_of_scipy(count: int, size: int) -> None:
    values = np.random.default_rng(count).integers(0, 9, count).astype(np.float64)
    half = (size - 1) // 2
    np.testing.assert_array_equal(
        highest_near(values, size - 1, 0), maximum_filter1d(values, size, origin=half)
    )
    odd = 2 * half + 1
    np.testing.assert_array_equal(highest_near(values, half, half), maximum_filter1d(values, odd))
    assert len(highest_near(values[:0], half, half)) == 0
