"""How figures are drawn can be chosen from every door, and they are written all or none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cli import call
from helpers.images import save
from helpers.media import noise
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from PIL import Image

import vfiscope as vs
from vfiscope import files
from vfiscope.compat.draw import PAIR_FILES, Drawing
from vfiscope.errors import DiskFullError, OutputExistsError, StoreError, UsageError

OPTIONS: dict[str, Any] = {
    "embedder": "dsift",
    "size": 70,
    "metrics": ("cosine",),
    "maps": ("none",),
    "fields": ("none",),
}
FLAGS = ["--embedder", "dsift", "--size", "70", "--metrics", "cosine", "--fields", "none"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, pixels in zip(("ref", "test"), noise(2, 70, 70), strict=True):
        save(tmp_path / f"{name}.png", pixels)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vfiscope.compat.draw.PAIR_DPI", 20)
    return tmp_path


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """{file: its figure} of what is drawn."""
    figures: dict[str, Figure] = {}

    def save_figure(figure: Figure, path: Path, **_: object) -> None:
        figures[path.name] = figure
        path.write_bytes(b"")

    monkeypatch.setattr("vfiscope.compat.draw.save_figure", save_figure)
    return figures


def arrows(figure: Figure) -> int:
    """Arrows and dots of a figure."""
    (ax,) = figure.axes
    heads = sum(len(part.U) for part in ax.collections if isinstance(part, Quiver))
    return heads + sum(len(line.get_xdata()) for line in ax.lines)


@pytest.mark.slow
def test_stride_pca_and_opacity_are_as_asked_for(saved: dict[str, Figure]) -> None:
    """Every second of 5 x 5 patches, from the first: 3 x 3 arrows, as VFI-Similarity counts them;
    by default one for each patch, where the matches of both sides agree."""
    asked = {"arrow_stride": 2, "pca": False, "opacity": 0.0}
    with vs.Session() as session:
        session.compare("ref.png", "ref.png", visualize="usual", **OPTIONS).close()
        usual = dict(saved)
        saved.clear()
        session.compare("ref.png", "ref.png", visualize="asked", **OPTIONS, **asked).close()
        session.compare("test.png", "ref.png", visualize="clear", **OPTIONS, **asked).close()
    assert (arrows(usual["vector_field.png"]), usual.keys() - saved.keys()) == (
        25,
        {"pca_features.png"},
    )
    drawn = json.loads(Path("asked/summary.json").read_text())
    assert drawn["figures"] == asked
    assert not Path("asked/pca_features.png").exists()
    shown = saved["heatmap_overlay.png"].axes[1].images[0].get_array()
    assert np.array_equal(shown, np.asarray(Image.open("test.png")))


@pytest.mark.slow
def test_the_command_and_a_batch_take_them(folder: Path, saved: dict[str, Figure]) -> None:
    how = ["--arrow-stride", "2", "--no-pca", "--opacity", "0.5"]
    assert call("compare", "ref.png", "ref.png", "--visualize", "a", *FLAGS, *how, "--quiet") == 0
    assert arrows(saved["vector_field.png"]) == 9
    (folder / "jobs.json").write_text(
        json.dumps([{"test": "ref.png", "ref": "ref.png", "opacity": 0.25}])
    )
    batch = ["batch", "jobs.json", "-o", "out", "--visualize", *FLAGS]
    assert call(*batch, *how, "--quiet") == 0
    summary = json.loads((folder / "out/pair_001/summary.json").read_text())
    asked = {"arrow_stride": 2, "pca": False, "opacity": 0.25}
    assert summary["figures"] == asked
    assert {path.name for path in (folder / "out/pair_001").iterdir()} == {*Drawing(**asked).files}
    stamp = (folder / "out/pair_001.h5").stat().st_mtime_ns
    assert call(*batch, "--quiet") == 0  # drawn again, nothing is scored again
    assert {path.name for path in (folder / "out/pair_001").iterdir()} == {*PAIR_FILES}
    assert call(*batch, "--no-pca", "--quiet") == 0
    assert not (folder / "out/pair_001/pca_features.png").exists()
    assert (folder / "out/pair_001.h5").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arrow_stride": 3}, "arrow_stride is 3, but no figures are drawn: pass --visualize"),
        ({"pca": False}, "pca is False, but no figures are drawn"),
        ({"opacity": 0.2}, "opacity is 0.2, but no figures are drawn"),
        ({"opacity": 1.5, "visualize": "a"}, r"opacity is 1.5: pass a number from 0.0 to 1.0"),
        ({"arrow_stride": 0, "visualize": "a"}, "arrow_stride is 0: pass a number from 1"),
    ],
)
def test_a_choice_without_effect_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        vs.compare("test.png", "ref.png", **OPTIONS, **options)


def test_figures_are_for_pairs_alone() -> None:
    with pytest.raises(UsageError, match="opacity is for figures, and none are drawn"):
        vs.run_jobs([{"test": "test.png", "ref": "ref.png"}], "out", opacity=0.5)
    (result,) = vs.run_jobs([{"test": "test.png", "ref": "ref.png", "pca": False}], "out")
    assert result["error"].startswith("pca is False, but no figures are drawn")
    scan = {"mode": "scan", "test": "test.png", "golden": 0, "arrow_stride": 2}
    (result,) = vs.run_jobs([scan], "out", visualize=True)
    assert (
        "arrow_stride has no effect in mode scan: leave it out, or use mode compare"
        in (result["error"])
    )


def full_after(count: int, patch: pytest.MonkeyPatch) -> None:
    """A disk on which only so many figures fit."""
    fitting = iter(range(count))

    def save_figure(_: Figure, path: Path, **__: object) -> None:
        if next(fitting, None) is None:
            raise OSError(28, os.strerror(28))
        path.write_bytes(b"figure")

    patch.setattr(Figure, "savefig", save_figure)


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_and_the_same_call_works_later(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "test.png", "ref.png", "-o", "a.h5", "--visualize", "to/figures", *FLAGS]
    before = {*folder.rglob("*")}
    with pytest.MonkeyPatch.context() as patch:
        full_after(6, patch)
        assert call(*command) == 2
    assert "to/figures does not fit on the disk: free some space" in capsys.readouterr().err
    assert {*folder.rglob("*")} == before
    assert call(*command) == 0
    assert {path.name for path in (folder / "to/figures").iterdir()} == {*PAIR_FILES}


def test_figures_that_are_replaced_are_all_of_one_pair_after_a_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is at the moment when the new files take their places."""
    (folder / "set").mkdir()
    for name in ("a", "b", "c"):
        (folder / "set" / name).write_text("old")
    move, moves = os.replace, iter(range(3))

    def failing(source: Path, target: Path) -> None:
        if next(moves, None) is None:
            monkeypatch.setattr("os.replace", move)
            raise PermissionError(13, os.strerror(13))
        move(source, target)

    monkeypatch.setattr("os.replace", failing)
    placed = files.replacing_all(folder / "set", ("a", "b", "c"), overwrite=True)
    temporary = placed.__enter__()
    for name in ("a", "b"):
        (temporary / name).write_text("new")
    with pytest.raises(StoreError, match="set cannot be written"):
        placed.__exit__(None, None, None)
    assert {path.name: path.read_text() for path in (folder / "set").iterdir()} == {
        "a": "old",
        "b": "old",
        "c": "old",
    }


def test_a_set_takes_its_place_whole(folder: Path) -> None:
    there = folder / "set"
    with files.replacing_all(there, ("a", "b"), overwrite=False) as temporary:
        (temporary / "a").write_text("1")
        assert not (there / "a").exists()
    (there / "mine").write_text("kept")
    with files.replacing_all(there, ("a", "b"), overwrite=True) as temporary:
        (temporary / "b").write_text("2")
    assert {path.name for path in there.iterdir()} == {"b", "mine"}
    with pytest.raises(OutputExistsError, match="b exists"):
        files.replacing_all(there, ("a", "b"), overwrite=False).__enter__()
    (there / "a").mkdir()
    with pytest.raises(StoreError, match="a is a folder"):
        files.replacing_all(there, ("a", "b"), overwrite=True).__enter__()
    full = OSError(28, os.strerror(28))
    with (
        pytest.raises(DiskFullError),
        files.replacing_all(folder / "new/one", ("a",), overwrite=False),
    ):
        raise full
    assert not (folder / "new").exists()
