"""Runs whose frames are originals or synthesised: what is stated, pooled, ruled and flagged."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.interpolated import STEP, N, Pixels, call, interpolated

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.scoring import pipeline
from vfiscope.segments import failures
from vfiscope.types import Role, Status


@pytest.mark.slow
def test_scores_never_decide_what_frames_are(
    truth: Pixels, low: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"metrics": "psnr", "maps": "none", "fields": "none"}
    hint = (
        "one frame in 2, from 0 on, is much better in psnr than those between: if these are"
        " originals passed"
    )
    with (
        caplog.at_level("WARNING", "vfiscope"),
        vs.score(interpolated(low, "blend"), ref=truth, **options) as run,
    ):
        assert (run.frames.role == Role.UNKNOWN).all()
        assert (run.role, run.summary()["role"], run.summary()["roles"]) == ("all", "all", {})
        (warning,) = run.warnings
        assert warning.startswith(hint)
        assert "state it with --multiplier 2;" in warning
        assert hint in caplog.text
        assert run.status == "ok"
    with vs.score(interpolated(low, "blend")[1:], ref=truth[1:], **options) as run:
        assert (
            "let the clip begin with one of them and state it with --multiplier 2;"
            in run.warnings[0]
        )
    with vs.score(interpolated(low, "blend")) as run:
        assert (run.frames.role == Role.UNKNOWN).all()
        assert run.warnings[0].startswith(
            "one frame in 2, from 0 on, is much better in ghosting than those between"
        )
    with vs.score(interpolated(low, "blend"), ref=truth, multiplier=2, **options) as run:
        assert run.warnings == []
    with vs.score(truth, ref=truth[::-1][::-1] // 2, **options) as run:
        assert run.warnings == []


@pytest.mark.slow
@pytest.mark.parametrize("n", [N, N - 1])
def test_originals_stated_of_a_video_alone(low: Pixels, n: int) -> None:
    """Synthesised frames are judged between the originals around them, and originals not at all."""
    with vs.score(interpolated(low, "repeat")[:n], multiplier=2) as run:
        rows = np.arange(n)
        made, last = rows % 2 == 1, n - 1
        np.testing.assert_array_equal(
            run.frames.role, np.where(made, Role.SYNTHESISED, Role.PASSED)
        )
        np.testing.assert_array_equal(run.frames.phase, np.where(made, 0.5, 0.0))
        alone = made & (rows == last)  # behind its last original there is none after it
        np.testing.assert_array_equal(
            run.frames.ref_index, np.where(alone, -1, np.where(made, rows - 1, rows))
        )
        np.testing.assert_array_equal(
            run.frames.status, np.where(alone, Status.UNPAIRED, Status.OK)
        )
        judged = made & ~alone
        np.testing.assert_allclose(run.scores["midpoint_px"][judged], -STEP / 2, atol=0.1)
        np.testing.assert_array_equal(run.scores["cosine_before"][judged], 0)
        for name, column in run.scores.items():
            assert np.isnan(column[~judged]).all(), name
        assert run.status == "ok"
        summary = run.summary()
        assert summary["role"] == "synthesised"
        assert summary["metrics"]["midpoint_px"]["defined"] == judged.sum() == 10 - alone.sum()
        assert summary["roles"]["passed"]["metrics"] == {}
        counts = summary["frames"]
        assert (counts["scored"], counts["unpaired"], counts["total"]) == (
            judged.sum(),
            alone.sum(),
            n,
        )


def test_originals_stated_of_a_video_alone_at_every_third_frame(truth: Pixels) -> None:
    with vs.score(truth, multiplier=3, metrics="midpoint_px", start=2) as run:
        rows = np.arange(2, N)
        np.testing.assert_array_equal(
            run.frames.role, np.where(rows % 3, Role.SYNTHESISED, Role.PASSED)
        )
        np.testing.assert_allclose(run.frames.phase, rows % 3 / 3)
        judged = (
            (rows > 3) & (rows % 3 != 0) & (rows < 18)
        )  # frame 2 follows an original that was not read
        np.testing.assert_array_equal(np.isfinite(run.scores["midpoint_px"]), judged)
        assert np.abs(run.scores["midpoint_px"][judged]).max() < 0.15
    with pytest.raises(
        UsageError,
        match="3 frames, none synthesised between two originals: pass 4 or more, or --ref",
    ):
        vs.score(truth[:3], multiplier=3)


GATED = {"metrics": ("psnr",), "maps": ("none",), "fields": ("none",)}


def test_the_gate_of_the_docs_fires_where_every_synthesised_frame_of_a_stretch_is_bad(
    truth: Pixels,
) -> None:
    """Every second frame is an original, and from 7 to 11 those between are shifted by 4
    columns."""
    test = truth.copy()
    for bad in (7, 9, 11):
        test[bad] = np.roll(test[bad], 4, axis=1)
    page = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text("utf-8")
    (gate,) = (
        rule for rule in re.findall(r'--fail-on "([^"]+)"', page) if rule.endswith("for 3 frames")
    )
    other = "psnr of all < 28 for 2 frames"
    with vs.score(test, ref=truth, multiplier=2, flag=(gate,), **GATED) as run:
        assert failures([gate, "psnr < 28 for 4 frames", other], run) == {
            gate: "3 synthesised frames, the first in [7, 12)"
        }
        assert [(s.start, s.stop, s.role) for s in run.segments if s.rule] == [
            (7, 12, "synthesised")
        ]
        assert run.scores["psnr"][[7, 9, 11]].max() < 28
    with vs.score(test, ref=truth, **GATED) as run:
        assert failures([gate], run) == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"source": True, "fail_on": "mean(psnr) < 30"},
            "psnr has no value for synthesised frames here, only for passed",
        ),
        (
            {"source": True, "flag": "warp of passed > 1"},
            "warp has no value for passed frames here, only for synthesised",
        ),
        ({"multiplier": 2, "flag": "warp of passed > 1"}, "write 'warp of synthesised > 1'"),
        (
            {"ref": True, "multiplier": 2, "metrics": "warp", "flag": "warp of passed > 1"},
            "warp has no value for passed",
        ),
        (
            {"flag": "warp of passed > 1"},
            "is about passed frames, but the roles of these frames are unknown",
        ),
    ],
)
def test_a_rule_that_could_never_be_met_is_refused_before_scoring(
    truth: Pixels,
    low: Pixels,
    options: dict[str, object],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "score_pairs", lambda *_: pytest.fail("frames were scored"))
    inputs = {name: frames for name, frames in (("ref", truth), ("source", low)) if name in options}
    with pytest.raises(UsageError, match=message):
        vs.score(truth, **{**options, **inputs})


def test_flagging_again_and_resuming_keep_to_the_role(
    truth: Pixels, low: Pixels, tmp_path: Path
) -> None:
    out = str(tmp_path / "a.h5")
    vs.score(interpolated(low, "blend"), ref=truth, multiplier=2, out=out, **GATED).close()
    bad = call(
        "flag",
        out,
        "--rule",
        "psnr of all > 1 for 21 frames",
        "--fail-on",
        "mean(psnr) > 1",
        "--json",
    )
    summary = json.loads(bad.output.splitlines()[0])
    ruled = [s for s in summary["segments"] if s["rule"]]
    assert [(s["start"], s["stop"], s["role"]) for s in ruled] == [(0, 21, "all")]
    assert summary["failures"] == {
        "mean(psnr) > 1": f"mean(psnr of synthesised) = {summary['metrics']['psnr']['mean']:.4g}"
    }
    assert math.isfinite(summary["metrics"]["psnr"]["mean"])
    with vs.flag(out, ["psnr > 1 for 10 frames"]) as run:
        ruled = [each for each in run.segments if each.rule]
        assert [(s.start, s.stop, s.role) for s in ruled] == [(1, 20, "synthesised")]
    vs.score(interpolated(low, "blend"), ref=truth, out=str(tmp_path / "b.h5"), **GATED).close()
    refused = call("flag", str(tmp_path / "b.h5"), "--fail-on", "mean(psnr of passed) < 1")
    assert refused.exit_code == 1
    assert "but the roles of these frames are unknown" in str(refused.exception)


def test_a_run_without_a_value_for_synthesised_frames_says_so(
    truth: Pixels, low: Pixels, tmp_path: Path
) -> None:
    synth.write_video(tmp_path / "t.mp4", interpolated(low, "blend"), rate=24, crf=18)
    synth.write_video(tmp_path / "s.mp4", low, rate=12, crf=18)
    out = tmp_path / "a.h5"
    for line in (
        f"score {tmp_path}/t.mp4 --source {tmp_path}/s.mp4 --metrics psnr -o {out}",
        f"info {out}",
    ):
        result = call(*line.split())
        assert result.exit_code == 0, result.output
        assert "no metric has a value for any of them" in result.output
        assert "frames passed through, mean: psnr" in result.output


def test_a_metric_without_a_value_for_synthesised_frames_makes_a_run_partial(truth: Pixels) -> None:
    with vs.score(truth[:9], ref=truth[:9], multiplier=2, align=8, metrics=["psnr"]) as run:
        assert run.status == "partial"
        assert "psnr is defined for no synthesised frame" in run.notes
