"""The summary as a person reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.cli import QUICK, call

from vfiscope import synth
from vfiscope.cli.messages import describe

POOLED = {
    **dict.fromkeys(["mean", "p5", "p50", "p95", "worst"], 1.0),
    "worst_index": 5,
    "infinite": 0,
}


def test_a_failure_says_by_what_on_screen_and_in_json(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.h5"
    gate = [
        "--fail-on",
        "mean(psnr) > 0",
        "--fail-on",
        "psnr > 0 for 2 frames",
        "--fail-on",
        "psnr < 0",
    ]
    assert (
        call(
            "score",
            media / "test.mp4",
            "--ref",
            media / "truth.mp4",
            "-o",
            out,
            *QUICK,
            *gate,
            "--json",
        )
        == 1
    )
    printed, err = capsys.readouterr()
    summary = json.loads(printed)
    mean = f"mean(psnr) = {summary['metrics']['psnr']['mean']:.4g}"
    failures = {"mean(psnr) > 0": mean, "psnr > 0 for 2 frames": "12 frames, the first in [0, 12)"}
    assert (summary["failed_on"], summary["failures"]) == (list(failures), failures)
    assert err.splitlines() == [
        f"vfiscope: failed on {rule!r}: {by}" for rule, by in failures.items()
    ]


def test_segments_of_one_range_and_rule_are_one_line() -> None:
    common = {
        "start": 4,
        "stop": 7,
        "kind": "low_score",
        "peak_index": 5,
        "start_time_s": 0.16,
        "stop_time_s": 0.28,
    }
    segments = [
        {**common, "metric": "psnr", "peak": 20.0, "confidence": 0.8, "rule": ""},
        {**common, "metric": "psnr", "peak": 20.0, "confidence": 1.0, "rule": "psnr < 30"},
        {**common, "metric": "ssim", "peak": 0.5, "confidence": 0.9, "rule": ""},
    ]
    segments = [
        {**segment, "role": "all", "evidence": f"because {number}"}
        for number, segment in enumerate(segments)
    ]
    frames = {"scored": 9, "total": 9}
    summary = {
        "mode": "scan",
        "out": "a.h5",
        "frames": frames,
        "role": "all",
        "metrics": {"psnr": {**POOLED, "defined": 9}},
    }
    assert describe({**summary, "roles": {}, "segments": segments}).splitlines()[-4:] == [
        "  [4, 7)  0.160..0.280 s  low_score  psnr 20 at 5, ssim 0.5 at 5  confidence 0.90",
        "      because 2",
        "  [4, 7)  0.160..0.280 s  low_score  psnr 20 at 5  rule 'psnr < 30'",
        "      because 1",
    ]


def test_the_table_is_headed_by_what_it_is_about() -> None:
    signed = {**POOLED, "mean": -0.5, "mean_abs": 2.5, "defined": 5}
    infinite = {**POOLED, "mean": None, "infinite": 4, "defined": 4}
    summary = {
        "mode": "score",
        "out": "a.h5",
        "frames": {"scored": 9, "unpaired": 1, "total": 10},
        "role": "synthesised",
        "metrics": {"midpoint_px": signed},
        "roles": {
            "synthesised": {"frames": 5, "metrics": {"midpoint_px": signed}},
            "passed": {
                "frames": 4,
                "metrics": {"psnr": infinite, "ssim": {**POOLED, "defined": 4}},
            },
            "all": {"frames": 10, "metrics": {}},
        },
        "segments": [],
    }
    assert describe(summary).splitlines() == [
        "a.h5: 9 frames scored, 1 unpaired",
        "",
        "over the 5 synthesised frames of 10:",
        "metric              mean         p5        p50        p95      worst  at frame",
        "midpoint_px         -0.5          1          1          1          1  5",
        "|midpoint_px|        2.5",
        "",
        "4 frames passed through, mean: psnr identical, ssim 1",
    ]
    nothing = {
        "synthesised": summary["roles"]["synthesised"],
        "passed": {"frames": 1, "metrics": {}},
    }
    assert (
        describe({**summary, "roles": nothing}).splitlines()[-1]
        == "1 frame passed through, not judged"
    )
    alone = {**summary, "role": "all", "roles": {}}
    told = "over 5 of 10 frames; if originals were passed through, state --multiplier M:"
    assert describe(alone).splitlines()[2] == told
    assert describe({**alone, "mode": "scan"}).splitlines()[2] == "over 5 of 10 frames:"
    whole = {**alone, "mode": "scan", "metrics": {"midpoint_px": {**signed, "defined": 10}}}
    assert describe(whole).splitlines()[2] == "over all 10 frames:"
    some = {**summary, "metrics": {"midpoint_px": {**signed, "defined": 3}}}
    assert describe(some).splitlines()[2] == "over 3 of the 5 synthesised frames of 10:"


def test_a_compared_pair_has_one_value_for_each_metric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    synth.write_images(tmp_path / "shots", synth.Scene(32, 32).frames(1))
    (image,) = (tmp_path / "shots").iterdir()
    assert call("compare", image, image, "-o", tmp_path / "a.h5", "--metrics", "psnr,ssim,mse") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("a.h5: 1 frame compared")
    assert [line.split() for line in lines[2:]] == [
        ["psnr", "identical"],
        ["ssim", "1"],
        ["mse", "0"],
        [],
        ["Nothing", "changed."],
    ]
