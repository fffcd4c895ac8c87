"""Gates over the segments of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.cli import call
from helpers.results import make_scores
from helpers.stored import store_run

from vfiscope.errors import UsageError
from vfiscope.segments import Columns, flag
from vfiscope.segments.detectors import DETECTORS, Detector
from vfiscope.segments.failures import failures_of
from vfiscope.types import Segment


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
    dim = Detector("dim", [], lambda columns: [], kinds=["dim"])
    monkeypatch.setitem(DETECTORS._things, "dim", dim)
    assert met("count(dim) > 1") == {}


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
