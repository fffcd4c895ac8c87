"""What test and reference have in common, and whether they stay as they were."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import from_planes, moving, noise, write_video
from PIL import Image

import vfiscope as vs
from vfiscope.cli.program import main
from vfiscope.options import RunConfig
from vfiscope.scoring import pipeline
from vfiscope.scoring.provenance import changed, stamp_files
from vfiscope.scoring.warnings import disagreements
from vfiscope.sources import Source, open_source
from vfiscope.types import Scores

QUICK: dict[str, Any] = {"metrics": ("psnr",), "maps": ("none",), "fields": ("none",)}


def flat(path: Path, *, bits: int = 8, **tags: Any) -> Path:
    """Four gray frames of 32x32 with these tags."""
    dtype = np.uint8 if bits == 8 else np.uint16
    planes = [np.full((32, 32), value << (bits - 8), dtype) for value in (120, 128, 128)]
    pix_fmt = "yuv444p" if bits == 8 else f"yuv444p{bits}le"
    return write_video(path, [from_planes(planes, pix_fmt)] * 4, pix_fmt=pix_fmt, **tags)


@pytest.mark.parametrize(
    ("tags", "other", "warning"),
    [
        (
            {"matrix": 1},
            {"matrix": 5},
            "colour matrix differs: test is read as bt709 (assumed), ref as bt601 (assumed)",
        ),
        (
            {},
            {"matrix": 1, "color_range": 1},
            "colour matrix differs: test is read as bt601 (assumed), ref as bt709 (tag)",
        ),
        (
            {"matrix": 1, "color_range": 1},
            {"matrix": 1, "color_range": 2},
            "range differs: test is read as limited (tag), ref as full (tag)",
        ),
        ({}, {"bits": 10}, "depth differs: test has 8 bits, ref has more than 8 bits"),
        (
            {"transfer": 1},
            {"transfer": 14},
            "transfer differs: test is read as bt709 (assumed), ref as bt2020-10 (assumed)",
        ),
    ],
)
def test_a_difference_of_interpretation_is_warned_of_and_stored(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tags: dict[str, Any],
    other: dict[str, Any],
    warning: str,
) -> None:
    test, ref = flat(tmp_path / "test.mkv", **tags), flat(tmp_path / "ref.mkv", **other)
    out = tmp_path / "a.h5"
    words = [
        "score",
        test,
        "--ref",
        ref,
        "-o",
        out,
        "--metrics",
        "psnr",
        "--maps",
        "none",
        "--fields",
        "none",
    ]
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    assert caught.value.code == 0
    assert f"vfiscope: warning: {warning}" in capsys.readouterr().err.splitlines()
    with vs.open_run(out) as run:
        assert run.warnings == [warning]
        assert run.status == "ok"
        assert run.notes == []
        assert json.loads(json.dumps(run.summary()))["warnings"] == [warning]


def test_what_is_read_alike_is_not_warned_of(tmp_path: Path) -> None:
    path = flat(tmp_path / "a.mkv", matrix=1)
    with vs.score(str(path), ref=str(path), **QUICK) as run:
        assert run.warnings == []


def test_pictures_and_video_have_no_common_matrix(tmp_path: Path) -> None:
    with open_source(noise(4, 32, 32)) as ref, open_source(flat(tmp_path / "a.mkv")) as test:
        assert disagreements({"test": test, "ref": ref}) == []
        assert disagreements({"test": test}) == []


def numbered(folder: Path, numbers: Iterable[int]) -> str:
    """A folder of images named by these numbers, each with its own picture."""
    folder.mkdir()
    made = moving(14, 24, 32)
    for number in numbers:
        Image.fromarray(made[number]).save(folder / f"f_{number:03}.png")
    return str(folder)


WHOLE, LACKS_7, LACKS_3 = range(12), [*range(7), *range(8, 12)], [*range(3), *range(4, 12)]


@pytest.mark.parametrize(
    ("test", "ref", "expected"),
    [
        (LACKS_7, WHOLE, [("test", "numbering jumps from 6 to 8 (1 missing)", "ref", "one")]),
        (WHOLE, LACKS_7, [("ref", "numbering jumps from 6 to 8 (1 missing)", "test", "one")]),
        (
            [0, 1, 2, 5, 6, 7, 8, 9],
            WHOLE,
            [("test", "numbering jumps from 2 to 5 (2 missing)", "ref", 2)],
        ),
        (
            LACKS_3,
            LACKS_7,
            [
                ("test", "numbering jumps from 2 to 4 (1 missing)", "ref", "one"),
                ("ref", "numbering jumps from 6 to 8 (1 missing)", "test", "one"),
            ],
        ),
        (
            [0, 1, 2, 4, 5, 6, 8, 9, 10, 11],
            LACKS_3,
            [("test", "numbering jumps from 6 to 8 (1 missing)", "ref", "one")],
        ),
    ],
)
def test_a_gap_in_one_numbering_is_warned_of(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    test: list[int],
    ref: list[int],
    expected: list[tuple[str, str, str, object]],
) -> None:
    path = {"test": numbered(tmp_path / "a", test), "ref": numbered(tmp_path / "b", ref)}
    warnings = [
        f"{role} {path[role]}: {jump}; unless {other} {path[other]} lacks it too, frames from there"
        f" on are paired {off} off: add what is missing, or pass --align auto"
        for role, jump, other, off in expected
    ]
    with (
        caplog.at_level("WARNING", "vfiscope"),
        vs.score(path["test"], ref=path["ref"], **QUICK) as run,
    ):
        assert run.summary()["warnings"] == warnings
        assert [each for each in run.warnings if each in caplog.text] == warnings


def test_a_gap_that_pairs_survive_is_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a, b, whole = (
        numbered(tmp_path / name, have)
        for name, have in zip("abw", (LACKS_7, LACKS_7, WHOLE), strict=True)
    )
    jump = "numbering jumps from 6 to 8 (1 missing)"
    with caplog.at_level("INFO", "vfiscope"), vs.score(a, ref=b, **QUICK) as run:
        assert run.warnings == []
        assert f"test {a}: {jump}, as in the other: pairs stay right" in caplog.messages
        assert f"ref {b}: {jump}, as in the other: pairs stay right" in caplog.messages
    caplog.clear()
    with caplog.at_level("INFO", "vfiscope"), vs.score(a, ref=whole, align="auto", **QUICK) as run:
        assert run.frames.ref_index.tolist() == LACKS_7  # the remedy of the warning
        assert run.warnings == []
        assert f"test {a}: {jump}" in caplog.messages
    with vs.score(a, ref=whole, stop=7, **QUICK) as run:
        assert run.warnings == []
    with vs.score(a, ref=whole, stop="0.28s", **QUICK) as run:
        assert run.warnings == []
    with vs.score(a, ref=whole, stop=8, **QUICK) as run:
        assert len(run.warnings) == 1
    late = numbered(tmp_path / "late", [*range(9), *range(10, 14)])
    with vs.score(a, ref=late, align=2, **QUICK) as run:
        assert run.warnings == []
    with vs.score(a, ref=late, align=1, **QUICK) as run:
        assert len(run.warnings) == 2


def test_a_gap_is_warned_of_where_frames_follow_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = numbered(tmp_path / "a", LACKS_7)
    warning = (
        f"test {folder}: numbering jumps from 6 to 8 (1 missing); frames are taken to follow each"
        " other: add what is missing"
    )
    for verb, more in (("scan", []), ("scan", ["--golden", "0"]), ("score", [])):
        options = [
            "--metrics",
            "cut" if verb == "score" else "psnr",
            "--maps",
            "none",
            "--json",
            "--overwrite",
        ]
        with pytest.raises(SystemExit, match=r"^0$"):
            main([verb, folder, "-o", str(tmp_path / "a.h5"), *options, *more])
        out, err = capsys.readouterr()
        assert warning in json.loads(out)["warnings"]
        assert f"vfiscope: warning: {warning}\n" in err


def test_hdr_against_ordinary_video_is_warned_of(tmp_path: Path) -> None:
    hdr, sdr = (
        flat(tmp_path / "h.mkv", bits=10, matrix=9, transfer=16),
        flat(tmp_path / "s.mkv", bits=10, matrix=9),
    )
    with open_source(hdr, tonemap="reinhard") as test, open_source(sdr) as ref:
        assert [*map(str, disagreements({"test": test, "ref": ref}))] == [
            "only one is HDR: test smpte2084, ref unknown"
        ]


def images(folder: Path, n: int = 4) -> Path:
    folder.mkdir()
    for i, pixels in enumerate(noise(n, 32, 32)):
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def meddled(path: Path, how: str) -> None:
    if how == "grow":
        with open(path, "ab") as file:
            file.write(b"more")
    elif how == "touch":
        os.utime(path, ns=(1, 1))
    elif how == "remove":
        path.unlink()
    elif how == "add":
        Image.fromarray(noise(1, 32, 32)[0]).save(path.parent / "99.png")


@pytest.mark.parametrize("how", ["grow", "touch", "remove", "add"])
def test_a_folder_that_changes_while_it_is_read_makes_the_run_partial(
    tmp_path: Path, how: str
) -> None:
    folder = images(tmp_path / "shots")

    def watch(scores: Iterable[Scores], source: Source, done: int) -> Iterator[Scores]:
        yield from scores
        meddled(folder / "2.png", how)

    config = RunConfig("scan", str(folder), out=str(tmp_path / "a.h5"), **QUICK)
    with pipeline.run(config, watch=watch) as run:
        assert run.status == "partial"
        assert len(run) == 4
        (note,) = run.notes
        assert (
            "holds other files" if how == "add" else "2.png changed while the run was reading"
        ) in note


def test_a_video_that_grows_while_it_is_read_makes_the_run_partial(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving(6, 32, 32))

    def watch(scores: Iterable[Scores], source: Source, done: int) -> Iterator[Scores]:
        yield from scores
        meddled(path, "grow")

    with pipeline.run(
        RunConfig("scan", str(path), out=str(tmp_path / "a.h5"), **QUICK), watch=watch
    ) as run:
        assert run.notes == [
            f"{path} changed while the run was reading: scores may be of neither state"
        ]
        assert run.status == "partial"


def test_what_does_not_change_is_not_noted(tmp_path: Path) -> None:
    for target in (
        images(tmp_path / "shots"),
        write_video(tmp_path / "a.mkv", moving(6, 32, 32)),
        noise(2, 8, 8),
    ):
        with open_source(target) as source:
            before = stamp_files(source)
            list(source)
            assert changed(source, before) == []


def test_several_files_that_change_are_counted(tmp_path: Path) -> None:
    folder = images(tmp_path / "shots")
    with open_source(folder) as source:
        before = stamp_files(source)
        for name in ("1.png", "3.png"):
            meddled(folder / name, "grow")
        assert [*map(str, changed(source, before))] == [
            f"{folder / '1.png'} and 1 other file changed while the run was reading: scores may be"
            " of neither state"
        ]
