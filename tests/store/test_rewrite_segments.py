"""New segments and rules in a finished result."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
from helpers.results import (
    GRID,
    SEGMENT,
    make_header,
    make_scores,
    write,
)

from vfiscope.errors import LockedError, StoreError
from vfiscope.store import Run, Writer, differences, rewrite_segments
from vfiscope.types import Scores

ROWS = 100


@pytest.fixture(scope="module")
def scores() -> Scores:
    return make_scores(ROWS)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> Path:
    return write(tmp_path_factory.mktemp("run") / "a.h5", scores)


@pytest.fixture
def result(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copy(original, tmp_path / "a.h5"))


def test_segments_are_rewritten_and_nothing_else(result: Path, original: Path) -> None:
    other = replace(SEGMENT, start=50, stop=60, kind="low_score")
    with Run(result) as open_before:
        rewrite_segments(result, [other, SEGMENT], ["ssim < 0.9"])
        assert open_before.maps["mismatch"][99].shape == GRID
    with Run(result) as run:
        assert run.segments == [other, SEGMENT]
        assert run.config == make_header().config
        assert run.rules == ["ssim < 0.9"]
        assert run.summary()["rules"] == ["ssim < 0.9"]
    assert os.listdir(result.parent) == ["a.h5"]
    changed = differences(original, result)
    assert changed[0] == '/segments/@rules: [] -> ["ssim < 0.9"]'
    assert all(line.startswith("/segments/") for line in changed)
    rewrite_segments(result, [SEGMENT], [])
    assert differences(original, result) == []


def test_rules_are_stored_beside_the_segments(result: Path) -> None:
    ruled = replace(SEGMENT, rule="ssim < 0,9 ≤")
    rewrite_segments(result, [ruled, SEGMENT], ["psnr < 1", ruled.rule])
    with Run(result) as run:
        assert run.segments == [ruled, SEGMENT]
        assert run.rules == ["psnr < 1", ruled.rule]


def test_a_result_from_before_rules_were_stored_beside_the_segments_is_read(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        del h5["segments/rule"], h5["segments/role"]
        del h5["segments"].attrs["rules"]
        h5.attrs["config"] = json.dumps({**json.loads(h5.attrs["config"]), "flag": ["ssim < 0.9"]})
    with Run(result) as run:
        assert run.segments == [SEGMENT]
        assert run.rules == ["ssim < 0.9"]


@pytest.mark.parametrize("text", ['"x"', '{"a": 1}', "[null]", "7", "{"])
def test_damaged_rules_are_refused(result: Path, text: str) -> None:
    with h5py.File(result, "r+") as h5:
        h5["segments"].attrs["rules"] = text
    with pytest.raises(StoreError, match="damaged: make it again"):
        Run(result)


def test_segments_may_be_none(result: Path) -> None:
    rewrite_segments(result, [], [])
    with Run(result) as run:
        assert run.segments == []


def test_rewriting_keeps_unfinished_work_and_the_permissions(result: Path) -> None:
    os.chmod(result, 0o640)
    with Writer(result, make_header(), overwrite=True, block=4) as writer:
        writer.append(make_scores(10))
        with pytest.raises(LockedError):
            rewrite_segments(result, [], [])
    rewrite_segments(result, [], [])
    assert result.stat().st_mode & 0o777 == 0o640
    with Writer(result, make_header(), overwrite=True, block=4) as writer:
        assert writer.rows_done == 8


def test_rewriting_what_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("hello")
    with pytest.raises(StoreError, match="is no HDF5 file"):
        rewrite_segments(tmp_path / "a.h5", [], [])
    assert os.listdir(tmp_path) == ["a.h5"]
