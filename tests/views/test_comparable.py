"""Runs that can be compared with each other, and those that are refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.cli import call
from helpers.stored import SOURCE, TRUTH, open_all, store_run
from helpers.tables import column, three

import vfiscope as vs
from vfiscope.errors import UsageError
from vfiscope.views.comparable import unranked_by
from vfiscope.views.labelled import table_of_results
from vfiscope.views.table import Choice
from vfiscope.views.tabulate import table_of

NAN = float("nan")


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


def test_runs_of_one_box_are_compared_and_those_of_two_are_not(tmp_path: Path) -> None:
    boxes = {"a": [0, 4, 64, 40], "b": [0, 4, 64, 40], "c": [0, 8, 64, 40]}
    how = {
        name: {
            "scores": {"psnr": [30] * 8},
            "test": {"crop": box},
            "reference": {**TRUTH, "crop": box},
        }
        for name, box in boxes.items()
    }
    a, b, c = open_all(tmp_path, how)
    jobs = [{"id": name, "label": name, "out": str(tmp_path / f"{name}.h5")} for name in how]
    assert table_of([a, b]).frames == table_of_results(jobs[:2]).frames == 8
    said = (
        r"different crops of the reference \(a: 0,4,64,40; c: 0,8,64,40\): score all with the same"
    )
    with pytest.raises(UsageError, match=said):
        table_of([a, c])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--label", "one"], "1 label for 3 runs: pass one for each run, in order"),
        (
            ["--label", "a", "--label", "b", "--label", "a"],
            "the label 'a' is used for two runs: give each its own",
        ),
        (
            ["--label", "a", "--label", " ", "--label", "c"],
            "the label '' is not a name: use 1 to 48 printable characters",
        ),
        (
            ["--label", "a", "--label", "b\nc", "--label", "c"],
            r"the label 'b\nc' is not a name: use 1 to 48 printable",
        ),
        (
            ["--label", "a", "--label", "b" * 49, "--label", "c"],
            "' is not a name: use 1 to 48 printable characters",
        ),
        (["--metrics", "psnr,ssim"], "no run has the metric 'ssim': choose from psnr"),
        (["--sort", "vfi"], "no run has the metric 'vfi': choose from psnr"),
        (["--role", "passed"], "role is 'passed': choose one of synthesised, all"),
        (["--worst", "-1"], "worst is -1: pass how many frames to name, 0 or more"),
        (["--format", "html"], "'html' is not one of"),
        (
            ["-o", "table.docx"],
            "table.docx ends in .docx: name a file that ends in .txt or .csv or .md or .tex or",
        ),
        (
            ["--json", "--format", "csv"],
            "--json and --format csv exclude each other: leave one of them out",
        ),
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
    with pytest.raises(UsageError, match=r"repeat.h5 is passed twice: pass each result once"):
        table_of([run, run])
    with pytest.raises(UsageError, match="there is no run"):
        vs.table([])
    assert call("table", tmp_path / "repeat.h5", tmp_path) == 2
    assert "is a folder among results" in capsys.readouterr().err
    assert call("table", tmp_path / "missing.h5") == 2
    assert "is missing: name a result file" in capsys.readouterr().err


def test_a_sort_by_what_has_no_value_is_refused(tmp_path: Path) -> None:
    runs = open_all(tmp_path, {"a": {"scores": {"psnr": [NAN] * 8, "ssim": [0.9] * 8}}})
    with pytest.raises(
        UsageError, match="sort is 'psnr', which has no value in the frames of the table"
    ):
        table_of(runs, choice=Choice(sort="psnr"))
    with pytest.raises(UsageError, match="sort is 'psnr', which is not one of the metrics shown"):
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
        == "vfiscope: error: 1 label for 3 runs: pass one for each run, in order\n"
    )
    assert not (tmp_path / "other.svg").exists()
