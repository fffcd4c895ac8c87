"""A table as text, Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.cli import call
from helpers.hostile import many_scores
from helpers.stored import INF, open_all, store_run
from helpers.tables import MIXED, NOISE, three, two

import vfiscope as vs
from vfiscope.errors import OutputExistsError, UsageError
from vfiscope.printable import LONGEST_LINE
from vfiscope.types import Role
from vfiscope.views.table_text import render
from vfiscope.views.tabulate import table_of

NAN = float("nan")


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
    assert "exists: pass --overwrite" in capsys.readouterr().err
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


def test_long_lines_that_programs_read_are_printed_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [store_run(tmp_path / f"{name}.h5", {"ssim": [0.5] * 2}) for name in "ab"]
    for path in files:
        with h5py.File(path, "r+") as h5:
            many_scores(h5, 160)
    assert call("table", *files, "--format", "csv") == 0
    printed = capsys.readouterr().out
    header, *rows = csv.reader(io.StringIO(printed))
    assert len(printed.split("\n")[0]) > LONGEST_LINE
    assert [len(header), *map(len, rows)] == [3 + 5 * 161] * 3


def test_a_fact_stays_in_its_line_in_markup(tmp_path: Path) -> None:
    runs = open_all(tmp_path, {name: {"scores": {"ssim": [0.5] * 2}} for name in "ab"})
    table = replace(table_of(runs), notes=("a\n\\input{b}",), drawn="c\x1b[2J")
    for form in ("markdown", "latex"):
        assert not re.search(r"\x1b|^\\+input", render(table, form), re.MULTILINE)
