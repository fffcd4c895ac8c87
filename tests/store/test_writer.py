"""The writer: what it stores, what it refuses, what it leaves behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import (
    GRID,
    PSNR,
    SEGMENT,
    SSIM,
    TIME_BASE,
    batches,
    bits,
    finish,
    make_header,
    make_scores,
    segments_result,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from vfiscope.errors import DiskFullError, LockedError, OutputExistsError, ResumeError, StoreError
from vfiscope.store import Run, Writer, differences, schema
from vfiscope.types import FrameTable, Scores

# --------------------------------------------------------------------------------------- round trip

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0]


@st.composite
def any_scores(draw: st.DrawFn) -> Scores:
    """Random bits in every column, so NaNs of every kind, with the special values spread over
    them."""
    rows = draw(st.integers(1, 150))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def column(dtype: str, *shape: int) -> Any:
        kind = np.dtype(dtype)
        array = (
            np.frombuffer(rng.bytes(rows * int(np.prod(shape)) * kind.itemsize), kind)
            .reshape(rows, *shape)
            .copy()
        )
        if kind.kind == "f":
            array.flat[rng.integers(0, array.size, 5)] = SPECIAL
        return array

    columns = {name: column(dtype) for name, dtype in schema.FRAME_TYPES.items()}
    columns |= {name: columns[name] % len(known) for name, known in schema.FRAME_NAMES.items()}
    return Scores(
        FrameTable(**columns, time_base=TIME_BASE),
        {"psnr": column("f4"), "ssim": column("f4")},
        {"mismatch": column("f2", *GRID)},
        {"motion": column("f2", 2, *GRID)},
    )


@settings(max_examples=15, deadline=None)
@given(scores=any_scores(), data=st.data())
def test_any_scores_come_back_bit_for_bit_and_the_file_forgets_the_batches(
    scores: Scores, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(scores)), max_size=6)))
    block = data.draw(st.integers(20, 200))
    with tempfile.TemporaryDirectory() as folder:
        whole = write(Path(folder, "whole.h5"), scores)
        with Writer(Path(folder, "split.h5"), make_header(), block=block) as writer:
            for start, stop in zip([0, *cuts], [*cuts, len(scores)], strict=True):
                writer.append(schema.sliced(scores, slice(start, stop)))
            split = finish(writer)
        assert differences(whole, split) == []
        with Run(split) as run:
            for name in FrameTable.COLUMNS:
                assert bits(getattr(run.frames, name)) == bits(getattr(scores.frames, name))
            for name, values in scores.values.items():
                assert bits(run.scores[name]) == bits(values)
            assert run.time_base == TIME_BASE
        with h5py.File(split) as h5:
            assert bits(h5["maps/mismatch"][()]) == bits(scores.maps["mismatch"])
            assert bits(h5["fields/motion"][()]) == bits(scores.fields["motion"])


def test_layout_is_the_published_one(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path / "a.h5", make_scores(100)), "r") as h5:
        attrs = dict(h5.attrs)
        assert (attrs["format"], attrs["format_version"], attrs["complete"]) == (
            "vfiscope",
            1,
            True,
        )
        assert (attrs["mode"], attrs["vfiscope_version"], attrs["status"]) == (
            "score",
            "0.1.0",
            "ok",
        )
        assert attrs["created"].endswith("+00:00")
        assert json.loads(attrs["config"])["lag"] == 1
        assert json.loads(attrs["sources"])[0]["frames_decoded"] == 9
        assert json.loads(attrs["embedder"])["dim"] == 128
        assert json.loads(attrs["notes"]) == ["first", "zweite"]
        assert json.loads(attrs["pairing"]) == {"policy": "row", "offset": 0}
        assert json.loads(attrs["timings"]) == {"seconds": 2.5}
        assert json.loads(attrs["versions"])["numpy"] == "2"
        pts = h5["frames/pts"].attrs
        assert (pts["time_base_num"], pts["time_base_den"]) == (1001, 30000)
        assert h5["frames/status"].attrs["names"].tolist() == [
            "ok",
            "unpaired",
            "corrupt",
            "unreadable",
        ]
        assert h5["frames/role"].attrs["names"].tolist() == ["passed", "synthesised", "unknown"]
        types = {name: str(h5["frames"][name].dtype) for name in h5["frames"]}
        assert types == {
            "index": "int64",
            "pts": "int64",
            "time_s": "float64",
            "ref_index": "int64",
            "role": "uint8",
            "phase": "float64",
            "status": "uint8",
        }
        score, stored_map, stored_field = (
            h5["scores/psnr"],
            h5["maps/mismatch"],
            h5["fields/motion"],
        )
        assert (score.shape, score.dtype, score.chunks) == ((100,), np.float32, (64,))
        assert (stored_map.shape, stored_map.dtype, stored_map.chunks) == (
            (100, 3, 4),
            np.float16,
            (64, 3, 4),
        )
        assert (stored_field.shape, stored_field.dtype) == ((100, 2, 3, 4), np.float16)
        for dataset, checksum in ((score, False), (stored_map, True), (stored_field, True)):
            assert (dataset.compression, dataset.compression_opts, dataset.shuffle) == (
                "gzip",
                1,
                True,
            )
            assert dataset.fletcher32 is checksum
        assert dict(score.attrs) == {
            "unit": "dB",
            "low": 0.0,
            "high": np.inf,
            "lower_is_better": False,
            "identity": np.inf,
            "floor": 0.5,
            "description": "peak signal-to-noise ratio",
            "needs": "pixels",
            "ranks": True,
        }
        assert dict(stored_field.attrs) == {
            "unit": "px",
            "description": "best match",
            "needs": "features",
        }
        assert h5["segments/kind"].asstr()[0] == "blür"
        assert h5["regions/caption"].asstr()[0] == "größer — 変化"
        assert (h5["segments/start"].dtype, h5["segments/peak"].dtype) == (np.int64, np.float64)


def test_short_results_have_short_chunks_and_no_optional_attributes(tmp_path: Path) -> None:
    header = make_header(maps={}, fields={}, grids={}, embedder=None)
    scores = make_scores(3)
    out = write(tmp_path / "a.h5", Scores(scores.frames, scores.values, {}, {}), header=header)
    with h5py.File(out, "r") as h5:
        assert h5["scores/psnr"].chunks == (3,)
        assert "embedder" not in h5.attrs
    with Run(out) as run:
        assert (run.embedder, dict(run.maps), dict(run.fields)) == (None, {}, {})


def test_two_runs_differ_only_in_created_and_timings(tmp_path: Path) -> None:
    paths = []
    for name, seconds in (("a.h5", 1.0), ("b.h5", 2.0)):
        with Writer(tmp_path / name, make_header()) as writer:
            writer.append(make_scores(70))
            paths.append(finish(writer, timings={"seconds": seconds}))
    assert differences(*paths) == []
    contents = []
    for path in paths:
        with h5py.File(path, "r+") as h5:
            del h5.attrs["created"], h5.attrs["timings"]
    for path in paths:
        with h5py.File(path, "r") as h5:
            contents.append({key: str(value) for key, value in h5.attrs.items()})
    assert contents[0] == contents[1]


def test_what_json_cannot_say_becomes_null(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_scores(3))
        pairing = {
            "margin": float("nan"),
            "best": np.float32(0.5),
            "shift": np.int64(3),
            "file": Path("x"),
        }
        finish(writer, pairing=pairing)
    with Run(tmp_path / "a.h5") as run:
        assert run.pairing == {"margin": None, "best": 0.5, "shift": 3, "file": "x"}


def test_notes_longer_than_an_hdf5_attribute(tmp_path: Path) -> None:
    notes = [f"frame {number} is corrupt" for number in range(20_000)]
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_scores(3))
        finish(writer, notes=notes)
    with Run(tmp_path / "a.h5") as run:
        assert run.notes == notes


# ------------------------------------------------------------------------------ progress and curves


def test_blocks_are_stored_as_they_fill(tmp_path: Path) -> None:
    scores = make_scores(50)
    with Writer(tmp_path / "a.h5", make_header(), block=16) as writer:
        done = []
        for batch in batches(scores, 7):
            writer.append(batch)
            done.append(writer.rows_done)
        assert done == [0, 0, 16, 16, 32, 32, 48, 48]
        parts = sorted(path.name for path in (tmp_path / "a.h5.parts").glob("part-*"))
        assert parts == ["part-000000.h5", "part-000001.h5", "part-000002.h5"]
        assert not (tmp_path / "a.h5").exists()
        frames, values = writer.curves()
        assert bits(frames.index) == bits(scores.frames.index)
        assert bits(values["psnr"]) == bits(scores.values["psnr"])
        finish(writer)
    assert os.listdir(tmp_path) == ["a.h5"]


def test_one_large_batch_makes_several_blocks(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header(), block=16) as writer:
        writer.append(make_scores(50))
        assert writer.rows_done == 48


def test_resumed_work_continues_where_it_was(tmp_path: Path) -> None:
    scores = make_scores(50)
    out = tmp_path / "a.h5"
    with Writer(out, make_header(), block=16) as writer:
        writer.append(schema.sliced(scores, slice(0, 40)))
    with Writer(out, make_header(), block=16) as writer:
        assert (writer.rows_done, writer.already_finished) == (32, False)
        assert writer.curves()[0].index.tolist() == list(range(32))
        writer.append(schema.sliced(scores, slice(32, 50)))
        assert bits(writer.curves()[1]["ssim"]) == bits(scores.values["ssim"])
        finish(writer)
    assert differences(out, write(tmp_path / "b.h5", scores)) == []


def test_curves_of_nothing_are_empty(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        frames, values = writer.curves()
    assert (len(frames), {name: len(array) for name, array in values.items()}) == (
        0,
        {"psnr": 0, "ssim": 0},
    )


def test_no_resume_discards(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header(), block=4) as writer:
        writer.append(make_scores(10))
    with Writer(tmp_path / "a.h5", make_header(), block=4, resume=False) as writer:
        assert writer.rows_done == 0
        assert not list((tmp_path / "a.h5.parts").glob("part-*"))
    assert os.listdir(tmp_path) == []


CHANGES = [
    ({"config": {**make_header().config, "lag": 2}}, "config.lag: 1 -> 2"),
    ({"mode": "scan"}, "mode: score -> scan"),
    (
        {
            "sources": [
                {**make_header().sources[0], "digest": "sha256:bb"},
                make_header().sources[1],
            ]
        },
        "sources[test].digest: sha256:aa -> sha256:bb",
    ),
    ({"sources": make_header().sources[:1]}, "sources[ref].role: ref -> (absent)"),
    ({"embedder": {**(make_header().embedder or {}), "dim": 384}}, "embedder.dim: 128 -> 384"),
    ({"embedder": None}, "embedder.name: dsift -> (absent)"),
    ({"versions": {"vfiscope": "0.2.0", "numpy": "2"}}, "versions.vfiscope: 0.1.0 -> 0.2.0"),
    ({"metrics": {"psnr": PSNR}}, "metrics.ssim.name: ssim -> (absent)"),
    (
        {"metrics": {"psnr": replace(PSNR, floor=0.6), "ssim": SSIM}},
        "metrics.psnr.floor: 0.5 -> 0.6",
    ),
    ({"grids": {"mismatch": GRID, "motion": (3, 5)}}, "grids.motion: [3, 4] -> [3, 5]"),
    ({"time_base": Fraction(1, 25)}, "time_base: 1001/30000 -> 1/25"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_unfinished_work_with_another_header_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    out = tmp_path / "a.h5"
    with Writer(out, make_header(), block=4) as writer:
        writer.append(make_scores(10))
    before = sorted(
        (path.name, path.read_bytes()) for path in (tmp_path / "a.h5.parts").glob("part*")
    )
    with pytest.raises(ResumeError) as caught, Writer(out, make_header(**change)):
        pass
    text = str(caught.value)
    assert message in text
    assert "--no-resume discards the unfinished work" in text
    assert "\n" not in text
    assert (
        sorted((path.name, path.read_bytes()) for path in (tmp_path / "a.h5.parts").glob("part*"))
        == before
    )
    with Writer(out, make_header()) as writer:
        assert writer.rows_done == 8


def test_every_change_is_listed() -> None:
    changed = make_header(mode="scan", config={**make_header().config, "lag": 2, "batch": 99})
    assert changed.differences(make_header()) == ["mode: score -> scan", "config.lag: 1 -> 2"]
    assert make_header().differences(make_header()) == []


def test_each_metric_map_and_field_is_named_once() -> None:
    names = [f"m{i}" for i in range(20)]
    every = make_header(metrics={name: replace(PSNR, name=name) for name in names})
    other = make_header(
        metrics={"m0": replace(PSNR, name="m0", floor=9, unit="px")}, maps={}, embedder=None
    )
    assert other.differences(every) == [
        "embedder.name: dsift -> (absent)",
        "metrics.m0.unit: dB -> px",
        *(f"metrics.{name}.name: {name} -> (absent)" for name in names[1:]),
        "maps.mismatch.name: mismatch -> (absent)",
    ]
    assert "embedder.name: (absent) -> dsift" in every.differences(other)


def test_a_long_list_of_changes_is_cut(tmp_path: Path) -> None:
    many = make_header(
        metrics={name: replace(PSNR, name=name) for name in map("m{}".format, range(20))}
    )
    with Writer(tmp_path / "a.h5", many, block=4) as writer:
        scores = make_scores(5)
        writer.append(replace(scores, values=dict.fromkeys(many.metrics, scores.values["psnr"])))
    with pytest.raises(ResumeError) as caught, Writer(tmp_path / "a.h5", make_header()):
        pass
    text = str(caught.value).removeprefix(
        f"the unfinished work for {tmp_path / 'a.h5'} was made otherwise ("
    )
    changes = [f"metrics.m{i}.name: m{i} -> (absent)" for i in range(5)]
    assert (
        text == "; ".join([*changes, "and 17 more"]) + "): --no-resume discards the unfinished work"
    )


def test_two_sources_of_one_role_are_told_apart() -> None:
    first, second = ({"role": "test", "digest": digest} for digest in "ab")
    old, new = (
        make_header(sources=[first, second]),
        make_header(sources=[{**first, "digest": "c"}, second]),
    )
    assert new.differences(old) == ["sources[0].digest: a -> c"]


def test_options_that_change_no_score_may_change(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header(), block=4) as writer:
        writer.append(make_scores(10))
    other = make_header(config={**make_header().config, "batch": 3, "overwrite": True})
    with Writer(tmp_path / "a.h5", other) as writer:
        assert writer.rows_done == 8


def test_header_of_a_run_is_the_one_it_was_written_with(tmp_path: Path) -> None:
    with Run(write(tmp_path / "a.h5", make_scores(5))) as run:
        assert make_header().differences(run.header) == []
        changed = make_header(config={**make_header().config, "lag": 3})
        assert changed.differences(run.header) == ["config.lag: 1 -> 3"]


# ----------------------------------------------------------------------------------------- refusals


def test_an_existing_result_is_refused_and_untouched(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    before = out.read_bytes()
    with (
        pytest.raises(OutputExistsError, match=r"a\.h5 exists: give --overwrite or another --out"),
        Writer(out, make_header()),
    ):
        pass
    assert out.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.h5"]


def test_overwrite_keeps_the_older_result_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    before = out.read_bytes()
    with Writer(out, make_header(), overwrite=True, block=4) as writer:
        writer.append(make_scores(9, seed=1))
        assert out.read_bytes() == before
        finish(writer)
    with Run(out) as run:
        assert len(run) == 9
    assert os.listdir(tmp_path) == ["a.h5"]


def test_unfinished_overwriting_is_kept_when_refused(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    with Writer(out, make_header(), overwrite=True, block=4) as writer:
        writer.append(make_scores(9, seed=1))
    with pytest.raises(OutputExistsError), Writer(out, make_header()):
        pass
    with Writer(out, make_header(), overwrite=True, block=4) as writer:
        assert writer.rows_done == 8


def test_a_result_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    with Writer(out, make_header()) as writer:
        writer.append(make_scores(9))
        other = write(tmp_path / "b.h5", make_scores(3)).rename(out).read_bytes()
        with pytest.raises(OutputExistsError):
            finish(writer)
    assert out.read_bytes() == other
    with Writer(out, make_header(), overwrite=True) as writer:
        assert writer.already_finished
    with Run(out) as run:
        assert len(run) == 9


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


BAD_PATHS = {
    "folder": (_folder, "is a folder: give --out a file name"),
    "no parent": (
        lambda path: path / "deeper" / "a.h5",
        "does not exist: make it or give another --out",
    ),
    "parent is a file": (lambda path: (path.touch(), path / "a.h5")[1], "does not exist"),
    "pipe": (_pipe, "is no ordinary file"),
    "name too long": (lambda path: path.with_name("x" * 252 + ".h5"), "File name too long"),
    "name too long for its parts": (
        lambda path: path.with_name("x" * 245 + ".h5"),
        "File name too long",
    ),
    "name too long to clean up": (
        lambda path: path.with_name("x" * 243 + ".h5"),
        "File name too long",
    ),
    "NUL": (lambda path: str(path) + "\0", "is no usable path"),
}


@pytest.mark.parametrize("case", BAD_PATHS)
def test_bad_paths_are_refused_in_one_line_and_leave_nothing(tmp_path: Path, case: str) -> None:
    make, message = BAD_PATHS[case]
    out = make(tmp_path / "bad")
    before = sorted(os.listdir(tmp_path))
    with (
        pytest.raises(StoreError, match=message) as caught,
        Writer(out, make_header(), overwrite=True),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_parent_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with (
        pytest.raises(StoreError, match=r"a\.h5\.parts cannot be written \(Permission denied\)"),
        Writer(tmp_path / "a.h5", make_header()),
    ):
        pass


def test_a_folder_of_someone_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.h5.parts").mkdir()
    (tmp_path / "a.h5.parts" / "thesis.txt").write_text("precious")
    for resume in (True, False):
        with (
            pytest.raises(StoreError, match=r"a\.h5\.parts holds 'thesis\.txt'"),
            Writer(tmp_path / "a.h5", make_header(), resume=resume),
        ):
            pass
    assert os.listdir(tmp_path / "a.h5.parts") == ["thesis.txt"]


GOOD = make_scores(4)
WRONG_SCORES = {
    "metric missing": ({"values": {"psnr": GOOD.values["psnr"]}}, "metrics are"),
    "map unknown": ({"maps": {**GOOD.maps, "other": GOOD.maps["mismatch"]}}, "maps are"),
    "dtype": (
        {"values": {**GOOD.values, "ssim": GOOD.values["ssim"].astype(np.float64)}},
        r"ssim is float64 \(4,\)",
    ),
    "grid": (
        {"maps": {"mismatch": np.zeros((4, 5, 5), np.float16)}},
        r"store it as float16 \(N, 3, 4\)",
    ),
    "field": (
        {"fields": {"motion": np.zeros((4, 3, 4), np.float16)}},
        r"store it as float16 \(N, 2, 3, 4\)",
    ),
    "time base": ({"frames": replace(GOOD.frames, time_base=Fraction(1, 25))}, "time base is 1/25"),
}


@pytest.mark.parametrize("case", WRONG_SCORES)
def test_scores_that_were_not_announced_are_refused(tmp_path: Path, case: str) -> None:
    changes, message = WRONG_SCORES[case]
    with (
        pytest.raises(StoreError, match=message),
        Writer(tmp_path / "a.h5", make_header()) as writer,
    ):
        writer.append(replace(GOOD, **changes))
    assert os.listdir(tmp_path) == []


def test_nothing_scored_is_no_result(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_scores(0))
        with pytest.raises(StoreError, match="no frame was scored"):
            finish(writer)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ["a\0b", "\udc80"])
def test_texts_that_hdf5_cannot_hold(tmp_path: Path, text: str) -> None:
    out = tmp_path / "a.h5"
    with Writer(out, make_header()) as writer:
        writer.append(make_scores(5))
        with pytest.raises(StoreError, match=r"segments\.kind is .*leave out NUL"):
            finish(writer, stages=[segments_result([replace(SEGMENT, kind=text)])])
    with Writer(out, make_header()) as writer:
        assert writer.rows_done == 5
        finish(writer)
    assert os.listdir(tmp_path) == ["a.h5"]


def test_maps_need_a_grid() -> None:
    with pytest.raises(StoreError, match=r"mismatch.*give the header their grids"):
        make_header(grids={})


def test_a_writer_works_only_inside_its_block(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.h5", make_header())
    with pytest.raises(StoreError, match="is not open"):
        writer.append(GOOD)
    with writer:
        writer.append(GOOD)
        finish(writer)
        with pytest.raises(StoreError, match="is not open"):
            writer.append(GOOD)


# ----------------------------------------------------------------------------- leaving, two writers


class Stop(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


def append_and_raise(out: Path, rows: int, error: type[BaseException]) -> None:
    with Writer(out, make_header(), block=4) as writer:
        writer.append(make_scores(rows))
        raise error


def test_leaving_with_an_error_keeps_stored_blocks_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    with pytest.raises(ValueError, match=r"^$"):
        append_and_raise(out, 3, ValueError)
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match=r"^$"):
        append_and_raise(out, 7, ValueError)
    assert os.listdir(tmp_path) == ["a.h5.parts"]
    with Writer(out, make_header(), block=4) as writer:
        assert writer.rows_done == 4


def test_an_interrupt_on_a_full_disk_stays_one_and_says_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.h5"

    def full(*_: object) -> None:
        raise DiskFullError("no room")

    commit = Writer._commit
    monkeypatch.setattr(
        Writer, "_commit", lambda writer, rows: commit(writer, rows) if rows == 4 else full()
    )
    with pytest.raises(Stop) as caught:
        append_and_raise(out, 7, Stop)
    kept = f"4 frames of {out} are kept: run the same command again to go on after them"
    assert caught.value.__notes__ == [f"{kept} (the rows since then were not kept: no room)"]


@pytest.mark.parametrize("rows", [0, 3, 4, 7])
def test_leaving_with_an_interrupt_keeps_every_row_and_says_how_many(
    tmp_path: Path, rows: int
) -> None:
    out = tmp_path / "a.h5"
    with pytest.raises(Stop) as caught:
        append_and_raise(out, rows, Stop)
    kept = f"{rows} frames of {out} are kept: run the same command again to go on after them"
    none = f"no frame of {out} was finished: run the same command again to begin anew"
    assert caught.value.__notes__ == [kept if rows else none]
    assert os.listdir(tmp_path) == (["a.h5.parts"] if rows else [])
    with Writer(out, make_header(), block=4) as writer:
        assert writer.rows_done == rows
        writer.append(schema.sliced(make_scores(30), slice(rows, 30)))
        lines = (tmp_path / "a.h5.parts" / "journal.jsonl").read_text().splitlines()
        # The block that was cut is filled up, so that all further ones are where they always are.
        assert {stop for line in lines for stop in json.loads(line)["rows"]} == {
            *range(0, 29, 4),
            rows,
        }
        finish(writer)
    scores = schema.join([make_scores(rows), schema.sliced(make_scores(30), slice(rows, 30))])
    assert differences(out, write(tmp_path / "b.h5", scores)) == []


def test_a_second_writer_is_refused_and_the_first_one_finishes(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    scores = make_scores(20)
    with Writer(out, make_header(), block=4) as first:
        first.append(schema.sliced(scores, slice(0, 10)))
        for options in ({}, {"resume": False}, {"overwrite": True, "resume": False}):
            with (
                pytest.raises(
                    LockedError, match=f"process {os.getpid()} on {socket.gethostname()}"
                ),
                Writer(out, make_header(), **options),
            ):
                pass
        assert "LockedError" in other_process(out)
        first.append(schema.sliced(scores, slice(10, 20)))
        finish(first)
    assert differences(out, write(tmp_path / "b.h5", scores)) == []
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5"]


def other_process(out: Path) -> str:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from helpers.results import *\nfrom vfiscope.errors import StoreError\n"
        f"try: write({str(out)!r}, make_scores(20), resume=False)\n"
        "except StoreError as error: print(type(error).__name__, error)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_another_name_of_the_same_file_is_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "link.h5").symlink_to("real/a.h5")
    with Writer(tmp_path / "real" / "a.h5", make_header()):
        for other in (tmp_path / "link" / "a.h5", tmp_path / "link.h5"):
            with pytest.raises(LockedError), Writer(other, make_header()):
                pass


def test_leftovers_of_removed_work_go_away(tmp_path: Path) -> None:
    (tmp_path / "a.h5.parts.done").mkdir()
    (tmp_path / "a.h5.parts.done" / "part-000000.h5").write_bytes(b"old")
    write(tmp_path / "a.h5", make_scores(5))
    assert os.listdir(tmp_path) == ["a.h5"]


def test_what_a_network_file_system_still_holds_open_is_no_one_s(tmp_path: Path) -> None:
    (tmp_path / "a.h5.parts.done").mkdir()
    (tmp_path / "a.h5.parts.done" / ".nfs00000001").touch()
    write(tmp_path / "a.h5", make_scores(5))
    assert os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("mine", ["notes.txt", "part-000000.h5/notes.txt"])
def test_a_folder_of_the_user_s_in_that_place_is_refused_and_kept(
    tmp_path: Path, mine: str
) -> None:
    kept = tmp_path / "a.h5.parts.done" / mine
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    with pytest.raises(
        StoreError, match=rf"a\.h5\.parts\.done holds '{mine.split('/')[0]}', .*: move it away"
    ):
        write(tmp_path / "a.h5", make_scores(5))
    assert kept.read_text() == "mine"
    assert os.listdir(tmp_path) == ["a.h5.parts.done"]


def test_a_refused_call_clears_nothing_away(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", make_scores(5))
    (tmp_path / "a.h5.parts.done").mkdir()
    (tmp_path / "a.h5.parts.done" / "part-000000.h5").write_bytes(b"old")
    with pytest.raises(OutputExistsError):
        write(tmp_path / "a.h5", make_scores(5))
    assert (tmp_path / "a.h5.parts.done" / "part-000000.h5").read_bytes() == b"old"
    write(tmp_path / "a.h5", make_scores(5), overwrite=True)
    assert os.listdir(tmp_path) == ["a.h5"]


def modules_after(statements: Sequence[str]) -> set[str]:
    code = "\n".join([*statements, "import sys", "print(*sys.modules)"])
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_the_store_needs_no_torch(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    loaded = modules_after(["from vfiscope.store import *", f"Run({str(out)!r}).summary()"])
    assert "h5py" in loaded
    assert not loaded & {"torch", "av", "cv2", "numba", "matplotlib"}
