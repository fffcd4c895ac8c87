"""The table of several methods: means, wins, the lead, the worst frames, and what is ranked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cli import call
from helpers.stored import EVERY_SECOND, INF, SOURCE, open_all, store_run
from helpers.tables import MIXED, NOISE, column, three, two

from vfiscope.errors import UsageError
from vfiscope.store import Run
from vfiscope.views.table import Choice
from vfiscope.views.tabulate import table_of

NAN = float("nan")


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
        match="role is 'synthesised', but not all runs know which frames are: score with --mult",
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
