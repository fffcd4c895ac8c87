"""Methods by metrics: which frames, which numbers, what is best, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cli import call
from helpers.stored import EVERY_SECOND, INF, SOURCE, TRUTH, open_all, store_run

import vfiscope as vs
from vfiscope.errors import OutputExistsError, UsageError
from vfiscope.store import Run
from vfiscope.types import Role
from vfiscope.views.comparable import unranked_by
from vfiscope.views.table import Choice, Table
from vfiscope.views.table_text import render
from vfiscope.views.tabulate import table_of

NAN = float("nan")
MIXED = [*EVERY_SECOND] * 10
NOISE = np.random.default_rng(8).standard_normal(20)


def three(folder: Path, **common: Any) -> list[Run]:
    """Three methods at 50 dB in passed frames, and at 30, 31 and 33 dB in the ten synthesised
    ones."""
    how = {
        name: {"scores": {"psnr": np.where(np.arange(20) % 2, level, 50)}, "role": MIXED, **common}
        for name, level in (("repeat", 30), ("blend", 31), ("flow", 33))
    }
    return open_all(folder, how)


def two(
    folder: Path, a: Mapping[str, Sequence[float]], b: Mapping[str, Sequence[float]], **common: Any
) -> Table:
    return table_of(open_all(folder, {"a": {"scores": a, **common}, "b": {"scores": b, **common}}))


def column(table: Table, metric: str) -> Any:
    return next(each for each in table.columns if each.spec.name == metric)


# ------------------------------------------------------------------------------------------ numbers


def test_means_wins_and_lead_are_of_the_synthesised_frames(tmp_path: Path) -> None:
    table = table_of(three(tmp_path))
    psnr = column(table, "psnr")
    assert table.role == "synthesised"
    assert table.heading == "synthesised frames: 10 in all methods, of 20"
    assert (table.frames, psnr.frames) == (10, 10)
    assert table.methods == ("repeat", "blend", "flow")
    assert psnr.values == {"repeat": 30, "blend": 31, "flow": 33}
    assert psnr.wins == {"repeat": 0, "blend": 0, "flow": 1}
    assert psnr.best == "flow"
    assert psnr.decisive
    assert (psnr.lead.over, psnr.lead.mean, psnr.lead.low, psnr.lead.high) == ("blend", 2, 2, 2)
    assert psnr.low["flow"] == psnr.high["flow"] == 33


def test_all_frames_where_that_is_asked_for(tmp_path: Path) -> None:
    table = table_of(three(tmp_path), choice=Choice(role="all"))
    assert table.heading == "all 20 frames (passed ones among them)"
    assert column(table, "psnr").values == {"repeat": 40, "blend": 40.5, "flow": 41.5}
    assert column(table, "psnr").wins == pytest.approx(
        {"repeat": 1 / 6, "blend": 1 / 6, "flow": 4 / 6}
    )


def test_not_told_apart_is_said_with_the_remedy(tmp_path: Path) -> None:
    table = table_of(three(tmp_path, role=None))
    assert table.role == "all"
    assert (
        table.heading
        == "all 20 frames (passed ones may be among them: score with --multiplier M to tell them"
        " apart)"
    )
    with pytest.raises(
        UsageError,
        match=r"role is 'synthesised', but .* not known of all: score with --multiplier M",
    ):
        table_of([Run(tmp_path / "flow.h5")], choice=Choice(role="synthesised"))


def test_runs_that_share_no_reference_are_said_to_be_of_the_same_frames_by_trust(
    tmp_path: Path,
) -> None:
    said = "nothing but their length and size says that these runs are of the same frames"
    how: dict[str, dict[str, Any]] = {
        "nothing": {"reference": None},
        "lag": {"reference": None, "mode": "scan", "pairing": {"policy": "lag", "lag": 1}},
        "truth": {},
    }
    found = {}
    for name, each in how.items():
        runs = open_all(
            tmp_path, {f"{name}{n}": {"scores": {"psnr": [30 + n] * 8}, **each} for n in (1, 2)}
        )
        found[name] = table_of(runs).notes
    assert found == {"nothing": (said,), "lag": (said,), "truth": ()}
    again = {"path": "/v/nothing1.mp4", "digest": "sha256:nothing1"}
    other = store_run(tmp_path / "again.h5", {"psnr": [31] * 8}, reference=None, test=again)
    assert table_of([Run(tmp_path / "nothing1.h5"), Run(other)]).notes == ()  # the same file twice
    assert table_of([Run(tmp_path / "nothing1.h5")]).notes == ()


def test_a_scan_is_of_all_frames_and_advises_nothing(tmp_path: Path) -> None:
    scanned = three(
        tmp_path, role=None, reference=None, mode="scan", pairing={"policy": "lag", "lag": 1}
    )
    assert table_of(scanned).heading == "all 20 frames"


def test_what_one_run_knows_of_the_frames_holds_for_all(tmp_path: Path) -> None:
    runs = three(tmp_path)
    plain = Run(store_run(tmp_path / "other.h5", {"psnr": np.full(20, 32)}))
    table = table_of([runs[0], plain, runs[2]])
    assert table.role == "synthesised"
    assert column(table, "psnr").values == {"repeat": 30, "other": 32, "flow": 33}
    assert table.notes == (
        "synthesised frames are known of repeat, flow, and so taken of other: the same frames",
    )


def test_where_two_runs_know_different_roles_none_is_used(tmp_path: Path) -> None:
    levels = {"psnr": np.arange(20)}
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": levels, "role": MIXED},
            "b": {"scores": levels, "role": MIXED[1:] + MIXED[:1]},
        },
    )
    table = table_of(runs)
    assert (table.role, table.frames) == ("all", 20)
    assert table.notes == (
        "the runs know different frames as synthesised: over all frames, passed ones among them",
    )
    with pytest.raises(UsageError, match="role is 'synthesised'"):
        table_of(runs, choice=Choice(role="synthesised"))


def test_the_heading_counts_frames_that_have_values(tmp_path: Path) -> None:
    a = {"psnr": [NAN, 30, INF, *[30] * 7], "ssim": [NAN, NAN, *[0.9] * 8], "ghosting": [0.1] * 10}
    table = two(tmp_path, a, {name: np.asarray(values) - 0.05 for name, values in a.items()})
    assert {each.spec.name: each.frames for each in table.columns} == {
        "psnr": 8,
        "ssim": 8,
        "ghosting": 10,
    }
    assert table.frames == 8
    assert table.heading.startswith("8 of 10 frames (passed ones may be among them")
    assert table.drawn == "circular block bootstrap, blocks of 1 frame"
    (tmp_path / "told").mkdir()
    told = two(
        tmp_path / "told",
        {"psnr": [NAN, NAN, 9, 30]},
        {"psnr": [NAN, NAN, 9, 31]},
        role=[*EVERY_SECOND] * 2,
    )
    assert told.heading == "synthesised frames: 1 in all methods, of 4"
    assert told.drawn == "no intervals: fewer than 8 frames"


def test_a_frame_without_a_value_of_one_is_left_out_for_all(tmp_path: Path) -> None:
    table = two(tmp_path, {"ssim": [0.9] * 9 + [NAN]}, {"ssim": [0.8] * 9 + [0.1]})
    ssim = column(table, "ssim")
    assert ssim.frames == 9
    assert ssim.values == pytest.approx({"a": 0.9, "b": 0.8})
    assert table.notes == ("ssim: 1 of 10 frames left out for all methods: no value in a",)


def test_an_infinite_psnr_is_left_out_of_the_means_and_wins_its_frame(tmp_path: Path) -> None:
    table = two(tmp_path, {"psnr": [30] * 8 + [INF, INF]}, {"psnr": [31] * 8 + [40, INF]})
    psnr = column(table, "psnr")
    assert psnr.frames == 8
    assert psnr.values == {"a": 30, "b": 31}
    assert psnr.wins == pytest.approx({"a": 0.15, "b": 0.85})  # frame 8 alone, half of frame 9
    assert table.notes == ("psnr: 2 of 10 frames left out for all methods: infinite in a, b",)


@pytest.mark.filterwarnings("error")
def test_a_method_identical_to_the_reference_is_said_to_be_so(tmp_path: Path) -> None:
    noisy = {"ssim": [0.9] * 10, "psnr": 30 + NOISE[:10]}
    how = {
        "perfect": {"scores": {"ssim": [1] * 10, "psnr": [INF] * 10}},
        "a": {"scores": noisy},
        "b": {"scores": {"ssim": [0.8] * 10, "psnr": [20] * 9 + [INF]}},
    }
    table = table_of(open_all(tmp_path, how))
    psnr = column(table, "psnr")
    assert (psnr.best, psnr.lead, psnr.decisive) == (None, None, False)
    assert psnr.reason == "perfect is identical to the reference in every frame"
    assert psnr.values == {"perfect": None, "a": pytest.approx(30 + NOISE[:9].mean()), "b": 20}
    assert column(table, "ssim").best == "perfect"
    assert "note: psnr not ranked: perfect is identical to the reference in every frame" in str(
        table
    )
    assert "note: psnr: 1 of 10 frames left out for all methods: infinite in b" in str(table)
    assert "inf " not in str(table)
    assert "nan" not in str(table)
    json.dumps(table.to_dict(), allow_nan=False)
    two_perfect = table_of(
        [Run(tmp_path / "perfect.h5"), Run(store_run(tmp_path / "p.h5", {"psnr": [INF] * 10}))]
    )
    assert [each.spec.name for each in two_perfect.columns] == ["ssim"]
    assert "psnr: all methods are identical to the reference: left out" in two_perfect.notes


@pytest.mark.filterwarnings("error")
def test_a_method_without_a_value_leaves_its_metric_unranked(tmp_path: Path) -> None:
    table = two(
        tmp_path, {"ssim": [NAN] * 8, "psnr": [30] * 8}, {"ssim": [0.9] * 8, "psnr": [31] * 8}
    )
    assert (column(table, "ssim").best, column(table, "ssim").reason) == (None, "a has no value")
    assert column(table, "psnr").best == "b"


def test_lower_is_better_and_signed_metrics_count_by_their_distance(tmp_path: Path) -> None:
    table = two(
        tmp_path,
        {"mismatch": [0.1] * 10, "midpoint_px": [4, -4] * 5},
        {"mismatch": [0.3] * 10, "midpoint_px": [1, 1] * 5},
    )
    assert column(table, "mismatch").best == "a"
    assert column(table, "mismatch").lead.mean == pytest.approx(0.2)
    midpoint = column(table, "midpoint_px")
    assert midpoint.values == {"a": 4, "b": 1}
    assert midpoint.title == "|Midpoint offset| [px] ↓"
    assert midpoint.to_dict()["absolute"] is True


def test_a_lead_within_its_noise_is_not_decisive(tmp_path: Path) -> None:
    table = two(tmp_path, {"psnr": 30 + NOISE}, {"psnr": np.full(20, 30 + NOISE.mean() - 0.05)})
    psnr = column(table, "psnr")
    assert psnr.best == "a"
    assert psnr.lead.low < 0 < psnr.lead.high
    assert not psnr.decisive


def test_the_lead_is_paired(tmp_path: Path) -> None:
    # Both follow the motion by 10 dB, and one is ahead by 0.5 in every frame.
    table = two(tmp_path, {"psnr": 30 + 10 * NOISE}, {"psnr": 30.5 + 10 * NOISE})
    psnr = column(table, "psnr")
    assert psnr.high["a"] > psnr.low["b"]
    assert psnr.decisive
    assert psnr.lead.low == pytest.approx(0.5, abs=1e-5)


def test_equal_methods_have_no_best(tmp_path: Path) -> None:
    table = two(tmp_path, {"psnr": [30] * 10}, {"psnr": [30] * 10})
    psnr = column(table, "psnr")
    assert psnr.ranked
    assert psnr.best is None
    assert psnr.wins == {"a": 0.5, "b": 0.5}
    assert "psnr: the best are equal" in str(table)


def test_few_frames_decide_nothing(tmp_path: Path) -> None:
    table = two(tmp_path, {"psnr": [30] * 7}, {"psnr": [35] * 7})
    psnr = column(table, "psnr")
    assert psnr.best == "b"
    assert not psnr.decisive
    assert (psnr.lead.low, psnr.low["a"], psnr.high["b"]) == (None, None, None)
    assert table.drawn == "no intervals: fewer than 8 frames"
    assert "psnr: b over a by 5.00 dB, not decisive" in str(table)


def test_worst_frames_by_ordinal_time_and_file(tmp_path: Path) -> None:
    values = [30, 20, 31, 10, 20, NAN, 40, 41, 42]
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": {"psnr": values}, "names": [f"{n}.png" for n in range(9)]},
            "b": {"scores": {"psnr": np.arange(9) + 30}},
        },
    )
    worst = column(table_of(runs, choice=Choice(worst=3)), "psnr").worst
    assert [(w.frame, w.value, w.file) for w in worst["a"]] == [
        (3, 10, "3.png"),
        (1, 20, "1.png"),
        (4, 20, "4.png"),
    ]
    assert [(w.frame, w.time_s, w.file) for w in worst["b"]] == [
        (0, 0, ""),
        (1, 0.04, ""),
        (2, 0.08, ""),
    ]
    shown = str(table_of(runs, choice=Choice(worst=2)))
    assert "psnr: 10.00 at 3.png, 20.00 at 1.png" in shown
    assert "psnr: 30.00 at frame 0 (0.000 s), 31.00 at frame 1 (0.040 s)" in shown
    assert "worst" not in str(table_of(runs, choice=Choice(worst=0)))


def test_a_shorter_run_is_compared_over_what_it_has(tmp_path: Path) -> None:
    runs = open_all(
        tmp_path, {"a": {"scores": {"psnr": [30] * 9 + [90]}}, "b": {"scores": {"psnr": [31] * 9}}}
    )
    table = table_of(runs)
    assert column(table, "psnr").values == {"a": 30, "b": 31}
    assert table.notes == (
        "the runs have different numbers of frames (a 10, b 9): over the 9 that all have",
    )


def test_rows_are_matched_by_ordinal(tmp_path: Path) -> None:
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": {"psnr": np.arange(10, 20)}, "index": range(10)},
            "b": {"scores": {"psnr": np.arange(12, 20)}, "index": range(2, 10)},
        },
    )
    psnr = column(table_of(runs), "psnr")
    assert psnr.values == {"a": 15.5, "b": 15.5}
    assert psnr.best is None


def test_the_order_follows_a_metric_where_one_is_named(tmp_path: Path) -> None:
    runs = three(tmp_path)
    assert table_of(runs, choice=Choice(sort="psnr")).methods == ("flow", "blend", "repeat")
    scores = {
        name: {"mismatch": [value] * 8} for name, value in (("a", 0.2), ("b", 0.1), ("c", NAN))
    }
    other = open_all(tmp_path, {name: {"scores": values} for name, values in scores.items()})
    with pytest.raises(UsageError, match="no run has the metric 'psnr': choose from mismatch"):
        table_of(other, choice=Choice(sort="psnr"))
    assert table_of(other, choice=Choice(sort="mismatch")).methods == ("b", "a", "c")


def test_one_run_alone_has_means_and_intervals(tmp_path: Path) -> None:
    table = table_of(three(tmp_path)[:1])
    psnr = column(table, "psnr")
    assert psnr.values == {"repeat": 30}
    assert psnr.low == {"repeat": 30}
    assert (psnr.ranked, psnr.reason, psnr.best) == (False, "there is one method", None)


# ----------------------------------------------------------------------------------- what is ranked


def test_kinds_of_fault_are_shown_and_not_ranked(tmp_path: Path) -> None:
    scores = {
        "psnr": [30] * 8,
        "ghosting": [0] * 8,
        "midpoint_px": [0] * 8,
        "visible_one": [0.1] * 8,
        "cut": [0] * 8,
    }
    worse = {name: np.asarray(values) + 0.5 for name, values in scores.items()}
    table = two(tmp_path, scores, worse)
    assert [(each.spec.name, each.ranked) for each in table.columns] == [
        ("psnr", True),
        ("ghosting", False),
        ("midpoint_px", False),
        ("visible_one", False),
    ]
    assert column(table, "ghosting").best is None
    assert column(table, "ghosting").values == {"a": 0, "b": 0.5}
    assert column(table, "ghosting").wins == {}
    assert str(table).index("not ranked:") > str(table).index("frames won")


def test_scores_of_passed_frames_never_rank(tmp_path: Path) -> None:
    passed = np.where(np.arange(20) % 2, NAN, 45)
    common = {"role": MIXED, "reference": SOURCE}
    table = two(
        tmp_path,
        {"psnr": passed, "ghosting": [0.1] * 20},
        {"psnr": passed + 1, "ghosting": [0.2] * 20},
        **common,
    )
    assert [each.spec.name for each in table.columns] == ["ghosting"]
    assert "psnr: no value in synthesised frames: left out" in table.notes
    everything = table_of(
        [Run(tmp_path / "a.h5"), Run(tmp_path / "b.h5")], choice=Choice(role="all")
    )
    psnr = column(everything, "psnr")
    assert psnr.values == {"a": 45, "b": 46}
    assert psnr.best is None
    assert psnr.reason == "of frames passed through only: it tells about the codec"


def test_a_metric_of_other_embedders_is_not_ranked_and_others_are(tmp_path: Path) -> None:
    scores = {"psnr": [30] * 8, "cosine": [0.1] * 8}
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": scores, "embedder": {"name": "dsift", "version": 1}},
            "b": {
                "scores": {"psnr": [31] * 8, "cosine": [0.2] * 8},
                "embedder": {"name": "dsift", "version": 2},
            },
        },
    )
    table = table_of(runs)
    assert column(table, "psnr").best == "b"
    assert column(table, "cosine").best is None
    assert (
        column(table, "cosine").reason
        == "different embedders (dsift version 1: a; dsift version 2: b)"
    )
    assert (
        "note: cosine not ranked: different embedders (dsift version 1: a; dsift version 2: b)"
        in str(table)
    )


def test_a_metric_that_a_run_lacks_is_not_ranked(tmp_path: Path) -> None:
    table = two(tmp_path, {"psnr": [30] * 8, "ssim": [0.9] * 8}, {"psnr": [31] * 8})
    assert column(table, "psnr").best == "b"
    ssim = column(table, "ssim")
    assert (ssim.best, ssim.reason) == (None, "b has no such score")
    assert ssim.values == pytest.approx({"a": 0.9, "b": None})


def test_other_windows_of_the_search_are_not_ranked(tmp_path: Path) -> None:
    scores = {"psnr": [30] * 8, "mismatch": [0.1] * 8}
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": scores, "config": {"window": 3}},
            "b": {"scores": scores, "config": {"window": None}},
        },
    )
    table = table_of(runs)
    assert column(table, "mismatch").reason == "different windows of the search (a: 3; b: none)"
    assert column(table, "psnr").ranked


def test_a_partial_run_is_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_run(
        tmp_path / "a.h5",
        {"psnr": [30] * 8},
        status="partial",
        notes=["2 corrupt frames in test a.mp4"],
    )
    store_run(tmp_path / "b.h5", {"psnr": [31] * 8})
    assert call("table", tmp_path / "a.h5", tmp_path / "b.h5") == 0
    assert (
        capsys.readouterr().err
        == "vfiscope: warning: a is partial: 2 corrupt frames in test a.mp4\n"
    )


# ----------------------------------------------------------------------------------------- refusals

OTHER = {
    "modes": ({"mode": "scan"}, r"different modes \(a: score; b: scan\): compare runs of one mode"),
    "kinds": (
        {"reference": SOURCE},
        r"different kinds of comparison \(a: ref; b: source\): score all with --ref",
    ),
    "nothing": ({"reference": None}, r"different kinds of comparison \(a: ref; b: neighbours\)"),
    "references": (
        {"reference": {**TRUTH, "path": "/w/other.mp4", "digest": "sha256:other"}},
        (
            r"different references \(a: /v/truth.mp4 with sha256:truth; b: /w/other.mp4 with"
            r" sha256:other\)"
        ),
    ),
    "changed": (
        {"reference": {**TRUTH, "digest": "sha256:later"}},
        (
            r"different references \(a: /v/truth.mp4 with sha256:truth; b: /v/truth.mp4 with"
            r" sha256:later\)"
        ),
    ),
    "sizes": (
        {"test": {"width": 32}, "config": {"resize": "area"}},
        r"sizes of frames \(a: 64x48; b: 32x48\)",
    ),
    "register": (
        {"pairing": {"policy": "row"}, "config": {"deinterlace": "bwdif"}},
        r"deinterlacing \(a: none; b: bwd",
    ),
    "colours": (
        {"test": {"color": {"tonemap": "hable"}}},
        r"different colours as read .*score all with the same --ton",
    ),
    "frames": (
        {"index": range(4, 12), "config": {"start": 4}},
        (
            r"different frames \(a: start none, stop none, step 1; b: start 4, stop none, step 1\):"
            r" score all with the sa"
        ),
    ),
    "align": (
        {"ref_index": [0, 0, 1, 2, 3, 4, 5, 6]},
        (
            r"7 frames are paired with other frames of the reference \(frame 1 with 1 in a, with 0"
            r" in b\): score all with"
        ),
    ),
    "common": (
        {"index": range(100, 108)},
        "a and b have no frame in common: score the same frames of all",
    ),
}


@pytest.mark.parametrize("what", OTHER)
def test_what_is_not_comparable_is_refused_with_the_reason(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how, said = OTHER[what]
    values = {"psnr": [30] * 8}
    store_run(tmp_path / "a.h5", values)
    store_run(tmp_path / "b.h5", values, **how)
    with pytest.raises(UsageError, match=said) as refused:
        vs.table([tmp_path / "a.h5", tmp_path / "b.h5"])
    assert "\n" not in str(refused.value)
    assert call("table", tmp_path / "a.h5", tmp_path / "b.h5") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"vfiscope: error: {refused.value}\n"


def test_lags_resizing_and_registration_are_compared_too(tmp_path: Path) -> None:
    values = {"psnr": [30] * 8}
    small = {"test": {"width": 32, "height": 24}}
    how: dict[str, dict[str, Any]] = {
        "lag1": {"mode": "scan", "reference": None, "pairing": {"policy": "lag", "lag": 1}},
        "lag2": {"mode": "scan", "reference": None, "pairing": {"policy": "lag", "lag": 2}},
        "area": {**small, "config": {"resize": "area"}},
        "lanczos": {**small, "config": {"resize": "lanczos"}},
    }
    runs = dict(
        zip(
            how,
            open_all(tmp_path, {name: {"scores": values, **each} for name, each in how.items()}),
            strict=True,
        )
    )
    with pytest.raises(
        UsageError, match=r"different lags \(lag1: 1; lag2: 2\): scan all with the same --lag"
    ):
        table_of([runs["lag1"], runs["lag2"]])
    with pytest.raises(
        UsageError, match=r"different filters of --resize \(area: area; lanczos: lanczos\)"
    ):
        table_of([runs["area"], runs["lanczos"]])


def test_other_multipliers_are_other_neighbours(tmp_path: Path) -> None:
    values = {"psnr": [30] * 8, "midpoint_px": [1] * 8}
    how = {
        f"{name}{multiplier}": {
            "scores": values,
            "config": {"multiplier": multiplier},
            "reference": reference,
        }
        for name, reference in (("alone", None), ("truth", TRUTH))
        for multiplier in (None, "2")
    }
    alone, alone2, truth, truth2 = open_all(tmp_path, how)
    said = (
        r"different multipliers \(aloneNone: none; alone2: 2\): score all with the same"
        r" --multiplier$"
    )
    with pytest.raises(UsageError, match=said):
        table_of([alone, alone2])
    assert unranked_by([truth, truth2], ["a", "b"]) == {
        "midpoint_px": "different multipliers, and so other neighbours (a: none; b: 2)"
    }
    assert unranked_by([truth, truth], ["a", "b"]) == {}
    assert column(table_of([truth, truth2]), "psnr").ranked


def test_the_same_reference_elsewhere_is_the_same(tmp_path: Path) -> None:
    values = {"psnr": [30] * 8}
    moved = {**TRUTH, "path": "/elsewhere/copy.mp4"}
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": values},
            "b": {"scores": values, "reference": moved, "config": {"resize": "area", "stop": 8}},
        },
    )
    assert (
        table_of(runs).frames == 8
    )  # neither a filter that was not needed nor a stop at the end changes anything


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--label", "one"], "1 label for 3 runs: give one for each run, in order"),
        (
            ["--label", "a", "--label", "b", "--label", "a"],
            "the label 'a' is given to two runs: give each its own",
        ),
        (
            ["--label", "a", "--label", " ", "--label", "c"],
            "the label '' is no name: give 1 to 48 printable characters",
        ),
        (
            ["--label", "a", "--label", "b\nc", "--label", "c"],
            r"the label 'b\nc' is no name: give 1 to 48 printable",
        ),
        (
            ["--label", "a", "--label", "b" * 49, "--label", "c"],
            "' is no name: give 1 to 48 printable characters",
        ),
        (["--metrics", "psnr,ssim"], "no run has the metric 'ssim': choose from psnr"),
        (["--sort", "vfi"], "no run has the metric 'vfi': choose from psnr"),
        (["--role", "passed"], "role is 'passed': choose one of synthesised, all"),
        (["--worst", "-1"], "worst is -1: give how many frames to name, 0 or more"),
        (["--format", "html"], "'html' is not one of"),
        (
            ["-o", "table.docx"],
            "table.docx ends in .docx: name a file that ends in .txt or .csv or .md or .tex or",
        ),
        (["--json", "--format", "csv"], "--json beside --format csv: leave one of them out"),
    ],
)
def test_every_wrong_option_is_one_line(
    options: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    three(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert call("table", "repeat.h5", "blend.h5", "flow.h5", *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_runs_of_which_no_score_is_comparable_are_refused(tmp_path: Path) -> None:
    scores = {"cosine": [0.1] * 8}
    runs = open_all(
        tmp_path,
        {
            "a": {"scores": scores, "embedder": {"name": "dsift"}},
            "b": {"scores": scores, "embedder": {"name": "dinov2"}},
            "c": {"scores": {"cosine": [NAN] * 8}, "embedder": {"name": "dsift"}},
        },
    )
    with pytest.raises(
        UsageError,
        match=r"comparable \(cosine: different embedders \(dsift: a; dinov2: b\)\): score",
    ):
        table_of(runs[:2])
    with pytest.raises(
        UsageError,
        match=r"no score of these runs is comparable \(cosine: no value in frames: left out",
    ):
        table_of(runs[2:])


def test_no_run_twice_and_none_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = three(tmp_path)[0]
    with pytest.raises(UsageError, match=r"repeat.h5 is given twice: name each result once"):
        table_of([run, run])
    with pytest.raises(UsageError, match="there is no run"):
        vs.table([])
    assert call("table", tmp_path / "repeat.h5", tmp_path) == 2
    assert "is a folder beside other results" in capsys.readouterr().err
    assert call("table", tmp_path / "missing.h5") == 2
    assert "is missing: name a result file" in capsys.readouterr().err


def test_a_sort_by_what_has_no_value_is_refused(tmp_path: Path) -> None:
    runs = open_all(tmp_path, {"a": {"scores": {"psnr": [NAN] * 8, "ssim": [0.9] * 8}}})
    with pytest.raises(
        UsageError, match="sort is 'psnr', which has no value in the frames of the table"
    ):
        table_of(runs, choice=Choice(sort="psnr"))
    with pytest.raises(UsageError, match="sort is 'psnr', which is none of the metrics shown"):
        table_of(runs, choice=Choice(metrics=["ssim"], sort="psnr"))


def test_plot_takes_the_same_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [run.path for run in three(tmp_path)]
    out = tmp_path / "curves.svg"
    assert (
        call("plot", *runs, "-o", out, "--label", "one & two", "--label", "b", "--label", "c") == 0
    )
    assert "one &amp; two" in out.read_text(encoding="utf-8")
    capsys.readouterr()
    assert call("plot", *runs, "-o", tmp_path / "other.svg", "--label", "a") == 2
    assert (
        capsys.readouterr().err
        == "vfiscope: error: 1 label for 3 runs: give one for each run, in order\n"
    )
    assert not (tmp_path / "other.svg").exists()


# -------------------------------------------------------------------------------------------- forms


def test_text_is_what_a_person_reads(tmp_path: Path) -> None:
    lines = str(table_of(three(tmp_path))).split("\n")
    assert lines == [
        "synthesised frames: 10 in all methods, of 20",
        "",
        "        PSNR [dB] ↑",
        "repeat  30.00",
        "        [30.00, 30.00]",
        "blend   31.00",
        "        [31.00, 31.00]",
        "flow    33.00*",
        "        [33.00, 33.00]",
        "",
        "* best, and decisive: the 95 % interval of its lead over the second does not contain 0",
        "[low, high] of a mean, 95 %: circular block bootstrap, blocks of 2 frames",
        "",
        "frames won, of those with a value in all methods (equal ones are shared):",
        "        psnr",
        "repeat  0%",
        "blend   0%",
        "flow    100%",
        "",
        "lead of the best over the second, over the same frames:",
        "  psnr: flow over blend by 2.00 dB [2.00, 2.00], decisive",
        "",
        "worst frames:",
        "repeat  psnr: 30.00 at frame 1 (0.040 s)",
        "blend   psnr: 31.00 at frame 1 (0.040 s)",
        "flow    psnr: 33.00 at frame 1 (0.040 s)",
    ]


@pytest.mark.parametrize(
    ("a", "b", "shown", "lead"),
    [
        (4e-6, 1.5e-6, ["4.000e-06", "1.500e-06*"], "2.500e-06 code² [2.500e-06, 2.500e-06]"),
        (0.02, 1e-7, ["2.000e-02", "1.000e-07*"], "2.000e-02 code² [2.000e-02, 2.000e-02]"),
        (0.02, 0, ["0.02000", "0.00000*"], "0.02000 code² [0.02000, 0.02000]"),
        (30.000244140625, 30, ["30.00", "30.00*"], "2.441e-04 code² [2.441e-04, 2.441e-04]"),
    ],
)
def test_the_numbers_of_a_column_have_one_form(
    a: float, b: float, shown: list[str], lead: str, tmp_path: Path
) -> None:
    table = two(tmp_path, {"mse": [a] * 8}, {"mse": [b] * 8})
    lines = str(table).split("\n")
    assert [line.split()[-1] for line in (lines[3], lines[5])] == shown
    assert f"  mse: b over a by {lead}, decisive" in lines
    assert lines[2].strip() == "MSE [code²] ↓"
    assert "code^2" not in render(table, "markdown") + render(table, "latex")


def test_bold_for_a_terminal_is_only_the_decisive_best(tmp_path: Path) -> None:
    table = table_of(three(tmp_path))
    assert re.findall("\x1b\\[1m(.*?)\x1b\\[0m", render(table, bold=True)) == ["33.00*"]
    assert re.sub("\x1b\\[[01]m", "", render(table, bold=True)) == render(table)


def test_wide_tables_go_on_below(tmp_path: Path) -> None:
    metrics = ("psnr", "ssim", "cosine", "mismatch", "ghosting", "midpoint_px", "visible_one")
    values = {name: np.linspace(0.001, 0.9, 20) for name in metrics}
    shown = str(two(tmp_path, values, {name: column / 3 for name, column in values.items()}))
    assert max(len(line) for line in shown.split("\n") if not line.startswith("note: ")) <= 110
    assert shown.count("Mismatch") == 1


def test_markdown_has_escaped_cells_and_bold_only_where_decisive(tmp_path: Path) -> None:
    noisy = {"psnr": np.full(20, 31.0), "ssim": 0.5 + NOISE / 100}
    steady = {"psnr": np.full(20, 30.0), "ssim": np.full(20, 0.5 + NOISE.mean() / 100 - 1e-4)}
    runs = open_all(tmp_path, {"a": {"scores": noisy}, "b": {"scores": steady}})
    text = render(table_of(runs, ["a|b", "*c*_d"]), "markdown")
    rows = [line for line in text.split("\n") if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert [len(row) for row in cells] == [3, 3, 3, 3]
    assert cells[0] == [" method ", " PSNR [dB] ↑ ", " SSIM ↑ "]
    assert cells[2][0] == r" a\|b "
    assert cells[3][0] == r" \*c\*\_d "
    assert cells[2][1].strip() == "**31.00** [31.00, 31.00]"
    assert re.fullmatch(r"\*0\.\d{4}\* \[0\.\d{4}, 0\.\d{4}\]", cells[2][2].strip())
    assert cells[3][1].strip() == "30.00 [30.00, 30.00]"


def test_latex_is_a_tabular_with_escaped_labels(tmp_path: Path) -> None:
    runs = three(tmp_path)
    text = render(table_of(runs, ["50% & more", r"a_b\c", "[~^#$]"]), "latex")
    body = [line for line in text.split("\n") if line and not line.startswith("%")]
    assert body == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Method & PSNR {[}dB] $\uparrow$ \\",
        r"\midrule",
        r"50\% \& more & 30.00 \\",
        r"a\_b\textbackslash{}c & 31.00 \\",
        r"{[}\textasciitilde{}\textasciicircum{}\#\$] & \textbf{33.00} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_latex_marks_what_is_not_decisive_otherwise(tmp_path: Path) -> None:
    table = two(
        tmp_path, {"psnr": [30] * 5, "ghosting": [0] * 5}, {"psnr": [31] * 5, "ghosting": [0] * 5}
    )
    text = render(table, "latex")
    assert r"\textit{31.00}" in text
    assert r"\textbf" not in text
    assert text.count(r"\begin{tabular}") == 2  # kinds of fault stand in one of their own


def test_csv_has_all_digits_and_reads_back(tmp_path: Path) -> None:
    runs = three(tmp_path)
    table = table_of(runs, ['a "quoted"', "b, c", "d"])
    rows = list(csv.DictReader(io.StringIO(render(table, "csv"), newline=""), strict=True))
    assert [row["method"] for row in rows] == ['a "quoted"', "b, c", "d"]
    assert {row["role"] for row in rows} == {"synthesised"}
    assert [float(row["psnr"]) for row in rows] == [30, 31, 33]
    assert [row["psnr_best"] for row in rows] == ["", "", "decisive"]
    assert [float(row["psnr_wins"]) for row in rows] == [0, 0, 1]
    assert rows[0]["psnr_low"] == "30.0"


def test_json_is_the_contracts_and_strictly_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_run(
        tmp_path / "a.h5",
        {"psnr": [30] * 7 + [INF], "ssim": [NAN] * 8, "ghosting": [0.5] * 8},
        role=MIXED[:8],
    )
    store_run(
        tmp_path / "b.h5",
        {"psnr": [31] * 8, "ssim": [0.9] * 8, "ghosting": [0.25] * 8},
        role=MIXED[:8],
    )
    assert call("table", tmp_path / "a.h5", tmp_path / "b.h5", "--json") == 0

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert (found["frames"], found["role"], found["methods"]) == (3, "synthesised", ["a", "b"])
    assert found["metrics"]["psnr"] == {
        "values": {"a": 30.0, "b": 31.0},
        "low": {"a": None, "b": None},
        "high": {"a": None, "b": None},
        "best": "b",
        "decisive": False,
        "ranked": True,
        "reason": None,
        "lead": {"over": "a", "mean": 1.0, "low": None, "high": None},
        "wins": {"a": 0.25, "b": 0.75},
        "worst": {
            "a": [{"frame": 1, "time_s": 0.04, "value": 30.0, "scene": "", "file": ""}],
            "b": [{"frame": 1, "time_s": 0.04, "value": 31.0, "scene": "", "file": ""}],
        },
        "frames": 3,
        "unit": "dB",
        "lower_is_better": False,
        "absolute": False,
    }
    assert found["metrics"]["ssim"]["best"] is None
    assert found["metrics"]["ssim"]["values"] == {"a": None, "b": pytest.approx(0.9)}
    assert found["metrics"]["ghosting"]["best"] is None
    assert found["metrics"]["ghosting"]["reason"].startswith("one kind of fault")


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("t.txt", "synthesised frames: 10"),
        ("t.csv", "method,role,frames,psnr,"),
        ("t.md", "synthesised frames: 10 in all methods, of 20\n\n| method |"),
        ("t.tex", "% needs"),
        ("t.json", '{\n  "frames": 10'),
    ],
)
def test_the_extension_chooses_the_form(
    name: str, begins: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = three(tmp_path)
    out = tmp_path / name
    assert call("table", *(run.path for run in runs), "-o", out) == 0
    assert capsys.readouterr().out == f"{out}\n"
    content = out.read_text(encoding="utf-8")
    assert content.startswith(begins)
    assert "\x1b" not in content
    assert call("table", *(run.path for run in runs), "-o", out) == 2
    assert "exists: give --overwrite" in capsys.readouterr().err
    assert (
        call("table", *(run.path for run in runs), "-o", out, "--overwrite", "--format", "latex")
        == 0
    )
    assert out.read_text(encoding="utf-8").startswith("% needs")


def test_the_same_runs_make_the_same_bytes(tmp_path: Path) -> None:
    scores = {"psnr": 30 + NOISE, "ssim": 0.9 + NOISE / 100}
    other = {name: values[::-1] for name, values in scores.items()}
    runs = open_all(tmp_path, {"a": {"scores": scores}, "b": {"scores": other}})
    for form in ("text", "csv", "markdown", "latex", "json"):
        assert render(table_of(runs), form) == render(table_of(runs), form)
    with pytest.raises(
        UsageError, match="format is 'html': choose one of text, csv, markdown, latex, json"
    ):
        render(table_of(runs), "html")


def test_from_python_by_paths_or_runs(tmp_path: Path) -> None:
    runs = three(tmp_path)
    out = tmp_path / "t.csv"
    by_path = vs.table([run.path for run in runs], labels=["x", "y", "z"], sort="psnr", out=out)
    assert by_path.methods == ("z", "y", "x")
    assert out.read_text().startswith("method,")
    assert vs.table(runs, labels=["x", "y", "z"], sort="psnr").to_dict() == by_path.to_dict()
    assert vs.table(runs[0].path).methods == ("repeat",)
    assert len(runs[0]) == 20  # runs that were opened before stay open
    with pytest.raises(OutputExistsError):
        vs.table(runs, out=out)


def test_roles_of_single_rows_may_be_unknown(tmp_path: Path) -> None:
    role = [Role.UNKNOWN, Role.SYNTHESISED, *MIXED[2:]]
    scores = {"psnr": np.arange(20)}
    runs = open_all(
        tmp_path, {"a": {"scores": scores, "role": role}, "b": {"scores": scores, "role": MIXED}}
    )
    assert table_of(runs).frames == 10
