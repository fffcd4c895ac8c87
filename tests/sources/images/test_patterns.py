"""Globs find what Python's own finds, within a limit; what lies after a stop is not looked at."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import numpy as np
import pytest
from helpers.images import folder_of

import vfiscope as vs
from vfiscope.errors import SourceError
from vfiscope.sources import digest, open_source
from vfiscope.sources.images import patterns
from vfiscope.sources.images.patterns import matching

FILES = ("a/1.png", "a/b/2.png", "a/b/c/1.png", "b/a/1.png", "b/.x/1.png", "c.png/1.jpg", "1.png")


@pytest.mark.parametrize(
    "pattern",
    [
        *("*", "*.png", "**", "**/*.png", "**/**/**/*.png", "a/**", "**/a/*.png", "a/*/2.png"),
        *("**/b/**/1.png", "**/?/1.*", ".?/*", "b/.*/*.png", "*/[!a]/*.png", "gone/*", "**/2.png"),
    ],
)
def test_a_glob_matches_what_python_matches(tmp_path: Path, pattern: str) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    path = os.path.join(tmp_path, pattern)
    expected = {name for name in glob.glob(path, recursive=True) if not os.path.isdir(name)}
    found = list(matching(path))
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("pattern", ["**/**/**/**", "**/x/**/*.png", "*/*/*.png"])
def test_a_glob_through_too_many_folders_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setattr(patterns, "MAX_FOLDERS", 5)
    for i in range(6):
        (tmp_path / f"{i}/x").mkdir(parents=True)
    with pytest.raises(SourceError, match="would search more than 5 folders: begin it with"):
        open_source(tmp_path / pattern)


def test_a_link_to_a_folder_above_does_not_search_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "MAX_FOLDERS", 200)
    folder_of(tmp_path, ["a/1.png"])
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/again").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="would search more than 200 folders"):
        open_source(tmp_path / "**/*.png")


def test_images_after_a_stop_are_neither_digested_nor_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(tmp_path, [f"{i}.png" for i in range(9)])
    asked: list[str] = []
    stat = os.stat
    monkeypatch.setattr(
        os, "stat", lambda path, **how: asked.append(str(path)) or stat(path, **how)
    )
    quick = {"metrics": "psnr", "maps": "none", "fields": "none"}
    with vs.scan(str(tmp_path), stop=3, **quick) as run:
        assert (len(run), run.status) == (3, "ok")
        (source,) = run.sources
        assert source["frames_expected"] == 9
    assert {Path(path).name for path in asked if path.endswith(".png")} == {
        *("0.png", "1.png", "2.png")
    }
    with open_source(tmp_path, stop=3) as source:
        before = digest(source.info)
        assert source.frames_at([7]).index.tolist() == [7]
    (tmp_path / "5.png").write_bytes(b"other")
    with open_source(tmp_path, stop=3) as source:
        assert digest(source.info) == before


def test_a_run_of_all_images_is_shown_after_a_stop(tmp_path: Path) -> None:
    """Results of older versions with a stop hold the digest of the whole folder."""
    from vfiscope.scoring.stored_frames import frames_of

    made = folder_of(tmp_path / "in", [f"{i}.png" for i in range(4)])
    quick = {"metrics": "psnr", "maps": "none", "fields": "none"}
    with vs.scan(str(tmp_path / "in"), **quick) as run:
        run.config["stop"] = 2
        np.testing.assert_array_equal(frames_of(run, [1]).interleaved, made[1:2])
