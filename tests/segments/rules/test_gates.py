"""Gates over the segments of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.cli import call
from helpers.results import make_scores
from helpers.stored import store_run

from vfiscope.errors import UsageError
from vfiscope.segments import Columns, flag
from vfiscope.segments.detectors import DETECTORS, Detector
from vfiscope.segments.failures import failures_of
from vfiscope.types import Answer, Segment


def segment(kind: str, start: int, stop: int, role: str = "all") -> Segment:
    return Segment(start, stop, kind, "m", 0.0, start, 0.9, start / 25, stop / 25, "", role)


SEGMENTS = [
    segment("freeze", 4, 10),
    segment("duplicate", 12, 13),
    segment("duplicate", 20, 21),
    segment("static", 22, 72),
    segment("blur", 80, 81, "passed"),
    segment("warp", 84, 85, "synthesised"),
]


def met(*rules: str) -> dict[str, str]:
    frames = make_scores(100).frames
    frames = replace(frames, index=np.arange(100), role=np.arange(100).astype(np.uint8) % 2)
    return failures_of(rules, Columns(frames, {}, {}), SEGMENTS)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("any(freeze)", "1 segment, the first freeze in [4, 10)"),
        ("any(freeze) for 0.24 s", "1 segment, the first freeze in [4, 10)"),
        ("any(freeze) for 6 frames", "1 segment, the first freeze in [4, 10)"),
        ("any(freeze) for 0.25 s", None),
        ("any(freeze) for 7 frames", None),
        ("any(duplicate)", "2 segments, the first duplicate in [12, 13)"),
        ("any(drop)", None),
        ("any(fault)", "4 segments, the first freeze in [4, 10)"),
        ("any(fault) for 1 s", None),
        ("any(static) for 1 s", "1 segment, the first static in [22, 72)"),
        ("any(blur)", None),  # of originals, of which headline numbers are not
        ("any(warp) for 1 frame", "1 segment, the first warp in [84, 85)"),
        ("count(duplicate) > 1", "count(duplicate) = 2, the first duplicate in [12, 13)"),
        ("count(duplicate) > 2", None),
        ("count(fault) >= 4", "count(fault) = 4, the first freeze in [4, 10)"),
        ("count(drop) < 1", "count(drop) = 0"),
    ],
)
def test_gates(rule: str, expected: str | None) -> None:
    assert met(rule) == ({} if expected is None else {rule: expected})


def test_a_kind_that_no_detector_flags_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UsageError, match=r"no kind 'freez' of segments: did you mean 'freeze'\?"
    ) as caught:
        met("any(freez) for 1 s")
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="no kind 'dim' of segments"):
        met("count(dim) > 1")
    for dim in (
        Detector("shade", [], lambda columns: [], kinds=["dim"]),
        Detector("dim", [], lambda columns: []),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(DETECTORS._things, dim.name, dim)
            assert met("count(dim) > 1") == {}


ANSWERED = [
    Answer(frame, word, regions, 0.0, "1", 1.0, "")
    for frame, (word, regions) in enumerate(
        [("same", 0), ("changed", 2), ("moved", 0), ("changed", 1), ("same", 0)], 4
    )
]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("count(regions) > 0", "count(regions) = 3, the first in frame 5"),
        ("count(regions) >= 4", None),
        ("any(regions)", "3 regions, the first in frame 5"),
        ("any(changed)", "changed in 2 of 5, the first in frame 5"),
        ("any(Moved)", "moved in 1 of 5, the first in frame 6"),
        ("any(undecided)", None),
        ("count(same) < 3", "count(same) = 2, the first in frame 4"),
        ("count(light) < 1", "count(light) = 0"),
    ],
)
def test_gates_on_what_changed(rule: str, expected: str | None) -> None:
    known = Columns(make_scores(9).frames, {}, {})
    found = failures_of([rule], known, SEGMENTS, ANSWERED)
    assert found == ({} if expected is None else {rule: expected})
    assert failures_of(["any(changed)", "count(regions) > 0"], known, SEGMENTS, []) == {}
    with pytest.raises(UsageError, match="no regions are sought: add --regions auto"):
        failures_of([rule], known, SEGMENTS)


def test_one_pair_is_asked_for_its_answer() -> None:
    known = Columns(make_scores(1).frames, {}, {})
    found = failures_of(["any(changed)", "any(regions)"], known, (), ANSWERED[1:2])
    assert found == {"any(changed)": "the answer is changed", "any(regions)": "2 regions"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("regions > 0", r"write count\(regions\) > 0, or any\(changed\)"),
        ("answer == changed", r"no score or signal is called answer: write count\(regions\) > 0"),
        ("any(changed) for 2 frames", "expected the end, because answers and regions have no"),
        ("any(chaned)", r"no kind 'chaned' of segments: did you mean 'changed'\?"),
    ],
)
def test_what_cannot_be_asked_of_changes_is_said(rule: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        failures_of([rule], Columns(make_scores(1).frames, {}, {}), (), ANSWERED)


def test_a_run_is_asked_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marked = np.full((48, 64, 3), 100, np.uint8)
    cv2.imwrite(str(tmp_path / "ref.png"), marked)
    marked[10:26, 20:44] = 200
    cv2.imwrite(str(tmp_path / "test.png"), marked)
    pair = (tmp_path / "test.png", tmp_path / "ref.png", "--metrics", "psnr", "--quiet")
    gates = ("--fail-on", "count(regions) > 0", "--fail-on", "any(same)", "-o", tmp_path / "a.h5")
    assert call("compare", *pair, "--regions", "none", *gates) == 2
    assert "no regions are sought: add --regions auto" in capsys.readouterr().err
    assert call("compare", *pair, "--fail-on", "changed_area > 0.1", *gates[-2:]) == 2
    assert "a signal that is relative to a golden frame: use scan" in capsys.readouterr().err
    assert call("compare", *pair, "--regions", "absdiff", *gates) == 1
    assert capsys.readouterr().err == (
        "vfiscope: failed on 'count(regions) > 0': count(regions) = 1\n"
    )
    path = store_run(tmp_path / "b.h5", {"ssim": [0.9, 0.5]})
    assert call("flag", path, "--fail-on", "any(changed)") == 2
    assert f"no regions are sought: run vfiscope regions {path} first" in capsys.readouterr().err


def test_a_gate_marks_no_frames() -> None:
    scores = make_scores(5)
    with pytest.raises(UsageError, match=r"'any\(freeze\)' is about segments and marks no frames"):
        flag(scores.frames, scores.values, {}, ["any(freeze)"])


def test_the_command_fails_on_segments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = store_run(tmp_path / "a.h5", {"ssim": [0.9, 0.5, 0.5, 0.9]})
    gates = ("any(low_score) for 2 frames", "count(low_score) > 1", "any(fault)")
    asked = [argument for gate in gates for argument in ("--fail-on", gate)]
    assert call("flag", path, "--rule", "ssim < 0.7 * max", *asked, "--json") == 1
    out, err = capsys.readouterr()
    by = "1 segment, the first low_score in [1, 3)"
    assert json.loads(out)["failures"] == {gates[0]: by, gates[2]: by}
    assert err.splitlines()[0] == f"vfiscope: failed on {gates[0]!r}: {by}"
    assert call("flag", path, "--fail-on", "any(freez)") == 2
    assert "did you mean 'freeze'" in capsys.readouterr().err
