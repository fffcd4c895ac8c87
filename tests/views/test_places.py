"""Where frames and ranges are, in words: on the screen, in JSON, over pictures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vfiscope as vs
from vfiscope import synth
from vfiscope.cli.messages import describe
from vfiscope.views.places import clock, date, frame_place, range_place


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.000 s"),
        (1.958, "1.958 s"),
        (59.9994, "59.999 s"),
        (60, "0:01:00.000"),
        (119.9996, "0:02:00.000"),
        (3661.5, "1:01:01.500"),
        (788400, "219:00:00.000"),
        (-61, "-0:01:01.000"),
    ],
)
def test_a_time_is_seconds_up_to_a_minute_and_a_clock_from_there_on(
    seconds: float, said: str
) -> None:
    assert clock(seconds) == said


def test_a_date_has_seconds_where_there_are_some() -> None:
    assert date("2020-04-10T16:00:00+00:00") == "2020-04-10 16:00"
    assert date("2020-04-10T16:00:33+00:00") == "2020-04-10 16:00:33"


def segment(**more: Any) -> dict[str, Any]:
    return {"start_time_s": 0.48, "stop_time_s": 0.6, **more}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (segment(), "0.480..0.600 s"),
        (segment(start_time_s=59.5, stop_time_s=60.5), "59.500 s..0:01:00.500"),
        (segment(start_time_s=3600, stop_time_s=3601), "1:00:00.000..1:00:01.000"),
        (segment(start_name="40.jpg", stop_name="44.jpg"), "40.jpg..44.jpg"),
        (segment(start_name="40.jpg", stop_name="40.jpg"), "40.jpg"),
        (segment(start_name="a\nb", stop_name="a\nb"), "a\ufffdb"),
        (
            segment(
                start_name="a.jpg",
                stop_name="b.jpg",
                start_at="2020-04-10T16:00:00+00:00",
                stop_at="2020-04-11T01:00:00+00:00",
            ),
            "a.jpg..b.jpg, 2020-04-10 16:00..2020-04-11 01:00",
        ),
    ],
)
def test_a_range_is_said_by_files_and_dates_where_it_has_them(
    found: dict[str, Any], said: str
) -> None:
    assert range_place(found) == said


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten photos an hour apart from 2020-04-10 16:00 UTC on, of which the sixth and seventh are
    white."""
    frames = np.repeat(synth.Scene(48, 64, seed=4).clip(1).frames, 10, axis=0)
    frames[5:7] = 255
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{1586534400 + 3600 * number}.png")
    return tmp_path


LEAN: dict[str, Any] = {"metrics": "ssim", "maps": "none", "fields": "none", "flag": ["ssim < 0.9"]}


def test_segments_of_photos_have_the_names_of_their_first_and_last_file_and_when_they_were_taken(
    photos: Path,
) -> None:
    with vs.scan(photos, golden=0, time_from="name", **LEAN) as run:
        summary = run.summary()
        (found,) = [each for each in summary["segments"] if each["rule"]]
        assert frame_place(run, 5) == "1586552400.png, 2020-04-10 21:00"
        assert run.moment(0) == datetime.fromtimestamp(1586534400, UTC).isoformat()
    assert {key: found[key] for key in ("start", "stop", "start_time_s", "stop_time_s")} == {
        "start": 5,
        "stop": 7,
        "start_time_s": 5 * 3600,
        "stop_time_s": 7 * 3600,
    }
    assert (found["start_name"], found["stop_name"]) == ("1586552400.png", "1586556000.png")
    assert (found["start_at"], found["stop_at"]) == (
        "2020-04-10T21:00:00+00:00",
        "2020-04-10T22:00:00+00:00",
    )
    lines = describe(summary).splitlines()
    said = (
        "  [5, 7)  1586552400.png..1586556000.png, 2020-04-10 21:00..2020-04-10 22:00  low_score "
        " ssim "
    )
    assert any(line.startswith(said) for line in lines)


def test_segments_of_photos_without_times_have_names_alone_and_those_of_arrays_neither(
    photos: Path,
) -> None:
    with vs.scan(photos, golden=0, start=2, step=2, time_from="fps", **LEAN) as run:
        (found,) = [each for each in run.summary()["segments"] if each["rule"]]
        assert (found["start"], found["start_name"], found["stop_name"]) == (
            6,
            "1586556000.png",
            "1586556000.png",
        )
        assert "start_at" not in found
        assert run.moment(0) is None
        assert frame_place(run, 2) == "1586556000.png"
        assert any(
            "  [6, 7)  1586556000.png  low_score" in line
            for line in describe(run.summary()).splitlines()
        )
    frames = np.repeat(synth.Scene(48, 64, seed=4).clip(1).frames, 10, axis=0)
    frames[5:7] = 255
    with vs.scan(frames, golden=0, **LEAN) as run:
        (found,) = [each for each in run.summary()["segments"] if each["rule"]]
        assert "start_name" not in found
        assert frame_place(run, 5) == "frame 5, 0.200 s"
