"""Photos that are brighter or darker than those before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.types import Segment

NAN = float("nan")
EVEN = [100.0, 102, 99, 101, 100, 98, 101, 100, 99, 102, 100, 101, 99, 100]


def found(luma: Sequence[float], step_s: float = 3600.0) -> list[Segment]:
    frames = make_scores(len(luma)).frames
    frames = replace(frames, time_s=np.arange(len(luma)) * step_s)
    signals = {"luma_mean": np.array(luma, np.float32)}
    return DETECTORS["odd_exposure"].detect(Columns(frames, {}, {}, signals))


def put(values: dict[int, float], luma: Sequence[float] = EVEN) -> list[float]:
    return [values.get(row, value) for row, value in enumerate(luma)]


@pytest.mark.parametrize(
    ("luma", "expected"),
    [
        (EVEN, []),
        (put({6: 140}), [(6, 7, "overexposed", 140)]),
        (put({6: 60}), [(6, 7, "underexposed", 60)]),
        (put({5: 135, 6: 140}), [(5, 7, "overexposed", 140)]),
        (put({2: 140, 9: 55}), [(2, 3, "overexposed", 140), (9, 10, "underexposed", 55)]),
        (put({5: NAN, 6: 140}), [(6, 7, "overexposed", 140)]),
        (put({6: 108}), []),  # less than ten code values
    ],
)
def test_photos_that_stand_out_on_both_sides_are_flagged(
    luma: list[float], expected: list[tuple[int, int, str, float]]
) -> None:
    assert [(s.start, s.stop, s.kind, s.peak) for s in found(luma)] == expected
    assert all(s.metric == "luma_mean" and 0.5 <= s.confidence < 1 for s in found(luma))


@pytest.mark.parametrize(
    "luma",
    [
        [100.0] * 8 + [160.0] * 8,  # a lamp is switched on
        list(np.linspace(200, 20, 16)),  # dusk
        [20.0, 60, 150, 60] * 6,  # the brightest photo of each day
        [*EVEN[:6], 100.0, 140],  # the last one has no photo after it
    ],
)
def test_light_that_changes_is_not_flagged(luma: list[float]) -> None:
    assert found(luma) == []


def test_flashes_of_a_video_and_short_sequences_are_left_alone() -> None:
    assert found(put({6: 140}), step_s=0.04) == []
    assert found(put({3: 140})[:11]) == []


def test_confidence_is_that_of_the_departure() -> None:
    """Both medians are 100 and all other departures 0, so least is 10."""
    (segment,) = found([100.0] * 8 + [130.0] + [100.0] * 8)
    assert segment.confidence == pytest.approx(30 / 40)
