"""The modules of docs/extending.md, installed as a package, do what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.media import write_video
from helpers.plugins import run_with_plugin, write_plugin

from vfiscope.store import Run

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "extending.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))
pytestmark = pytest.mark.slow


def module_of(title: str) -> str:
    return re.findall(r"^```python\n(.*?)^```$", SECTIONS[title], re.MULTILINE | re.DOTALL)[0]


def command_of(title: str) -> list[str]:
    line = re.findall(r"^vfiscope (.*)$", SECTIONS[title], re.MULTILINE)[-1]
    return line.split()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a clip lies whose last three of eight frames are black, and where packages are."""
    frames = np.full((8, 32, 48, 3), 50, np.uint8)
    frames[5:] = 5
    frames[:, :, :10] += 20
    write_video(tmp_path / "clip.mp4", frames)
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scan_and_run(folder: Path, title: str) -> str:
    """Scan the clip with the package, then type the command of its section; what it printed."""
    write_plugin(folder / "site", module_of(title))
    arguments = ["scan", "clip.mp4", "--metrics", "mse", "--overwrite"]
    for command in (arguments, [*command_of(title), "--json"]):
        done = run_with_plugin(folder / "site", *command)
        assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_detector(folder: Path) -> None:
    scan_and_run(folder, "A detector")
    with Run(folder / "clip.h5") as run:
        assert [(s.start, s.stop) for s in run.segments if s.kind == "dark"] == [(5, 8)]


def test_a_signal(folder: Path) -> None:
    scan_and_run(folder, "A signal")
    with Run(folder / "clip.h5") as run:
        np.testing.assert_allclose(run.signals["brightest"], [70] * 5 + [25] * 3, atol=3)
        assert list(run.signals) == ["brightest", "luma_mean"]
        assert run.versions["my_plugin"] == "1"


def test_a_stage(folder: Path) -> None:
    printed = json.loads(scan_and_run(folder, "A stage"))
    assert printed == {
        "stage": "dim",
        "version": 1,
        "parameters": {"below": 60},
        "rows": {"dim": 8},
    }
    with Run(folder / "clip.h5") as run:
        assert run.stages["dim"].parameters == {"below": 60}


def test_a_comparison(folder: Path) -> None:
    scan_and_run(folder, "A comparison")
    with Run(folder / "clip.h5") as run:
        assert run.pairing["policy"] == "mirrored"
        assert (run.scores["mismatch"] >= 0).all()


def test_a_method_for_regions(folder: Path) -> None:
    scan_and_run(folder, "A method for regions")
    with Run(folder / "clip.h5") as run:
        assert {answer.unit for answer in run.answers} == {"code values"}
        assert sorted({region.frame for region in run.regions}) == [0, 1, 2, 3, 4]
        assert run.stages["regions"].parameters["method"] == "redder"


def test_an_option(folder: Path) -> None:
    assert json.loads(scan_and_run(folder, "An option"))["status"] == "ok"
    with Run(folder / "clip.h5") as run:
        assert run.config["sparkle"] == 4
