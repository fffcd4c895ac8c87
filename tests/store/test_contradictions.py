"""A result of somebody else is checked once, when it is opened: what cannot be true, or is more
than the file can hold, is refused in one line; and whatever the writer writes opens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers import hostile
from helpers.edits import spoil
from helpers.hostile import attribute, entry, row, segments
from helpers.results import (
    SEGMENT,
    finish,
    make_header,
    make_scores,
    segments_result,
    store_segments,
    write,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vfiscope.errors import StoreError
from vfiscope.store import Run, Writer
from vfiscope.store.contradictions import MAX_TABLE_ROWS
from vfiscope.types import FrameTable, MetricSpec, Role, Scores, Segment

ROWS = 100
DEEP = "[" * 5000 + "]" * 5000

KINDS: dict[str, hostile.Edit] = {
    "config is a list": attribute("config", [1]),
    "options are lists": entry("config", start=[1], stop={"a": 1}),
    "rules are a text": entry("config", flag="ssim < 0.9"),
    "rules are numbers": entry("config", flag=[1, 2]),
    "two thousand rules": entry("config", flag=["ssim < 0.9"] * 2000),
    "embedder is a text": attribute("embedder", '"x"'),
    "sources are numbers": attribute("sources", [1, 2]),
    "no sources": attribute("sources", []),
    "source without a path": attribute("sources", [{"role": "test"}]),
    "source of no width": entry("sources", width=0),
    "colour is a text": entry("sources", color="bt709"),
    "crop is a number": entry("sources", crop=5),
    "crop of one number": entry("sources", crop=[1]),
    "crop is a text": entry("sources", crop="ab"),
    "crop is an object": entry("sources", crop={"a": 1}),
    "crop starts before 0": entry("sources", width=64, height=48, crop=[-1, 0, 9, 9]),
    "crop of no height": entry("sources", width=64, height=48, crop=[0, 0, 9, 0]),
    "crop beyond the frame": entry("sources", width=64, height=48, crop=[9, 0, 56, 48]),
    "times are from a list": entry("sources", times_from=["exif"]),
    "fewer frames than none": entry("sources", frames_unreadable=-1),
    "seconds are a text": attribute("timings", {"seconds": "a"}),
    "seconds are negative": attribute("timings", {"seconds": -1}),
    "seconds are endless": attribute("timings", {"seconds": 1e308}),
    "lag is a text": entry("pairing", lag="one"),
    "notes are an object": attribute("notes", {"a": 1}),
    "notes are numbers": attribute("notes", [1]),
    "warnings are nested": attribute("warnings", [["a"]]),
    "versions are a text": attribute("versions", '"1.0"'),
    "a number that is none": attribute("timings", '{"fps": NaN}'),
    "a number beyond 64 bits": attribute("config", '{"lag": 1' + "0" * 400 + "}"),
    "a number beyond a float": attribute("config", '{"lag": 1e999}'),
    "nested deeply": attribute("config", '{"a": ' + DEEP + "}"),
    "nested beyond use": attribute("config", '{"a": ' + DEEP[4950:5050] + "}"),
    "a text of five megabytes": attribute("notes", ["x" * 5_000_000]),
    "several values": lambda h5: h5.attrs.create("notes", ["[]", "[]"]),
    "created is no time": attribute("created", "yesterday"),
}


@pytest.fixture
def changed(result: Path) -> Callable[[hostile.Edit], Path]:
    def change(edit: hostile.Edit) -> Path:
        spoil(edit)(result)
        return result

    return change


def refused(path: Path, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        Run(path)
    message = str(caught.value)
    assert str(path) in message
    assert len(message.splitlines()) == 1
    assert len(message) < 1000


@pytest.mark.parametrize("case", KINDS)
def test_attributes_are_of_the_kind_that_readers_rely_on(
    changed: Callable[[hostile.Edit], Path], case: str
) -> None:
    refused(changed(KINDS[case]), "the file is damaged")


CONTRADICTIONS: dict[str, tuple[hostile.Edit, str]] = {
    "a time is NaN": (row("frames/time_s", np.nan, 7), r"time_s\[7\] is nan"),
    "all times are NaN": (row("frames/time_s", np.nan), r"time_s\[0\] is nan"),
    "a time is infinite": (row("frames/time_s", -np.inf, 0), r"time_s\[0\] is -inf"),
    "a time is enormous": (row("frames/time_s", 1e308, 99), r"time_s\[99\] is 1e\+308"),
    "times run backwards": (
        row("frames/time_s", np.arange(100.0)[::-1]),
        r"time_s\[1\] is 98, which contradicts",
    ),
    "a time goes back once": (row("frames/time_s", 0.0, 50), r"time_s\[50\] is 0"),
    "ordinals are negative": (row("frames/index", np.arange(100) - 10), r"index\[0\] is -10"),
    "ordinals repeat": (row("frames/index", 5, 6), r"index\[6\] is 5"),
    "ordinals run backwards": (row("frames/index", np.arange(100)[::-1]), r"index\[1\] is 98"),
    "a partner before the first": (row("frames/ref_index", -99, 3), r"ref_index\[3\] is -99"),
    "a phase before 0": (row("frames/phase", -7.0, 2), r"phase\[2\] is -7"),
    "a phase after 1": (row("frames/phase", 1.5, 4), r"phase\[4\] is 1.5"),
    "a segment of other frames": (segments(start=100, stop=900), "segment 0 .*contradicts"),
    "a segment of negative frames": (segments(start=-5, stop=-1), r"start -5, stop -1"),
    "a segment that ends first": (segments(start=5, stop=2), r"start 5, stop 2"),
    "a confidence beyond 1": (segments(confidence=1e300), r"confidence 1e\+300"),
    "a confidence that is none": (segments(confidence=np.nan), "confidence nan"),
    "a peak outside": (segments(peak_index=12), "peak_index 12"),
    "a segment without times": (segments(start_time_s=np.nan), "start_time_s nan"),
    "a range that is none": (
        lambda h5: h5["scores/ssim"].attrs.create("low", 2.0),
        "ssim has the range 2 to 1",
    ),
    "an identity that no score can have": (
        lambda h5: h5["scores/ssim"].attrs.create("identity", 1e308),
        r"the identity 1e\+308",
    ),
    "an ordinal beyond counting": (
        row("frames/index", np.arange(100) + 2**62),
        r"index\[0\] is 4\.61169e\+18",
    ),
    "a floor below 0": (
        lambda h5: h5["scores/ssim"].attrs.create("floor", -1.0),
        "the floor -1",
    ),
    "cells outside of the frame": (
        lambda h5: [
            h5.attrs.create("frame_height", 9),
            h5.attrs.create("frame_width", 9),
            *(
                h5["maps/mismatch"].attrs.create(name, 1e300)
                for name in ("top", "left", "cell_height", "cell_width")
            ),
        ],
        "the file is damaged",
    ),
    "an exact time of nothing": (
        lambda h5: h5["frames/pts"].attrs.create("time_base_den", 0),
        "the file is damaged",
    ),
    "a name with an escape code": (
        lambda h5: h5["scores"].move("ssim", "ss\x1b[2Jim"),
        r"scores have the name 'ss\\x1b\[2Jim'",
    ),
    "no frames": (hostile.no_rows, "holds no frames"),
    "rows without data": (hostile.unwritten_rows, "claims 156250 chunks and holds 0"),
    "hundreds of scores": (hostile.many_scores, "there are 302 scores: 256 is the limit"),
    "more segments than any run has": (
        segments(count=MAX_TABLE_ROWS + 1),
        f"has {MAX_TABLE_ROWS + 1} rows, more than {MAX_TABLE_ROWS}",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_cannot_be_true_is_refused(changed: Callable[[hostile.Edit], Path], case: str) -> None:
    edit, words = CONTRADICTIONS[case]
    refused(changed(edit), words)


def test_one_text_cannot_be_read_many_times(result: Path) -> None:
    spoil(hostile.long_names)(result)
    hostile.repeat_first_reference(result, "frames/name")
    small = bytearray(result.read_bytes())
    refused(result, "claims 20[0-9]{6,} bytes of data and has [0-9]+: do not trust it")
    assert len(small) < 100 * 2**21


@pytest.mark.parametrize("column", ["start", "kind"])
def test_a_table_whose_columns_differ_in_length_is_refused(result: Path, column: str) -> None:
    with h5py.File(result, "r+") as h5:
        dtype = h5["segments"][column].dtype
        rows = h5["segments/stop"].shape[0]
        assert rows
        del h5["segments"][column]
        h5["segments"].create_dataset(column, (0,), dtype)
    refused(result, f"the columns of /segments have from 0 to {rows} rows")


def test_a_chunk_that_is_too_small_for_its_data_is_refused(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        del h5["maps/mismatch"]
        made = h5["maps"].create_dataset(
            "mismatch", (100, 2048, 2048), "<f2", chunks=(64, 2048, 2048), compression="gzip"
        )
        for start in (0, 64):
            made.id.write_direct_chunk((start, 0, 0), b"x" * 1000)
    refused(result, "claims chunks of 536870912 bytes, which the file cannot hold")


def test_texts_are_cleaned_and_cut_when_they_are_read(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        segments(kind=hostile.ESCAPES, rule="=cmd|'/c calc'!A1")(h5)
        h5.attrs["notes"] = json.dumps([hostile.ESCAPES, "n" * 2_000_000])
        h5.attrs["status"] = h5.attrs["mode"] = hostile.ESCAPES
        h5["scores/ssim"].attrs["description"] = h5["scores/ssim"].attrs["unit"] = "\x1b\n"
        h5["frames"].create_dataset("name", data=["a\x1b.png"] * ROWS, dtype=h5py.string_dtype())
    with Run(result) as run:
        assert run.segments[0].kind.isprintable()
        assert run.segments[0].rule == "=cmd|'/c calc'!A1"
        assert run.notes == [run.notes[0], "n" * 1000 + "… (cut, of 2000000 characters)"]
        assert run.notes[0].isprintable()
        assert run.status.isprintable()
        assert run.mode.isprintable()
        assert run.specs["ssim"].unit == run.specs["ssim"].description == "\ufffd\ufffd"
        assert run.names == ("a\ufffd.png",) * ROWS


def test_times_may_go_back_where_the_exact_times_do(tmp_path: Path) -> None:
    """Joined videos begin again at 0."""
    scores = make_scores(20)
    frames = scores.frames
    for column in (frames.pts, frames.time_s):
        column[10:] -= column[10]
    path = write(tmp_path / "a.h5", scores)
    with Run(path) as run:
        assert run.frames.time_s[10] == 0
        assert run.frames.time_s.tolist() == frames.time_s.tolist()


@pytest.mark.parametrize(
    ("column", "at", "value"),
    [("time_s", 3, np.nan), ("index", 3, 2), ("ref_index", 0, -2), ("phase", 1, 2.0)],
)
def test_rows_that_would_not_open_are_not_written(
    tmp_path: Path, column: str, at: int, value: float
) -> None:
    scores = make_scores(10)
    getattr(scores.frames, column)[at] = value
    with (
        Writer(tmp_path / "a.h5", make_header()) as writer,
        pytest.raises(StoreError, match=rf"/frames/{column}\[{at}\] is"),
    ):
        writer.append(scores)


def test_rows_that_do_not_follow_are_not_written(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_scores(10))
        writer.append(make_scores(10))
        with pytest.raises(StoreError, match=r"/frames/index\[10\] is 0"):
            finish(writer)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"config": {"flag": "psnr < 1"}}, "the rules are not a list"),
        ({"config": {"lag": 10**30}}, "not a number of 64 bits"),
        ({"sources": [{"role": "test"}]}, r"sources\[0\]\['path'\]: field required"),
        ({"metrics": {"a\nb": make_header().metrics["ssim"]}}, "scores have the name"),
    ],
)
def test_a_header_that_would_not_open_is_refused_at_once(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    writer = Writer(tmp_path / "a.h5", make_header(**change))
    with pytest.raises(StoreError, match=words), writer:
        pass
    assert list(tmp_path.iterdir()) == []


def test_segments_that_would_not_open_are_not_stored(result: Path) -> None:
    outside = Segment(**{**vars(SEGMENT), "stop": 900})
    with pytest.raises(StoreError, match=r"segment 0 .*stop 900"):
        store_segments(result, [outside], [])
    with pytest.raises(StoreError, match="pass fewer and shorter ones"):
        store_segments(result, [SEGMENT], ["psnr < 1"] * 1001)
    with Run(result) as run:
        assert run.segments == [SEGMENT]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FLOATS = st.floats(width=32)


@st.composite
def stored(draw: st.DrawFn) -> tuple[Scores, dict[str, Any], dict[str, Any]]:
    """Scores, changes of a header, and endings of any kind."""
    count = draw(st.integers(1, 5))
    index = np.cumsum(draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count)))
    pts = np.array(
        draw(st.lists(st.integers(-(10**9), 10**9), min_size=count, max_size=count)), np.int64
    )
    base = make_header().time_base
    frames = FrameTable(
        index,
        pts,
        np.array([float((each - pts[0]) * base) for each in pts.tolist()]),
        np.array(draw(st.lists(st.integers(-1, 10**9), min_size=count, max_size=count))),
        np.full(count, draw(st.sampled_from(Role)), np.uint8),
        np.full(count, draw(st.sampled_from([0.0, 0.5, 1.0, np.nan]))),
        np.zeros(count, np.uint8),
        base,
    )
    low, high = draw(st.sampled_from([(0.0, np.inf), (-np.inf, np.inf), (-1.0, 1e38)]))
    spec = MetricSpec("m", draw(TEXTS), low, high, True, draw(FLOATS), draw(st.floats(0, 1e38)), "")
    values = np.array(draw(st.lists(FLOATS, min_size=count, max_size=count)), np.float32)
    grid = {"maps": {}, "fields": {}, "grids": {}, "metrics": {"m": spec}}
    header = {**grid, "config": {"test": draw(TEXTS), "lag": draw(st.integers(0, 2**62))}}
    start = draw(st.integers(int(index[0]), int(index[-1])))
    segment = Segment(
        start,
        int(index[-1]) + 1,
        draw(TEXTS),
        draw(TEXTS),
        draw(FLOATS),
        start,
        draw(st.floats(0, 1)),
        0.0,
        draw(st.floats(-1e9, 1e9)),
        draw(TEXTS),
    )
    ending = {
        "stages": [segments_result([segment])],
        "names": draw(st.sampled_from([(), ("a\n\x1b",) * count])),
        "timings": {"seconds": draw(st.floats(0, 1e9)), draw(TEXTS): draw(FLOATS)},
    }
    return Scores(frames, {"m": values}, {}, {}), header, ending


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stored())
def test_whatever_the_writer_writes_opens(
    tmp_path: Path,
    no_waiting_for_the_disk: None,
    made: tuple[Scores, dict[str, Any], dict[str, Any]],
) -> None:
    scores, header, ending = made
    out = tmp_path / "a.h5"
    with Writer(out, make_header(**header), overwrite=True) as writer:
        writer.append(scores)
        finish(writer, **ending)
    with Run(out) as run:
        assert run.frames.index.tolist() == scores.frames.index.tolist()
        assert run.scores["m"].tobytes() == scores.values["m"].tobytes()
        assert len(run.segments) == 1
        json.dumps(run.summary(), allow_nan=False)
