"""Warnings about images whose names may order them otherwise, and words for frames that have no
readable partner."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.images import folder_of

import vfiscope as vs
from vfiscope.cli.messages import describe
from vfiscope.types import Code

QUICK = {"metrics": "psnr", "maps": "none", "fields": "none"}


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (["f1.png", "f3.png"], {"file": "f1.png", "named": 1, "partner": "f0.png"}),
        (["F0.png", "f2.png"], {"file": "f2.png", "named": 2, "partner": "f1.png"}),
        (["f2.png", "f3.png", "f4.png"], {"file": "f2.png", "named": 2, "partner": "f0.png"}),
    ],
)
def test_images_named_as_other_frames_of_the_reference_are_mentioned(
    tmp_path: Path, names: list[str], values: dict[str, object]
) -> None:
    folder_of(tmp_path / "ref", [f"f{i}.png" for i in range(5)])
    folder_of(tmp_path / "test", names)
    with vs.score(str(tmp_path / "test"), ref=str(tmp_path / "ref"), **QUICK) as run:
        found = [note for note in run.coded_warnings if note.code == Code.NAMED_AS_OTHERS]
    assert [dict(note.values) for note in found] == [values]
    assert "pass --align auto" in str(found[0])


@pytest.mark.parametrize(
    "names", [["f0.png", "f1.png", "f2.png"], ["g1.png", "g3.png"], [f"f{i}.png" for i in range(5)]]
)
def test_other_names_are_not_mentioned(tmp_path: Path, names: list[str]) -> None:
    folder_of(tmp_path / "ref", [f"f{i}.png" for i in range(5)])
    folder_of(tmp_path / "test", names)
    with vs.score(str(tmp_path / "test"), ref=str(tmp_path / "ref"), **QUICK) as run:
        assert Code.NAMED_AS_OTHERS not in [note.code for note in run.coded_warnings]


def test_a_counter_that_starts_again_is_a_warning(tmp_path: Path) -> None:
    folder_of(tmp_path, ["d_9999.png", "d_0001.png", "d_0002.png"])
    with vs.scan(str(tmp_path), **QUICK) as run:
        (warning,) = run.warnings
        assert run.names == ("d_9999.png", "d_0001.png", "d_0002.png")
    assert warning.endswith("starts again (9999, 1): images from 9999 on are read first")


@pytest.mark.parametrize(
    ("damaged", "rest"),
    [
        ([2], "1 unpaired, 1 unreadable, 1 without a readable partner"),
        ([2, 3], "1 unpaired, 2 unreadable, 1 without a readable partner"),
        ([4], "1 unpaired, 1 unreadable"),
    ],
)
def test_frames_that_cannot_be_read_are_told_from_their_partners(
    tmp_path: Path, damaged: list[int], rest: str
) -> None:
    folder_of(tmp_path, [f"{i}.png" for i in range(5)])
    for i in damaged:
        (tmp_path / f"{i}.png").write_bytes(b"")
    with vs.scan(str(tmp_path), **QUICK) as run:
        first = describe(run.summary()).splitlines()[0]
    assert first.partition("scored, ")[2] == rest
