"""Where the time of a run went, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.media import noise

import vfiscope as vs
from vfiscope.views.timing_words import (
    describe_time,
    describe_timing,
    times_reading,
    total_timings,
    with_ratio,
)

TIMINGS = {
    "seconds": 2.0,
    "fps": 5.0,
    "processor_seconds": 3.0,
    "frames": 10,
    "stages": {
        "read test": {"processor": 0.75, "wall": 1.0},
        "read ref": {"processor": 0.25, "wall": 0.5},
        "psnr": {"processor": 0.5, "wall": 0.5},
    },
}


def test_the_whole_is_compared_with_reading() -> None:
    assert times_reading(TIMINGS) == 3.0
    assert (
        describe_time(TIMINGS)
        == "2 s for 10 frames, 3 s of processor time, 3 times that of reading alone"
    )


def test_each_stage_has_its_share_and_the_rest_a_line() -> None:
    rows = [line.split() for line in describe_timing(TIMINGS)[3:]]
    assert rows == [
        ["read", "test", "75.00", "25.0%", "1.00"],
        ["read", "ref", "25.00", "8.3%", "0.50"],
        ["psnr", "50.00", "16.7%", "0.50"],
        ["elsewhere", "150.00", "50.0%"],
    ]


def test_what_happens_once_is_of_no_frame_and_not_compared_with_reading() -> None:
    once = {**TIMINGS["stages"], "compile": {"processor": 1.0, "wall": 1.25}}
    timings = {**TIMINGS, "stages": once}
    rows = [line.split() for line in describe_timing(timings)[6:]]
    assert rows == [["compile", "once", "33.3%", "1.25"], ["elsewhere", "50.00", "16.7%"]]
    assert times_reading(timings) == 2.0


def test_json_has_what_the_text_adds() -> None:
    assert with_ratio(TIMINGS) == {**TIMINGS, "elsewhere": 1.5, "times_reading": 3.0}
    assert with_ratio({}) == {"elsewhere": None, "times_reading": None}


def test_the_times_of_several_runs_add_up() -> None:
    scan = {**TIMINGS, "stages": {"read test": {"processor": 1.25, "wall": 2.0}}}
    total = total_timings([TIMINGS, scan])
    assert total == {
        "seconds": 4.0,
        "processor_seconds": 6.0,
        "frames": 20,
        "stages": {
            "read test": {"processor": 2.0, "wall": 3.0},
            "read ref": {"processor": 0.25, "wall": 0.5},
            "psnr": {"processor": 0.5, "wall": 0.5},
        },
    }
    assert describe_timing(total, "time of 2 jobs")[0].startswith("time of 2 jobs: 4 s for 20 fr")


@pytest.mark.parametrize(
    "timings",
    [
        {},
        {"seconds": 2.5, "fps": 1.0},
        {"seconds": 2.5, "processor_seconds": 2.0, "frames": None},
        {name: value for name, value in TIMINGS.items() if name != "processor_seconds"},
    ],
)
def test_a_run_that_stored_less_has_no_times(timings: dict[str, Any]) -> None:
    assert describe_time(timings) is None
    assert describe_timing(timings) == ["time: this run did not store where it went"]


def test_a_run_stores_where_its_time_went(tmp_path: Path) -> None:
    frames = noise(3, 32, 48)
    out = tmp_path / "run.h5"
    vs.score(frames, ref=frames[::-1].copy(), metrics=["psnr", "ssim"], out=out).close()
    with vs.open_run(out) as run:
        stages = run.timings["stages"]
        assert {"read test", "read ref", "pair", "psnr", "ssim", "signals", "flag"} <= set(stages)
        assert all(times["processor"] >= 0 for times in stages.values())
        assert run.timings["frames"] == 3
        assert describe_timing(run.timings)[0].startswith("time: ")
