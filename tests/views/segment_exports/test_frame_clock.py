"""The rate of frames from their times, and their places."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.segment_runs import found, ntsc, segment_run

from vfiscope.errors import StoreError
from vfiscope.views.segment_exports.frame_clock import FrameClock, clock_of

MS = Fraction(1, 1000)
FILM = Fraction(24000, 1001)


def clock(folder: Path, ticks: list[int], time_base: Fraction, **how: Any) -> FrameClock:
    with segment_run(folder, ticks=ticks, time_base=time_base, **how) as run:
        return clock_of(run)


def rounded(rate: Fraction, frames: int, time_base: Fraction, up: Fraction = Fraction(1, 2)) -> Any:
    """Times of frames in whole ticks: to the nearest, or down with ``up=0``."""
    return [int(n / rate / time_base + up) for n in range(frames)]


@pytest.mark.parametrize(
    ("rate", "time_base", "frames"),
    [
        ("24000/1001", "1/24000", 5),  # MP4: exact
        ("24000/1001", "1/1000", 60),  # Matroska: whole milliseconds
        ("24", "1/1000", 60),
        ("30000/1001", "1/1000", 60),
        ("60000/1001", "1/90000", 60),  # a transport stream: 1501.5 ticks
        ("24000/1001", "1/90000", 60),
        ("25/2", "1/12800", 9),
        ("29", "1/29", 9),  # AVI: ticks are frames
        ("23", "1/11776", 9),
    ],
)
def test_the_rate_is_read_from_the_times(
    tmp_path: Path, rate: str, time_base: str, frames: int
) -> None:
    ticks = rounded(Fraction(rate), frames, Fraction(time_base))
    made = clock(tmp_path, ticks, Fraction(time_base), first=7)
    assert (made.constant, made.rate) == (True, Fraction(rate))
    np.testing.assert_array_equal(made.places, np.arange(frames))
    assert made.end == frames
    assert made.seconds(3) == 3 / Fraction(rate)


def test_times_that_were_rounded_before(tmp_path: Path) -> None:
    ticks = [90 * tick for tick in rounded(FILM, 60, MS, up=Fraction(0))]
    assert clock(tmp_path, ticks, Fraction(1, 90_000)).rate == FILM


@pytest.mark.parametrize("claim", ["24000/1001", "24"])
def test_where_times_do_not_tell_the_container_does(tmp_path: Path, claim: str) -> None:
    told = {"frames_per_second": claim}
    assert clock(tmp_path, [0, 42, 83], MS, test=told).rate == Fraction(claim)


@pytest.mark.parametrize("claim", ["30", "90000", "0", "-1", "1/0", "none", None])
def test_claims_that_do_not_fit_are_left_aside(tmp_path: Path, claim: str | None) -> None:
    ticks = rounded(FILM, 60, MS)
    assert clock(tmp_path, ticks, MS, test={"frames_per_second": claim}).rate == FILM


def test_a_frame_alone_has_the_rate_that_is_claimed(tmp_path: Path) -> None:
    told = {"frames_per_second": "30000/1001"}
    alone = clock(tmp_path, [0], MS, test=told)
    assert (alone.rate, alone.end, alone.constant) == (Fraction(30000, 1001), 1, True)
    assert not clock(tmp_path, [0], MS).constant


def test_missing_frames_leave_places_empty(tmp_path: Path) -> None:
    places = [0, 1, 2, 5, 6, 7, 8]  # two were dropped by the recorder
    made = clock(tmp_path, [1001 * place for place in places], Fraction(1, 30_000))
    assert (made.constant, made.rate) == (True, Fraction(30000, 1001))
    assert [made.at(n) for n in range(8)] == [*places, 9]
    assert made.span(found(2, 4)) == (2, 6)


def test_varying_times_are_kept_in_ticks(tmp_path: Path) -> None:
    made = clock(tmp_path, [0, 40, 85, 120, 171, 200, 243], MS, first=-40)
    assert (made.constant, made.unit, made.usual) == (False, MS, 42)
    assert [made.at(n) for n in (0, 2, 6, 7)] == [0, 85, 243, 285]
    assert made.seconds(made.at(4)) == Fraction(171, 1000)


def test_times_that_go_back_are_no_rate(tmp_path: Path) -> None:
    made = clock(tmp_path, [0, 40, 80, 60, 100], MS)
    assert not made.constant
    assert made.span(found(2, 3)) == (80, 81)


def test_times_beyond_counting_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"run\.h5 has presentation times that contradict"):
        clock(tmp_path, [0, 2**60], Fraction(1, 10**9))


@pytest.mark.parametrize("seek", [True, False])
def test_start_and_step_count_the_frames_of_the_clip(tmp_path: Path, seek: bool) -> None:
    made = clock(tmp_path, **ntsc(40), rows=[10, 13, 16, 19], first=900, seek=seek)
    assert made.rate == Fraction(30000, 1001)
    assert [made.at(n) for n in (10, 11, 16, 20)] == [10, 11, 16, 20]
    assert made.end == (40 if seek else 20)


def test_images_are_counted_at_their_rate(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(5)]
    counted = clock(tmp_path, list(range(5)), Fraction(1, 12), names=names)
    assert (counted.rate, counted.stated, counted.end) == (12, True, 5)
    hours = [3_600_000_000 * n for n in (0, 1, 2, 14, 15)]
    taken = clock(tmp_path, hours, Fraction(1, 10**6), names=names, config={"fps": 12.5})
    assert (taken.rate, taken.at(4), taken.stated) == (Fraction(25, 2), 4, True)
