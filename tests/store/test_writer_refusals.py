"""Paths and scores that a writer refuses, and results that it leaves untouched."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.results import (
    SEGMENT,
    finish,
    make_header,
    make_scores,
    segments_result,
    write,
)

from vfiscope.errors import OutputExistsError, StoreError
from vfiscope.store import Run, Writer


def test_an_existing_result_is_refused_and_untouched(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    before = out.read_bytes()
    with (
        pytest.raises(OutputExistsError, match=r"a\.h5 exists: pass --overwrite or another --out"),
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
    "folder": (_folder, "is a folder: pass a file name as --out"),
    "no parent": (
        lambda path: path / "deeper" / "a.h5",
        "does not exist: make it or pass another --out",
    ),
    "parent is a file": (lambda path: (path.touch(), path / "a.h5")[1], "does not exist"),
    "pipe": (_pipe, "is not a regular file"),
    "name too long": (
        lambda path: path.with_name("x" * 252 + ".h5"),
        "is too long a name: it has .* bytes, and 244 are the most here",
    ),
    "name too long for its parts": (
        lambda path: path.with_name("x" * 245 + ".h5"),
        "is too long a name: it has .* bytes, and 244 are the most here",
    ),
    "name too long to clean up": (
        lambda path: path.with_name("x" * 243 + ".h5"),
        "is too long a name: it has .* bytes, and 244 are the most here",
    ),
    "NUL": (lambda path: str(path) + "\0", "is not a usable path"),
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
    with pytest.raises(StoreError, match=r"mismatch.*pass their grids"):
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
