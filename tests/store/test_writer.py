"""The writer: round trips, the layout of the file, and blocks that are stored as they fill."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import (
    GRID,
    TIME_BASE,
    batches,
    bits,
    finish,
    make_header,
    make_scores,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from vfiscope.store import Run, Writer, differences, schema
from vfiscope.types import Code, FrameTable, Note, Scores

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0]


@st.composite
def any_scores(draw: st.DrawFn) -> Scores:
    """Random bits in every column that may hold any, so NaNs of every kind, with the special values
    spread over them."""
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
    columns["index"] = np.arange(rows)
    columns["pts"] = np.sort(columns["pts"])
    columns["time_s"] = np.sort(rng.normal(size=rows) * 1e14)
    columns["ref_index"] %= 2**40
    any_nan = np.isnan(columns["phase"])
    columns["phase"] = np.where(any_nan, columns["phase"], rng.random(rows))
    return Scores(
        FrameTable(**columns, time_base=TIME_BASE),
        {"psnr": column("f4"), "ssim": column("f4")},
        {"mismatch": column("f2", *GRID)},
        {"motion": column("f2", 2, *GRID)},
    )


@pytest.mark.slow
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
        assert h5["frames/role"].attrs["names"].tolist() == [
            "passed",
            "synthesised",
            "unknown",
            "held",
        ]
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
        assert (score.shape, score.dtype, score.chunks) == ((100,), np.float32, (100,))
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
    notes = [Note(Code.TIME_NOT_INCREASING, {"frame": number}) for number in range(20_000)]
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_scores(3))
        finish(writer, notes=notes)
    with Run(tmp_path / "a.h5") as run:
        assert run.notes == [f"times do not increase at frame {number}" for number in range(20_000)]
        assert run.coded_notes == notes


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
