"""The summary of a result, its pools and the rows of a role."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.results import (
    MISMATCH,
    PSNR,
    REGION,
    SEGMENT,
    SSIM,
    finish,
    make_header,
    make_scores,
    segments_result,
)

from vfiscope.errors import UsageError
from vfiscope.store import Run, StageResult, Table, Writer, pool
from vfiscope.types import MetricSpec, Region, Role, Scores, Status

ROWS = 100


def summary_of(
    tmp_path: Path,
    values: list[float],
    spec: MetricSpec = PSNR,
    role: Sequence[int] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    scores = make_scores(len(values))
    roles = (
        np.full(len(values), Role.UNKNOWN, np.uint8) if role is None else np.array(role, np.uint8)
    )
    header = make_header(metrics={spec.name: spec}, maps={}, fields={})
    with Writer(tmp_path / "s.h5", header) as writer:
        partners = np.where(scores.frames.status == Status.UNPAIRED, -1, scores.frames.index)
        partners[6:] = -1
        frames = replace(
            scores.frames, index=scores.frames.index + 10, ref_index=partners, role=roles
        )
        writer.append(Scores(frames, {spec.name: np.array(values, np.float32)}, {}, {}))
        finish(writer, **{"stages": [], **changes})
    with Run(tmp_path / "s.h5") as run:
        summary = run.summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    return summary


def test_summary_of_a_hand_made_run(tmp_path: Path) -> None:
    summary = summary_of(
        tmp_path,
        [30.0, np.inf, 10.0, np.nan, 20.0, 40.0, 10.0],
        timings={"seconds": 3.5},
        stages=[
            segments_result([replace(SEGMENT, start=11, stop=14, peak_index=12)]),
            StageResult("regions", 1, {}, {"regions": Table(Region, [REGION])}),
        ],
    )
    assert list(summary) == [
        "mode",
        "out",
        "frames",
        "taken",
        "independent",
        "role",
        "metrics",
        "roles",
        "signals",
        "verdict",
        "segments",
        "rules",
        "regions",
        "pairing",
        "status",
        "notes",
        "warnings",
        "seconds",
        "fps",
    ]
    # status runs 0 1 2 3 0 1 2: ok, unpaired, corrupt, unreadable; the last has no partner either
    assert summary["frames"] == {
        "scored": 3,
        "unpaired": 3,
        "corrupt": 2,
        "unreadable": 1,
        "partner_unreadable": 0,
        "total": 7,
    }
    psnr = summary["metrics"]["psnr"]
    # the finite values, sorted: 10 10 20 30 40
    assert psnr == {
        "mean": 22.0,
        "std": pytest.approx(136**0.5, rel=1e-15),
        "min": 10.0,
        "p1": 10.0,
        "p5": 10.0,
        "p50": 20.0,
        "p95": pytest.approx(38.0, rel=1e-15),
        "p99": pytest.approx(39.6, rel=1e-15),
        "max": 40.0,
        "worst": 10.0,
        "worst_index": 12,
        "infinite": 1,
        "defined": 6,
    }
    assert (summary["role"], summary["roles"]) == ("all", {})
    assert (summary["mode"], summary["out"], summary["regions"]) == (
        "score",
        str(tmp_path / "s.h5"),
        1,
    )
    assert (summary["status"], summary["notes"]) == ("ok", ["first", "zweite"])
    assert (summary["seconds"], summary["fps"]) == (3.5, 2.0)
    assert summary["segments"] == [
        {
            "start": 11,
            "stop": 14,
            "kind": "blür",
            "metric": "ssim",
            "peak": 0.25,
            "peak_index": 12,
            "confidence": 0.875,
            "start_time_s": 0.1,
            "stop_time_s": 0.3,
            "rule": "",
            "role": "all",
            "evidence": "",
        }
    ]


SIGNED = MetricSpec("midpoint_px", "px", -np.inf, np.inf, True, 0.0, 0.1, "signed")


ROLES = [
    Role.PASSED,
    Role.SYNTHESISED,
    Role.PASSED,
    Role.SYNTHESISED,
    Role.UNKNOWN,
    Role.SYNTHESISED,
]


def test_the_headline_is_about_synthesised_frames_where_these_are_told_apart(
    tmp_path: Path,
) -> None:
    summary = summary_of(tmp_path, [np.inf, 30.0, 50.0, 20.0, 5.0, np.nan], role=ROLES)
    assert summary["role"] == "synthesised"
    assert list(summary["roles"]) == ["synthesised", "passed", "all"]
    assert summary["metrics"] == summary["roles"]["synthesised"]["metrics"]
    frames = {role: part["frames"] for role, part in summary["roles"].items()}
    assert frames == {"synthesised": 3, "passed": 2, "all": 6}
    told = ("mean", "min", "max", "worst_index", "infinite", "defined")
    pooled = {
        role: [part["metrics"]["psnr"][key] for key in told]
        for role, part in summary["roles"].items()
    }
    assert pooled == {
        "synthesised": [25.0, 20.0, 30.0, 13, 0, 2],
        "passed": [50.0, 50.0, 50.0, 12, 1, 2],
        "all": [26.25, 5.0, 50.0, 14, 1, 5],
    }


def test_a_metric_of_passed_frames_alone_is_not_in_the_headline(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [40.0, np.nan, 50.0, np.nan, np.nan, np.nan], role=ROLES)
    assert {role: list(part["metrics"]) for role, part in summary["roles"].items()} == {
        "synthesised": [],
        "passed": ["psnr"],
        "all": ["psnr"],
    }
    assert summary["metrics"] == {}


def test_a_signed_metric_has_its_mean_without_signs_everywhere(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [np.nan, 3.0, np.nan, -1.0, np.nan, 4.0], SIGNED, role=ROLES)
    pooled = summary["metrics"]["midpoint_px"]
    assert (pooled["mean"], pooled["mean_abs"]) == (2.0, pytest.approx(8 / 3, rel=1e-15))
    assert summary["roles"]["all"]["metrics"]["midpoint_px"] == pooled
    # of one sign too, so that the label is the same in every run
    (tmp_path / "b").mkdir()
    assert (
        summary_of(tmp_path / "b", [-1.0, -2.0], SIGNED)["metrics"]["midpoint_px"]["mean_abs"]
        == 1.5
    )


def test_rows_of_a_run_by_role(tmp_path: Path) -> None:
    summary_of(tmp_path, [1.0] * 6, role=ROLES)
    with Run(tmp_path / "s.h5") as run:
        assert run.role == "synthesised"
        assert (
            run.rows().tolist()
            == run.rows("synthesised").tolist()
            == [False, True, False, True, False, True]
        )
        assert run.rows("passed").tolist() == [True, False, True, False, False, False]
        assert run.rows("all").all()
        with pytest.raises(
            UsageError, match="there is no role 'made': choose all, synthesised, passed, or held"
        ):
            run.rows("made")


def test_summary_of_identical_clips(tmp_path: Path) -> None:
    psnr = summary_of(tmp_path, [np.inf] * 5)["metrics"]["psnr"]
    assert {name for name, value in psnr.items() if value is not None} == {"infinite", "defined"}
    assert (psnr["infinite"], psnr["defined"]) == (5, 5)


def test_summary_of_scores_that_are_nowhere_defined(tmp_path: Path) -> None:
    psnr = summary_of(tmp_path, [np.nan] * 5)["metrics"]["psnr"]
    assert {name for name, value in psnr.items() if value is not None} == {"infinite", "defined"}
    assert (psnr["infinite"], psnr["defined"]) == (0, 0)


@pytest.mark.parametrize(
    ("spec", "values", "worst"),
    [
        (SSIM, [0.9, 0.2, 0.5], 11),
        (MISMATCH, [0.1, 0.2, 0.9], 12),
        (SIGNED, [0.5, -3.0, 2.0], 11),
        (SIGNED, [-0.5, 1.0, 2.0], 12),
    ],
)
def test_the_worst_frame_follows_the_direction(
    tmp_path: Path, spec: MetricSpec, values: list[float], worst: int
) -> None:
    assert summary_of(tmp_path, values, spec)["metrics"][spec.name]["worst_index"] == worst


def test_statistics_are_of_double_precision(tmp_path: Path) -> None:
    values = [100.0, *[1e-6] * 999]
    mean = summary_of(tmp_path, values)["metrics"]["psnr"]["mean"]
    assert mean == pytest.approx((100 + 999 * float(np.float32(1e-6))) / 1000, rel=1e-15)


def test_summary_without_timings(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [1.0], timings={})
    assert (summary["seconds"], summary["fps"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean", 2.5),
        ("min", 1.0),
        ("max", 4.0),
        ("p50", 2.5),
        ("p0", 1.0),
        ("p100", 4.0),
        ("p12.5", 1.375),
    ],
)
def test_pools(name: str, expected: float) -> None:
    assert pool(np.array([3, np.nan, 1, np.inf, 2, 4, -np.inf], np.float32), name) == expected


def test_pool_of_nothing_finite() -> None:
    assert pool([np.nan, np.inf], "mean") is None
    assert pool([], "p5") is None


@pytest.mark.parametrize("name", ["median", "p", "p101", "p-1", "p5%", "", "MEAN", "p5\n"])
def test_unknown_pools(name: str) -> None:
    with pytest.raises(UsageError, match="there is no pool"):
        pool([1.0], name)
