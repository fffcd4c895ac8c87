"""Dates of image folders found by themselves, and images in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from helpers.images import folder_of
from helpers.media import column
from PIL import Image

import vfiscope as vs
from vfiscope.errors import PairingError, SourceError
from vfiscope.sources import open_source
from vfiscope.sources.images.time_order import taken
from vfiscope.types import Code, SourceInfo

QUICK = {"metrics": "psnr", "maps": "none", "fields": "none"}
MINUTE = 60
T0 = datetime(2023, 10, 29, 1, 0)


def photos(folder: Path, seconds: Sequence[float | None], names: Sequence[str] = ()) -> Path:
    """Small photos with EXIF times; without one where a time is None."""
    folder.mkdir(parents=True, exist_ok=True)
    named = names or [f"IMG_{i:04d}.jpg" for i in range(1, len(seconds) + 1)]
    for i, (second, name) in enumerate(zip(seconds, named, strict=True)):
        exif = Image.Exif()
        if second is not None:
            shown = T0 + timedelta(seconds=second)
            exif.get_ifd(0x8769)[0x9003] = shown.strftime("%Y:%m:%d %H:%M:%S")
        Image.new("RGB", (8, 8), (9 * i % 256, 90, 90)).save(folder / name, exif=exif)
    return folder


def codes(info: SourceInfo) -> set[str]:
    return {note.code for note in info.notes}


# --- found without an option
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            [f"{1585746033 + 10800 * i}.png" for i in range(3)],
            "taken from 2020-04-01 13:00:33 to 2020-04-01 19:00:33 (by their names), every 3 h",
        ),
        (
            [f"2024-02-{day}.png" for day in (27, 28, 29)] + ["2024-03-01.png"],
            "taken from 2024-02-27 00:00 to 2024-03-01 00:00 (by their names), every 1 d",
        ),
        (
            [f"door_20240501_{hour}{minute}.png" for hour in (12, 13) for minute in ("00", "30")],
            "taken from 2024-05-01 12:00 to 2024-05-01 13:30 (by their names), every 30 min",
        ),
        (  # from midnight
            [f"20240501_{i:06d}.png" for i in (0, 500, 1000)],
            "taken from 2024-05-01 00:00 to 2024-05-01 00:10 (by their names), every 5 min",
        ),
        (  # every second
            [f"20240501_{i}.png" for i in (143057, 143058, 143059, 143100)],
            "taken from 2024-05-01 14:30:57 to 2024-05-01 14:31 (by their names), every 1 s",
        ),
        (
            [f"{1714557600000 + 40 * i}.png" for i in range(4)],
            "taken from 2024-05-01 10:00 to 2024-05-01 10:00:00 (by their names), every 0.04 s",
        ),
    ],
)
def test_dates_in_names_are_found(tmp_path: Path, names: list[str], words: str) -> None:
    folder_of(tmp_path, names)
    with open_source(tmp_path) as source:
        assert source.info.times_from == "name"
        assert str(source.info.notes[0]) == words


@pytest.mark.parametrize(
    "names",
    [
        [f"{i:010d}.png" for i in range(3)],  # numbers with ten digits
        [f"take_20240501_{i:04d}.png" for i in range(1, 4)],  # a date and a counter
        [f"20240501_{i:06d}.png" for i in range(3)],
        [f"cam1_20240501_{i:06d}.png" for i in range(100, 130)],  # part of a sequence
        [f"cam1_2024-05-01_{i:06d}.png" for i in (5, 6, 7, 9, 10)],  # one is missing
        [f"2024050{i}_{i + 20:04d}.png" for i in range(1, 5)],  # counted on over days
        ["20240501_a.png", "20240501_b.png"],  # one date for all
        ["2024-05-01.png", "2024-05-02.png", "map.png"],
        ["2024050100.png", "2024050101.png"],  # a date with an hour, and not the year 2034
        ["100000001.png", "100000002.png"],  # 1973
        ["20241301.png", "20241401.png"],  # no such month
    ],
)
def test_other_numbers_are_no_dates(names: list[str]) -> None:
    assert taken(tuple(names), None) == (tuple(names), None, "", ())


def test_exif_is_found_before_names_and_both_may_be_left_out(tmp_path: Path) -> None:
    names = [f"{1585746033 + 60 * i}.jpg" for i in range(3)]
    photos(tmp_path, [0, 10, 30], names)
    for how, found, seconds in (
        (None, "exif", [0, 10, 30]),
        ("name", "name", [0, 60, 120]),
        ("fps", "", [0, 0.04, 0.08]),
    ):
        with open_source(tmp_path, time_from=how) as source:
            assert source.info.times_from == found
            assert column(source, "time_s") == seconds


def test_who_states_a_rate_wants_images_counted(tmp_path: Path) -> None:
    photos(tmp_path, [0, 10, 30])
    with open_source(tmp_path, fps=25.0) as source:
        assert source.info.times_from == ""
    with open_source(tmp_path, fps=10.0) as source:
        assert column(source, "time_s") == [0, 0.1, 0.2]
    with open_source(tmp_path, fps=10.0, time_from="exif") as source:
        assert column(source, "time_s") == [0, 10, 30]


def test_photos_without_exif_among_others_are_counted(tmp_path: Path) -> None:
    with open_source(photos(tmp_path, [0, None, 20])) as source:
        assert (source.info.times_from, codes(source.info)) == ("", {Code.NOT_DATED})
    with pytest.raises(SourceError, match=r"IMG_0002\.jpg has no EXIF time"):
        open_source(tmp_path, time_from="exif")


def test_a_clock_that_was_never_set_tells_nothing(tmp_path: Path) -> None:
    with open_source(photos(tmp_path, [0, 0, 0])) as source:
        assert (source.info.times_from, source.info.notes) == ("", ())


def test_times_after_a_stop_are_not_looked_for(tmp_path: Path) -> None:
    photos(tmp_path, [0, 10, 20, None, None])
    with open_source(tmp_path, stop=2) as source:
        assert column(source, "time_s") == [0, 10]
        assert source.frames_at([4]).index.tolist() == [4]


@pytest.mark.parametrize(
    ("start", "stop", "span"),
    [
        (0, 3, (0, 70)),
        (1, 4, (10, 80)),
        ("20s", 4, (20, 80)),
        (1, "75s", (10, 75)),
        (2, None, (20, 100)),
        (0, 9, (0, 100)),
    ],
)
def test_a_span_is_that_of_the_known_times(
    tmp_path: Path, start: Any, stop: Any, span: tuple[float, float]
) -> None:
    photos(tmp_path, [0, 10, 20, 70, 80, 100])
    with open_source(tmp_path, start=start, stop=stop) as source:
        assert source.span_s == span
        known = source.info.duration_s
    assert known == (None if stop in (3, 4) else 100)


# --- order
@pytest.mark.parametrize(
    ("seconds", "order"),
    [
        ([30, 0, 10], [1, 2, 0]),
        ([0, 50, 50, 20], [0, 3, 1, 2]),
        ([10, 10, 0, 0], [2, 3, 0, 1]),
    ],
)
def test_asked_for_times_images_are_in_their_order(
    tmp_path: Path, seconds: list[float], order: list[int]
) -> None:
    photos(tmp_path, seconds)
    named = [f"IMG_{i + 1:04d}.jpg" for i in order]
    with open_source(tmp_path, time_from="exif") as source:
        assert [Path(file).name for file in source.info.files] == named
        times = column(source, "time_s")
        assert Code.READ_BY_TIME in codes(source.info)
    assert times == sorted(set(times))
    with vs.scan(str(tmp_path), time_from="exif", **QUICK) as run:
        assert (list(run.names), run.status) == (named, "ok")


def test_names_that_disagree_with_times_are_warned_of(tmp_path: Path) -> None:
    photos(tmp_path, [30, 0, 10])
    with vs.scan(str(tmp_path), **QUICK) as run:
        assert run.frames.time_s.tolist() == [0, 0.04, 0.08]
        (warning,) = run.warnings
    assert "IMG_0002.jpg (2023-10-29 01:00) comes after IMG_0001.jpg" in warning
    assert "pass --time-from exif" in warning


def test_a_prefix_before_the_date_disagrees_too(tmp_path: Path) -> None:
    folder_of(tmp_path, ["a_20240503.png", "a_20240504.png", "b_20240501.png"])
    with open_source(tmp_path) as source:
        assert codes(source.info) == {Code.NAMES_AGAINST_TIMES}
    with open_source(tmp_path, time_from="name") as source:
        assert Path(source.info.files[0]).name == "b_20240501.png"


def test_the_order_of_time_is_refused_beside_a_reference(tmp_path: Path) -> None:
    photos(tmp_path / "a", [30, 0])
    photos(tmp_path / "b", [0, 30])
    with pytest.raises(PairingError, match="in another order by time than by name"):
        vs.score(str(tmp_path / "a"), ref=str(tmp_path / "b"), time_from="exif", **QUICK)
    with vs.score(str(tmp_path / "b"), ref=str(tmp_path / "a"), **QUICK) as run:
        assert run.frames.time_s.tolist() == [0, 0.04]  # counted on both sides


# --- shared times, steps of an hour, unreadable files
@pytest.mark.parametrize(
    ("seconds", "times", "shared"),
    [
        ([0, 0, 1, 1], [0, 0.5, 1, 1.5], 2),
        ([0, 0, 0, 0, 60], [0, 0.25, 0.5, 0.75, 60], 3),
        ([0, 10, 10], [0, 10, 10.5], 1),
    ],
)
def test_shared_times_are_spread_within_their_second(
    tmp_path: Path, seconds: list[float], times: list[float], shared: int
) -> None:
    with open_source(photos(tmp_path, seconds)) as source:
        assert column(source, "time_s") == times
        (note,) = [note for note in source.info.notes if note.code == Code.TIMES_SHARED]
    assert note.values == {"count": shared}


@pytest.mark.parametrize("step", [10, 30, 60])
def test_the_end_of_summer_time_is_taken_out_and_said(tmp_path: Path, step: int) -> None:
    """With steps of an hour the clock shows one time twice."""
    shown = [step * MINUTE * i - (3600 if i >= 2 else 0) for i in range(10)]
    with open_source(photos(tmp_path, shown)) as source:
        assert column(source, "time_s") == [step * MINUTE * i for i in range(10)]
        (note,) = [note for note in source.info.notes if note.code == Code.CLOCK_WENT_BACK]
    assert note.values["row"] == 2


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        ("2023-11-05", True),  # America
        ("2024-04-07", True),  # Australia
        ("2023-10-28", False),  # a Saturday
        ("2023-07-02", False),
    ],
)
def test_one_time_twice_an_hour_apart_is_the_clock_only_in_some_nights(
    day: str, ends: bool
) -> None:
    names = tuple(f"{day}_{hour:02}-00{end}.png" for hour in range(6) for end in ("", "b"))
    copied = tuple(name for name in names if "b" not in name or "_01" in name)
    found = taken(copied, "name")
    hours = [0, 1, 2, 3, 4, 5, 6] if ends else [0, 1, 1 + 0.5 / 3600, 2, 3, 4, 5]
    assert found.moments is not None
    assert [(each - found.moments[0]) / 3.6e9 for each in found.moments] == pytest.approx(hours)
    assert (Code.CLOCK_WENT_BACK in [note.code for note in found.notes]) == ends
    assert (Code.TIMES_SHARED in [note.code for note in found.notes]) == (not ends)


def test_an_hour_more_is_said_and_left(tmp_path: Path) -> None:
    shown = [30 * MINUTE * i + (3600 if i >= 4 else 0) for i in range(8)]
    with open_source(photos(tmp_path, shown)) as source:
        assert column(source, "time_s") == shown
        assert Code.CLOCK_WENT_FORWARD in codes(source.info)


def test_an_hour_back_in_an_uneven_sequence_is_a_disagreement(tmp_path: Path) -> None:
    shown = [0, 700, 3000, 3100, 1000, 5000]
    with open_source(photos(tmp_path, shown)) as source:
        assert codes(source.info) == {Code.NAMES_AGAINST_TIMES}


@pytest.mark.parametrize("how", [None, "exif"])
@pytest.mark.parametrize(
    ("broken", "times"),
    [([2], [0, 10, 20, 30, 40]), ([1, 2], [0, 10, 20, 30, 40]), ([0, 4], [0, 10, 20, 30, 40])],
)
def test_an_unreadable_file_keeps_its_row_between_its_neighbours(
    tmp_path: Path, how: str | None, broken: list[int], times: list[float]
) -> None:
    photos(tmp_path, [0, 10, 20, 30, 40])
    for i in broken:
        (tmp_path / f"IMG_{i + 1:04d}.jpg").write_bytes(b"" if i % 2 else b"\xff\xd8 no photo")
    with open_source(tmp_path, time_from=how) as source:
        assert source.info.times_from == "exif"
        assert column(source, "time_s") == times
        assert source.counts.unreadable == len(broken)


# --- pauses
@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (  # three photos a day, for three days
            [86400 * day + 3 * 3600 * i for day in range(3) for i in range(3)],
            "every 3 h, with 2 night gaps of 18 h",
        ),
        (  # a step of a minute, and a weekend without work
            [60 * i for i in range(20)] + [230400 + 60 * i for i in range(20)],
            "every 1 min, with 1 pause of 2 d 16 h",
        ),
        ([86400 * i for i in (0, 1, 2, 4, 5, 6)], "every 1 d"),  # a day is missing
        ([86400 * i for i in (0, 1, 2, 9, 10, 11)], "every 1 d, with 1 pause of 7 d"),
        (  # bursts through one morning are no nights
            [600 * burst + i for burst in range(3) for i in range(4)],
            "every 1 s, with 2 pauses of 9 min 57 s",
        ),
    ],
)
def test_pauses_are_told_from_usual_steps(tmp_path: Path, seconds: list[float], words: str) -> None:
    folder_of(tmp_path, [f"{1585746000 + second}.png" for second in seconds])
    with open_source(tmp_path) as source:
        assert str(source.info.notes[0]).partition("names), ")[2] == words
