"""The sheet that show draws, and the files that it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cli import call
from helpers.faulty_clip import HEIGHT, LEAN, TEST, TRUTH, WIDTH
from PIL import Image

import vfiscope as vs
from vfiscope.errors import OutputExistsError, StoreError, UsageError
from vfiscope.inspection.show import show
from vfiscope.views.heat import grey


def test_the_box_is_where_the_fault_is_and_equal_frames_have_no_colour(scored: Path) -> None:
    with vs.open_run(scored) as run:
        sheets = show(run, frames=[7, 3, 0])
    assert [frame["box"] for frame in sheets.facts["frames"]] == [
        {"x": 32, "y": 16, "w": 32, "h": 32},
        {"x": 0, "y": 32, "w": 16, "h": 16},
        None,
    ]
    pictures = [np.asarray(ax.images[0].get_array()) for ax in sheets.figures[0].axes if ax.images]
    frames = [one for one in pictures if one.shape == (HEIGHT, WIDTH, 3)]
    assert len(frames) == 9  # test, reference and map of three frames
    for place, index in ((0, 7), (3, 3), (6, 0)):
        assert np.array_equal(frames[place], TEST[index])
        assert np.array_equal(frames[place + 1], TRUTH[index])
        coloured = (frames[place + 2] != grey(TEST[index])).any(axis=2)
        wrong = (TEST[index] != TRUTH[index]).any(axis=2)
        assert not (wrong & ~coloured).any()
        assert coloured.sum() == {7: 32 * 32, 3: 16 * 16, 0: 0}[index]
    enlarged = [
        one.shape[:2]
        for one in pictures
        if one.shape[2:] == (3,) and one.shape != (HEIGHT, WIDTH, 3)
    ]
    assert enlarged == [(32, 48)] * 3 + [(21, 31)] * 3


def test_a_sheet_says_what_it_shows(scored: Path) -> None:
    with vs.open_run(scored) as run:
        figure = show(run, worst=2).figures[0]
    texts = [text.get_text() for text in figure.texts]
    assert texts[0] == "test.mkv against truth.mkv: the 2 worst of 2 frames by psnr"
    notes = " ".join(texts[1:3])
    assert "Map: absdiff. One scale for all: 0 (nothing wrong) to" in notes
    assert "99.5 % of the cells shown lie within it" in notes
    assert any(text.startswith("frame 7, 0.280 s:  psnr ") for text in texts)
    for caption in (
        "test: test.mkv",
        "reference: truth.mkv",
        "frame 7",
        "map: Absolute difference ↓",
    ):
        assert caption in texts


def test_photos_are_called_by_their_names_and_dates(media: Path, tmp_path: Path) -> None:
    for number, frame in enumerate(TEST[:3]):
        Image.fromarray(frame).save(tmp_path / f"{1586534400 + 3600 * number}.png")
    with vs.scan(str(tmp_path / "*.png"), golden=0, time_from="name", **LEAN) as run:
        sheets = show(run, frames=[2])
    texts = [text.get_text() for text in sheets.figures[0].texts]
    assert "1586541600.png, 2020-04-10 18:00" in texts
    assert "1586534400.png, 2020-04-10 16:00" in texts
    assert "golden frame" in texts
    assert sheets.facts["frames"][0]["at"] == "2020-04-10T18:00:00+00:00"
    assert sheets.facts["frames"][0]["name"] == "1586541600.png"


def test_where_no_map_is_stored_one_is_computed_and_said(media: Path) -> None:
    none = {"maps": "none", "fields": "none"}
    with vs.score(media / "test.mkv", ref=media / "truth.mkv", metrics="psnr", **none) as run:
        sheets = show(run, frames=[7])
    assert sheets.facts["map"] == "absdiff"
    assert "not stored in the run but computed here" in sheets.figures[0].texts[1].get_text()
    assert sheets.facts["frames"][0]["box"] == {"x": 32, "y": 16, "w": 32, "h": 32}
    with vs.score(media / "test.mkv", metrics="ghosting", **none) as run:
        sheets = show(run, frames=[3, 0])
    notes = " ".join(text.get_text() for text in sheets.figures[0].texts[1:3])
    assert "the smaller of those to the frames before and after" in notes
    assert [frame["box"] is None for frame in sheets.facts["frames"]] == [False, True]
    assert any("compared with nothing" in text.get_text() for text in sheets.figures[0].texts)


def test_the_map_is_that_of_the_metric_asked_for_else_the_preferred(media: Path) -> None:
    options = {
        "metrics": "psnr,ssim,mismatch",
        "maps": "ssim,absdiff,mismatch",
        "embedder": "dsift",
        "size": 56,
    }
    with vs.score(media / "test.mkv", ref=media / "truth.mkv", **options) as run:
        assert show(run, worst=1).facts["map"] == "mismatch"
        assert show(run, worst=1, by="ssim").facts["map"] == "ssim"
        assert show(run, worst=1, by="ssim", map="absdiff").facts["map"] == "absdiff"
        assert show(run, worst=1, map="ssim", scale="absolute").facts["scale"] == [1.0, -1.0]
        arrows = show(run, frames=[7, 3], field="motion").figures[0]
    quivers = [
        each for ax in arrows.axes for each in ax.collections if type(each).__name__ == "Quiver"
    ]
    assert quivers
    assert all(ax.get_xlim() == (-0.5, WIDTH - 0.5) for ax in arrows.axes if ax.collections)
    assert "motion, from test to partner" in [text.get_text() for text in arrows.texts]


@pytest.mark.slow
def test_one_scale_holds_for_all_frames_of_a_call(scored: Path) -> None:
    with vs.open_run(scored) as run:
        both, weak = show(run, frames=[7, 3]).facts["scale"], show(run, frames=[3]).facts["scale"]
        assert show(run, frames=[3], scale=0.2).facts["scale"] == [0, 0.2]
        cells = np.concatenate([run.maps["absdiff"][row].ravel() for row in (7, 3)])
    assert both == pytest.approx([0, np.percentile(cells, 99.5)])
    assert weak[1] != both[1]


@pytest.mark.slow
def test_the_command_writes_a_sheet_and_prints_its_name(
    scored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("show", scored, "--worst", 2) == 0
    assert capsys.readouterr().out == "scored-worst2.png\n"
    with Image.open("scored-worst2.png") as sheet:
        assert sheet.size[0] == 1650
    assert call("show", scored, "--frame", 7, "--frame", 3, "--quiet") == 0
    assert Path("scored-7-3.png").exists()
    assert capsys.readouterr() == ("", "")
    assert call("show", scored, "--worst", 2) == 2
    assert capsys.readouterr().err == (
        "vfiscope: error: scored-worst2.png exists: pass --overwrite or another --out\n"
    )
    assert call("show", scored, "--worst", 2, "--overwrite", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert {**facts, "frames": len(facts["frames"]), "scale": None} == {
        "out": ["scored-worst2.png"],
        "metric": "psnr",
        "role": "all",
        "map": "absdiff",
        "unit": "1",
        "scale": None,
        "frames": 2,
    }
    assert facts["frames"][0].keys() == {
        "index",
        "name",
        "time_s",
        "at",
        "ref_index",
        "value",
        "box",
    }
    assert [(frame["index"], frame["ref_index"], frame["name"]) for frame in facts["frames"]] == [
        (7, 7, None),
        (3, 3, None),
    ]


def test_a_folder_gets_a_file_for_each_frame(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vs.open_run(scored) as run:
        sheets = show(run, worst=2, out=f"{tmp_path}/new/")
        assert len(sheets.figures) == 2
        assert sorted(os.listdir(tmp_path / "new")) == ["scored-000003.png", "scored-000007.png"]
        with pytest.raises(OutputExistsError, match=r"scored-000007\.png exists"):
            show(run, worst=1, out=tmp_path / "new")
        (tmp_path / "file").write_text("x")
        with pytest.raises(StoreError, match="cannot make the folder"):
            show(run, worst=1, out=f"{tmp_path}/file/deep/")
        monkeypatch.setattr("vfiscope.inspection.show.MOST", 1)
        with pytest.raises(
            UsageError, match="2 frames are too many for one sheet: pass 1 or fewer, or -o DIR/"
        ):
            show(run, worst=2, out=tmp_path / "a.png")


def test_the_same_call_writes_the_same_bytes(scored: Path, tmp_path: Path) -> None:
    with vs.open_run(scored) as run:
        for name in ("a.png", "b.png"):
            show(run, worst=1, out=tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.slow
def test_showing_imports_no_torch(scored: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom vfiscope.cli.program import main\n"
        f"try: main(['show', {str(scored)!r}, '-o', {str(tmp_path / 'a.png')!r}])\n"
        "except SystemExit as e: assert not e.code, e.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"worst": 0}, "worst is 0: pass 1 or more"),
        ({"frames": [99]}, "has no frame 99: it holds 12, from 0 to 11"),
        ({"frames": []}, "no frame is chosen"),
        ({"frames": [1], "worst": 2}, "exclude each other"),
        ({"by": "vmaf"}, "has no metric 'vmaf': choose from psnr"),
        ({"frames": [1], "by": "vmaf"}, "has no metric 'vmaf': choose from psnr"),
        ({"map": "heat"}, "has no map 'heat': choose from absdiff"),
        ({"field": "motion"}, "has no field 'motion': score again with --fields motion"),
        ({"scale": "wide"}, "scale is 'wide': pass auto"),
        ({"out": "a.pdf"}, "a.pdf ends in .pdf: name a file that ends in .png"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    scored: Path, arguments: dict[str, Any], message: str
) -> None:
    with vs.open_run(scored) as run, pytest.raises(UsageError) as caught:
        show(run, **arguments)
    assert message in str(caught.value)
