"""Texts of anybody on a terminal, in a figure and in a spreadsheet."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from vfiscope.errors import OutputExistsError
from vfiscope.printable import CsvRows, cell, printable, printable_lines, shown
from vfiscope.views.style import clean_texts, save_figure

R = "\ufffd"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("größer — 変化 🎬", "größer — 変化 🎬"),
        ("Screenshot 9.41\u202fAM", "Screenshot 9.41\u202fAM"),  # a space, if a narrow one
        ("\x1b[2J\x1b]0;title\x07", f"{R}[2J{R}]0;title{R}"),
        ("\x9b31m", f"{R}31m"),  # C1: as ESC [
        ("a\u202egpj.exe", f"a{R}gpj.exe"),  # bidi override
        ("a\u2066b\u200bc\ufeff", f"a{R}b{R}c{R}"),
        ("one\ntwo\rthree\u2028four\tfive", f"one{R}two{R}three{R}four{R}five"),
        ("\ud800\udcff", R * 2),
    ],
)
def test_a_text_is_one_line_that_drives_no_terminal(text: str, safe: str) -> None:
    assert printable(text) == safe


def test_a_long_text_is_cut_and_says_so() -> None:
    assert printable("é" * 1000) == "é" * 1000
    assert printable("é" * 5_000_000) == "é" * 1000 + "… (cut, of 5000000 characters)"
    assert printable("abc" * 20, 2) == "ab… (cut, of 60 characters)"
    cut = printable("x" * 10**6)
    assert printable(cut) == cut


def test_lines_stay_lines_and_are_cut_each() -> None:
    text = printable_lines("a\n" + "b" * 6000 + "\n\x1b")
    assert text == "a\n" + "b" * 5000 + "… (cut, of 6000 characters)\n" + R


def test_every_text_in_a_json_value_is_made_printable() -> None:
    value = {"\x1b": ["\x07", {"a": "\n"}, 1.5, None, True]}
    assert shown(value) == {R: [R, {"a": R}, 1.5, None, True]}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),  # the wide = of East Asian keyboards
        ("\t=1", f"{R}=1"),
        ("\r@a", f"{R}@a"),
        ("a=b", "a=b"),
        ("", ""),
        (-1.5, "-1.5"),
        (-3, "-3"),
        (np.float32(-0.1), "-0.1"),
        (np.float64(0.1), "0.1"),
        (float("-inf"), "-inf"),
        (float("nan"), ""),
        (None, ""),
        (True, "True"),
    ],
)
def test_a_text_is_never_a_formula_and_a_number_stays_one(value: object, written: str) -> None:
    assert cell(value) == written


def test_rows_of_csv_read_back() -> None:
    file = io.StringIO(newline="")
    rows = CsvRows(file, end="\r\n")
    rows.write([["name", "x"], ['=HYPERLINK("http://a","b")', np.float32(2.5)]])
    assert file.getvalue().endswith("\r\n")
    assert list(csv.reader(io.StringIO(file.getvalue(), newline=""))) == [
        ["name", "x"],
        ['\'=HYPERLINK("http://a","b")', "2.5"],
    ]


def test_an_svg_of_any_text_is_read_by_a_parser(tmp_path: Path) -> None:
    figure = Figure()
    ax = figure.add_subplot()
    ax.set_title("a\x1b[31m\x00\uffff\nb")
    ax.set_xlabel("x" * 5000)
    save_figure(figure, tmp_path / "a.svg", overwrite=False, format="svg")
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    assert clean_texts(figure).axes[0].get_title() == f"a{R}[31m{R}{R}\nb"
    assert len(ax.get_xlabel()) < 500
    with pytest.raises(OutputExistsError):
        save_figure(figure, tmp_path / "a.svg", overwrite=False, format="svg")
