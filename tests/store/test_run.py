"""Reading a result: what it holds, how maps are read, and how two results are compared."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.edits import drop, spoil
from helpers.results import (
    GRID,
    MISMATCH,
    MOTION,
    PSNR,
    REGION,
    SEGMENT,
    SSIM,
    bits,
    finish,
    make_header,
    make_scores,
    write,
)

import vfiscope as vs
from vfiscope.errors import StoreError
from vfiscope.store import Run, Writer, differences
from vfiscope.store import run as run_module
from vfiscope.types import Role, Scores, Status

ROWS = 100


@pytest.mark.slow
def test_whether_a_metric_ranks_is_stored_and_known_of_older_files(tmp_path: Path) -> None:
    def stored(name: str, ranks: bool, older: bool) -> bool:
        spec = replace(PSNR, name=name, ranks=ranks)
        scores = make_scores(3)
        header = make_header(metrics={name: spec}, maps={}, fields={}, grids={})
        out = write(
            tmp_path / f"{name}_{ranks}_{older}.h5",
            Scores(scores.frames, {name: scores.values["psnr"]}, {}, {}),
            header=header,
        )
        if older:
            with h5py.File(out, "r+") as h5:
                del h5[f"scores/{name}"].attrs["ranks"]
        with Run(out) as run:
            return run.specs[name].ranks

    for ranks in (True, False):
        assert stored("ghosting", ranks, older=False) is ranks
        assert stored("psnr", ranks, older=False) is ranks
    assert stored("psnr", False, older=True) is True
    for name in ("ghosting", "midpoint_px", "cosine_before", "cut"):
        assert stored(name, True, older=True) is False


@pytest.mark.parametrize(
    ("stated", "told"), [({}, False), ({"multiplier": "2"}, True), ({"source": "a.mp4"}, True)]
)
def test_roles_that_an_older_version_guessed_from_scores_are_left_out(
    tmp_path: Path, stated: dict[str, str], told: bool
) -> None:
    scores = make_scores(4)
    roles = np.array([Role.PASSED, Role.SYNTHESISED] * 2, np.uint8)
    frames = replace(scores.frames, role=roles, phase=np.array([0, 0.5, 0, 0.5]))
    header = make_header(metrics={"psnr": PSNR}, maps={}, fields={}, grids={})
    header = replace(header, config={**header.config, **stated})
    out = write(
        tmp_path / "a.h5", Scores(frames, {"psnr": scores.values["psnr"]}, {}, {}), header=header
    )
    with Run(out) as run:
        assert run.role == "synthesised"
    with h5py.File(out, "r+") as h5:
        del h5["scores/psnr"].attrs["ranks"]
    with Run(out) as run:
        assert run.role == ("synthesised" if told else "all")
        assert np.isnan(run.frames.phase).all() != told


def test_everything_comes_back(original: Path, scores: Scores) -> None:
    with Run(original) as run:
        header = make_header()
        assert (run.path, run.mode, run.complete, run.status) == (original, "score", True, "ok")
        assert (run.config, run.embedder) == (header.config, header.embedder)
        assert run.sources == [{**source, "frames_decoded": 9} for source in header.sources]
        assert (run.notes, run.timings) == (["first", "zweite"], {"seconds": 2.5})
        assert run.pairing == {"policy": "row", "offset": 0}
        assert run.versions == header.versions
        assert run.specs == {"psnr": PSNR, "ssim": SSIM}
        assert (run.maps["mismatch"].spec, run.fields["motion"].spec) == (MISMATCH, MOTION)
        assert (run.segments, run.regions) == ([SEGMENT], [REGION])
        assert bits(run.frames.time_s) == bits(scores.frames.time_s)
        assert bits(run.scores["psnr"]) == bits(scores.values["psnr"])
        assert (
            repr(run)
            == f"Run({str(original)!r}: score, 100 frames; psnr, ssim; mismatch (100, 3, 4); motion"
            " (100, 2, 3, 4); 1 segments)"
        )


@pytest.mark.parametrize(
    "rows", [0, -1, 99, np.int64(5), slice(3, 9), slice(None), slice(-5, None), slice(80, 500)]
)
@pytest.mark.parametrize("extra", [None, slice(None, None, -7), slice(5, 5), slice(10, 60, 9)])
def test_maps_are_indexed_as_arrays_are(
    original: Path, scores: Scores, rows: Any, extra: Any
) -> None:
    key = rows if extra is None else extra
    with Run(original) as run:
        assert bits(run.maps["mismatch"][key]) == bits(
            scores.maps["mismatch"][key].astype(np.float32)
        )
        assert bits(run.fields["motion"][key]) == bits(
            scores.fields["motion"][key].astype(np.float32)
        )


def test_maps_know_their_shape_and_end(original: Path) -> None:
    with Run(original) as run:
        stored = run.maps["mismatch"]
        assert (len(stored), stored.shape, repr(stored)) == (
            100,
            (100, 3, 4),
            "LazyArray(mismatch, 100 x 3 x 4, 1)",
        )
        for row in (100, -101):
            with pytest.raises(IndexError, match=f"mismatch has 100 rows: there is no row {row}"):
                stored[row]
        assert len(list(stored)) == 100


def test_a_closed_run_keeps_its_scores_and_says_why_maps_are_gone(original: Path) -> None:
    run = Run(original)
    run.close()
    run.close()
    assert len(run.scores["psnr"]) == 100
    with pytest.raises(StoreError, match="was closed: open it again to read mismatch"):
        run.maps["mismatch"][0]


@pytest.mark.slow
def test_maps_outlive_the_name_of_their_run(original: Path, scores: Scores) -> None:
    stored = Run(original).maps["mismatch"]
    gc.collect()
    assert bits(stored[0]) == bits(scores.maps["mismatch"][0].astype(np.float32))


def test_a_run_opens_twice(original: Path) -> None:
    with Run(original) as first, Run(original) as second:
        first.close()
        assert second.maps["mismatch"][0].shape == GRID


@pytest.mark.slow
def test_a_run_removes_the_folder_it_owns(original: Path, tmp_path: Path) -> None:
    def owned() -> Path:
        folder = tmp_path / "owned"
        folder.mkdir()
        return Path(shutil.copy(original, folder / "a.h5"))

    with Run(owned(), owns=tmp_path / "owned") as run:
        assert run.maps["mismatch"][0].shape == GRID
    assert os.listdir(tmp_path) == []
    run = Run(owned(), owns=tmp_path / "owned")
    del run
    gc.collect()
    assert os.listdir(tmp_path) == []
    owned().write_bytes(b"damaged")
    with pytest.raises(StoreError):
        Run(tmp_path / "owned" / "a.h5", owns=tmp_path / "owned")
    assert (tmp_path / "owned").exists()


def set_value(name: str, row: int) -> Callable[[Any], None]:
    def edit(h5: Any) -> None:
        h5[name][row] = 0

    return edit


def change_type(h5: Any) -> None:
    data, attrs = h5["scores/ssim"][()], dict(h5["scores/ssim"].attrs)
    del h5["scores/ssim"]
    h5["scores"].create_dataset(
        "ssim", data=data.astype("f8"), chunks=(100,), compression="gzip", compression_opts=1
    )
    h5["scores/ssim"].attrs.update(attrs)


DIFFERENT: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "score": (set_value("scores/ssim", 70), ["/scores/ssim: other values in rows 64:100"]),
    "map": (set_value("maps/mismatch", 3), ["/maps/mismatch: other values in rows 0:64"]),
    "text": (
        lambda h5: h5["segments/kind"].__setitem__(0, "cut"),
        ["/segments/kind: other values in rows 0:1"],
    ),
    "attribute": (lambda h5: h5.attrs.create("mode", "scan"), ["/@mode: score -> scan"]),
    "spec": (
        lambda h5: h5["scores/ssim"].attrs.__delitem__("unit"),
        ["/scores/ssim@unit: 1 -> (absent)"],
    ),
    "config": (
        lambda h5: h5.attrs.create(
            "config", json.dumps({**make_header().config, "lag": 2, "out": "b"})
        ),
        [],
    ),
    "missing": (drop("maps/mismatch"), ["/maps/mismatch: only in the first"]),
    "type": (
        change_type,
        ["/scores/ssim.dtype: float32 -> float64", "/scores/ssim.shuffle: True -> False"],
    ),
    "created": (lambda h5: (h5.attrs.create("created", "x"), h5.attrs.create("timings", "{}")), []),
}
DIFFERENT["config"] = (DIFFERENT["config"][0], ["config.lag: 1 -> 2"])


@pytest.mark.parametrize("case", DIFFERENT)
def test_differences_are_found(original: Path, result: Path, case: str) -> None:
    edit, expected = DIFFERENT[case]
    spoil(edit)(result)
    assert differences(original, result) == expected


def test_differences_of_a_nan_by_its_bits(original: Path, result: Path) -> None:
    def edit(h5: Any) -> None:
        phase = h5["frames/phase"][()]
        phase.view("u8")[0] ^= 1
        h5["frames/phase"][:] = phase

    assert np.isnan(make_scores(1).frames.phase[0])
    spoil(edit)(result)
    assert differences(original, result) == ["/frames/phase: other values in rows 0:64"]


def test_status_names_cover_the_summary() -> None:
    assert [status.name for status in Status] == ["OK", "UNPAIRED", "CORRUPT", "UNREADABLE"]


def test_what_this_process_wrote_is_not_checked_again_but_whatever_is_opened_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Path] = []
    monkeypatch.setattr(run_module, "check_stored", lambda path, *_: checked.append(path))
    out = tmp_path / "a.h5"
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    vs.scan(frames, metrics="absdiff", signals="none", out=str(out)).close()
    vs.scan(frames, metrics="absdiff", signals="none").close()
    assert checked == []
    vs.open_run(out).close()
    assert checked == [out]


def test_a_result_that_was_changed_since_it_was_written_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Path] = []
    monkeypatch.setattr(run_module, "check_stored", lambda path, *_: checked.append(path))
    scores, out = make_scores(3), tmp_path / "a.h5"
    with Writer(out, make_header()) as writer:
        writer.append(scores)
        assert writer.made is None
        finish(writer)
    Run(out, made=writer.made).close()
    assert checked == []
    os.utime(out, ns=(0, 0))
    Run(out, made=writer.made).close()
    assert checked == [out]
