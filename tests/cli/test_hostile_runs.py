"""Every verb with a result of somebody who means harm: nothing of it drives the terminal, breaks a
figure or becomes a formula, nothing takes long, and nothing ends with a traceback."""

from __future__ import annotations

import csv
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import hostile
from helpers.cli import call
from helpers.hostile import ESCAPES, attribute, entry, row, segments
from helpers.results import make_scores, write

ROWS = 20
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line break, and marks of direction."""
FORMULA = '=HYPERLINK("http://a")'
VERBS: dict[str, list[str]] = {
    "info": ["info", "{run}"],
    "info as JSON": ["info", "{run}", "--json"],
    "plot": ["plot", "{run}", "-o", "{out}/a.svg"],
    "plot of two": ["plot", "{run}", "{other}", "-o", "{out}/b.svg"],
    "export": ["export", "{run}", "-o", "{out}/a.csv"],
    "export as JSON": ["export", "{run}", "-o", "{out}/a.json"],
    "table": ["table", "{run}", "{other}"],
    "table in LaTeX": ["table", "{run}", "{other}", "-o", "{out}/a.tex"],
    "table in CSV": ["table", "{run}", "{other}", "-o", "{out}/b.csv"],
    "flag": ["flag", "{run}", "--rule", "ssim < 0.9", "--fail-on", "mean(psnr) < 1"],
    "stage": ["stage", "segments", "{run}"],
    "show": ["show", "{run}", "-o", "{out}/a.png"],
    "doctor": ["doctor", "{run}"],
    "score": ["score", "{run}", "--ref", "{other}", "-o", "{out}/c.h5"],
    "compare": ["compare", "{run}", "{other}", "-o", "{out}/d.h5"],
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("runs") / "a.h5", make_scores(ROWS))


def spoiled(h5: h5py.File) -> None:
    """Escape codes in every text that a result can hold."""
    segments(kind=ESCAPES, rule=ESCAPES, metric=ESCAPES, role=ESCAPES)(h5)
    for name in ("status", "mode", "vfiscope_version"):
        attribute(name, ESCAPES)(h5)
    attribute("notes", [ESCAPES, "n" * 500_000])(h5)
    attribute("warnings", [ESCAPES])(h5)
    attribute("coded_notes", [{"code": ESCAPES, "values": {ESCAPES: ESCAPES}}])(h5)
    attribute("versions", {"vfiscope": ESCAPES, ESCAPES: "1"})(h5)
    attribute("embedder", {"name": ESCAPES, "dim": 3, ESCAPES: ESCAPES})(h5)
    entry("config", test=ESCAPES, weights=ESCAPES, **{ESCAPES: [ESCAPES]})(h5)
    entry("pairing", policy=ESCAPES, **{ESCAPES: ESCAPES})(h5)
    color = {"matrix": ESCAPES, "range": ESCAPES, "decided_by": ESCAPES}
    entry("sources", path=f"/{ESCAPES}.mp4", decoder=ESCAPES, color=color, width=8, height=8)(h5)
    for score in h5["scores"].values():
        score.attrs.update({"unit": ESCAPES, "description": ESCAPES})
    names = [FORMULA, ESCAPES, "x" * 300_000, *["@SUM(A1)"] * (ROWS - 3)]
    h5["frames"].create_dataset("name", data=names, dtype=h5py.string_dtype())


def others(h5: h5py.File) -> None:
    """As much, and what must be told apart in words differs too."""
    spoiled(h5)
    attribute("embedder", {"name": f"{ESCAPES} 2", "dim": 3})(h5)
    entry("config", window=f"{ESCAPES} 2")(h5)


def run_verbs(
    original: Path,
    folder: Path,
    edit: hostile.Edit,
    verbs: Collection[str] = tuple(VERBS),
    other: hostile.Edit | None = None,
) -> dict[str, int]:
    """{verb: its exit code} for a result with an edit and another one."""
    places = {"run": folder / "a.h5", "other": folder / "b.h5", "out": folder}
    for name in ("run", "other"):
        shutil.copy(original, places[name])
        with h5py.File(places[name], "r+") as h5:
            (edit if name == "run" or other is None else other)(h5)
    return {
        verb: call(*(part.format(**places) for part in arguments))
        for verb, arguments in VERBS.items()
        if verb in verbs
    }


def test_no_text_of_a_result_is_shown_as_it_is(
    original: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    codes = run_verbs(original, tmp_path, spoiled, other=others)
    printed, errors = capfd.readouterr()
    assert set(codes.values()) <= {0, 2}, codes
    assert [verb for verb, code in codes.items() if not code] == [*VERBS][:11]
    assert not UNSAFE.search(printed + errors)
    assert "Traceback" not in errors
    assert max(map(len, errors.splitlines())) < 5200
    text = "\n".join(line for line in printed.splitlines() if not line.startswith("{"))
    assert len(text) < 60_000
    assert "(cut, of 500000 characters)" in text
    assert "\nflagged: nothing" not in printed
    for figure in ("a.svg", "b.svg"):
        assert ElementTree.parse(tmp_path / figure).getroot().tag.endswith("svg")
    cells = list(csv.reader((tmp_path / "a.csv").read_text("utf-8").splitlines()))
    assert [len(cells), cells[1][7], cells[4][7]] == [ROWS + 1, f"'{FORMULA}", "'@SUM(A1)"]
    assert not UNSAFE.search("".join(cell for line in cells for cell in line))
    assert float(cells[2][8]) == pytest.approx(np.float32(cells[2][8]))
    json.loads((tmp_path / "a.json").read_text())
    written = [(tmp_path / name).read_text("utf-8") for name in ("a.tex", "b.csv", "a.csv")]
    assert not UNSAFE.search("".join(written))
    assert not re.search(r"^flagged: nothing", "\n".join(written), re.MULTILINE)


REFUSED: dict[str, hostile.Edit] = {
    "no frames": hostile.no_rows,
    "times that are none": row("frames/time_s", np.nan),
    "rows without data": hostile.unwritten_rows,
    "config of another kind": attribute("config", [1]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_result_that_cannot_be_is_refused_by_every_verb(
    original: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    codes = run_verbs(original, tmp_path, REFUSED[case])
    printed, errors = capfd.readouterr()
    assert set(codes.values()) == {2}, codes
    assert printed == ""
    assert len(errors.splitlines()) == len(VERBS)
    assert all(line.startswith("vfiscope: error: ") for line in errors.splitlines())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.h5"]


EXTREME: dict[str, hostile.Edit] = {
    "enormous values": lambda h5: [
        row("scores/psnr", np.float32(3e38), slice(0, ROWS, 2))(h5),
        h5["scores/ssim"].attrs.update(
            {"low": -3e38, "high": 3e38, "identity": 3e38, "floor": 1e-300}
        ),
        h5["stages/segments"].attrs.create(
            "parameters", json.dumps({"rules": ["psnr < 999999999", "ssim > -999999999"]})
        ),
        segments(peak=1e308, start_time_s=-1e15, stop_time_s=1e15)(h5),
    ],
    "enormous places": lambda h5: [
        row("frames/time_s", np.arange(ROWS) * 4e13)(h5),
        row("frames/index", np.arange(ROWS) + 10**12)(h5),
        segments(start=10**12, stop=10**12 + 1, peak_index=10**12)(h5),
    ],
    "one time for all": row("frames/time_s", 0.0),
    "times that go back": lambda h5: [
        row(f"frames/{name}", np.arange(ROWS)[::-1])(h5) for name in ("pts", "time_s")
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", EXTREME)
def test_extreme_values_that_may_be_are_shown(
    original: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    codes = run_verbs(original, tmp_path, EXTREME[case], ("plot", "info", "flag", "table"))
    assert set(codes.values()) == {0}, capfd.readouterr().err
    assert capfd.readouterr().err == ""
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
