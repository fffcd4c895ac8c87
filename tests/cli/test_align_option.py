"""Alignment from the command line: what ``--align`` prints, stores and refuses, and what is seen
while it works."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.cli import call

import vfiscope as vs
from vfiscope import synth
from vfiscope.types import Match

QUICK = ["--metrics", "psnr", "--maps", "none", "--fields", "none"]
N = 24
SHOWS = np.delete(np.arange(N), 10)
"""Frames of the truth that the dropped clip shows."""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    frames = synth.Scene(96, 160, seed=4).clip(N).frames
    synth.write_video(folder / "truth.mp4", frames, crf=12)
    synth.write_video(folder / "dropped.mp4", frames[SHOWS], crf=28)
    synth.write_video(folder / "late.mp4", frames[3:], crf=28)
    synth.write_images(folder, frames[:1], "still_%d.png")
    return folder


def score(media: Path, test: str, out: Path, *more: object) -> int:
    return call("score", media / test, "--ref", media / "truth.mp4", "-o", out, *QUICK, *more)


def test_auto_prints_two_lines_and_stores_the_map(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(media, "dropped.mp4", tmp_path / "a.h5", "--align", "auto", "--json") == 0
    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert first == "vfiscope: aligned 23 of 23 frames: offset +0, rate 1:1, 0 repeated, 1 dropped"
    assert second.startswith("vfiscope: margin: median ")
    pairing = json.loads(out)["pairing"]
    assert (pairing["policy"], pairing["matched"], pairing["dropped_ranges"]) == (
        "map",
        23,
        [[10, 11]],
    )
    with h5py.File(tmp_path / "a.h5") as h5:
        np.testing.assert_array_equal(h5["pairing/ref_index"][()], SHOWS)
        np.testing.assert_array_equal(h5["pairing/label"][()], np.full(23, Match.MATCHED))
        np.testing.assert_array_equal(h5["pairing/dropped"][()], [[10, 11]])
        assert h5["pairing"].attrs["method"] == "auto"
        assert h5["pairing"].attrs["digest"] == pairing["digest"]
        assert (h5["pairing/margin"][()] > 0.2).all()


def test_a_shift_is_stored_as_a_map_that_was_given(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(media, "late.mp4", tmp_path / "a.h5", "--align", "3") == 0
    out, err = capsys.readouterr()
    assert "21 frames scored" in out
    assert err == ""
    with vs.open_run(tmp_path / "a.h5") as run:
        assert (run.pairing["policy"], run.pairing["offset"]) == ("shift", 3)
        assert run.pairing_table is not None
        np.testing.assert_array_equal(run.pairing_table.ref_index, np.arange(3, N))
        assert np.isnan(run.pairing_table.margin).all()
        assert run.scores["psnr"].min() > 30


@pytest.mark.parametrize("given", [[], ["--align", "none"]])
def test_none_is_the_default_and_stores_no_map(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert score(media, "late.mp4", tmp_path / "a.h5", *given) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line
        == "vfiscope: partial: 3 ref frames have no partner: the test is shorter; try --align auto"
    )
    with vs.open_run(tmp_path / "a.h5") as run:
        assert run.pairing_table is None
        assert (run.pairing["policy"], run.pairing["ref_unpaired"]) == ("row", 3)
        np.testing.assert_array_equal(run.frames.ref_index, np.arange(21))
    with h5py.File(tmp_path / "a.h5") as h5:
        assert "pairing" not in h5


@pytest.mark.parametrize("value", ["1.5", "sometimes", "", "+", "12345678901", "0x3"])
def test_a_bad_align_is_one_line(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert score(media, "late.mp4", tmp_path / "a.h5", f"--align={value}") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line
        == f"vfiscope: error: align is {value!r}: pass auto, none, or a shift in frames such as +3"
        " or -17"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["auto", "3", "0"])
@pytest.mark.parametrize("verb", ["scan", "compare"])
def test_scan_and_compare_align_nothing(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, value: str
) -> None:
    still = media / "still_0.png"
    inputs = [media / "late.mp4"] if verb == "scan" else [still, still]
    assert call(verb, *inputs, "-o", tmp_path / "a.h5", *QUICK, "--align", value) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"but {verb} does not align in time: leave it out" in line
    assert f"vfiscope score TEST --ref REF --align {value}" in line
    assert list(tmp_path.iterdir()) == []
    assert call(verb, *inputs, "-o", tmp_path / "a.h5", *QUICK, "--quiet", "--align", "none") == 0


def test_an_alignment_shows_how_far_it_is(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _self: True)
    assert score(media, "dropped.mp4", tmp_path / "a.h5", "--align", "auto") == 0
    err = capsys.readouterr().err
    assert "aligning test" in err
    assert "aligning ref" in err
    assert "s of video" in err
    assert score(media, "dropped.mp4", tmp_path / "b.h5", "--align", "auto", "--quiet") == 0
    assert capsys.readouterr().err == ""
