"""``vfiscope regions``: what it prints, draws and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

import vfiscope as vs
from vfiscope.cli import run_commands
from vfiscope.cli.program import main
from vfiscope.scoring import region_marks, stored_frames


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A compared pair whose square of 24 x 16 pixels changed, without regions."""
    ref = np.full((48, 64, 3), 100, np.uint8)
    test = ref.copy()
    test[10:26, 20:44] = 200
    for name, pixels in (("test.png", test), ("ref.png", ref)):
        cv2.imwrite(str(tmp_path / name), pixels)
    inputs = str(tmp_path / "test.png"), str(tmp_path / "ref.png")
    out = tmp_path / "run.h5"
    vs.compare(*inputs, regions="none", metrics=["psnr"], signals=["none"], out=out).close()
    return out


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return int(caught.value.code or 0)


def test_regions_are_sought_once_then_shown_and_sought_again_when_asked(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("regions", run) == 0
    assert "Something bright was added in the middle" in capsys.readouterr().out
    with vs.open_run(run) as first:
        made = first.stages["regions"].made
    assert call("regions", run) == 0
    with vs.open_run(run) as same:
        assert same.stages["regions"].made == made
    assert call("regions", run, "--method", "absdiff", "--json") == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["written"] == []
    with vs.open_run(run) as other:
        assert other.stages["regions"].parameters["method"] == "absdiff"


def test_what_is_not_passed_stays_unless_a_method_is(run: Path) -> None:
    assert call("regions", run, "--method", "absdiff", "--sensitivity", "high") == 0
    assert call("regions", run, "--device", "cpu", "--frames", "0:9") == 0
    with vs.open_run(run) as again:
        stored = dict(again.stages["regions"].parameters)
        assert [each.unit for each in again.answers] == ["code values"]
    kept = {"method": "absdiff", "sensitivity": "high", "frames": "0:9"}
    assert {name: stored[name] for name in kept} == kept
    assert call("regions", run, "--method", "absdiff") == 0
    with vs.open_run(run) as anew:
        assert anew.stages["regions"].parameters["sensitivity"] == "medium"


def test_no_answer_is_explained(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, names = run.parent / "score.h5", [str(run.parent / f"{n}.png") for n in ("test", "ref")]
    words = ("--metrics", "psnr", "--signals", "none", "--regions", "absdiff", "--out", out)
    assert call("score", names[0], "--ref", names[1], *words) == 0
    said = f"no frame is flagged, and only those are looked at: run vfiscope regions {out}"
    assert said in capsys.readouterr().out
    assert call("regions", out) == 0
    assert said in capsys.readouterr().out
    assert call("regions", out, "--figures", run.parent / "figures") == 2
    assert said in capsys.readouterr().err
    assert call("regions", out, "--method", "none") == 0
    assert capsys.readouterr().out.strip() == (
        f"no regions were sought: run vfiscope regions {out} --method auto"
    )


def test_figures_and_a_report_of_another_system_are_written(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def streamed(run: vs.Run, sources: Any, rows: Any) -> Any:
        read.extend(rows)
        return stored_frames.streamed(run, sources, rows)

    monkeypatch.setattr(region_marks, "streamed", streamed)
    folder, report = run.parent / "figures", run.parent / "report.json"
    words = ("--figures", folder, "--report", report, "--schema", "frameshift")
    assert call("regions", run, *words) == 0
    assert read == [0, 0]  # once to seek, and once for figures and report together
    *_, other, figures, _ = capsys.readouterr().out.splitlines()
    assert (figures, other) == (f"4 files in {folder}", str(report))
    assert (folder / "run-000000_page.png").is_file()
    (change,) = json.loads(report.read_text())["changes"]
    box = change["bbox"]
    assert np.abs(np.subtract([box[side] for side in "xywh"], [20, 10, 24, 16])).max() <= 2
    assert call("regions", run, *words) == 2
    assert "exists: pass --overwrite or another --report" in capsys.readouterr().err
    assert call("regions", run, "--figures", run.parent / "test.png") == 2
    assert "or pass another --figures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "atuo"], "did you mean 'auto'"),
        (["--report", "a.json"], "--report and --schema go together"),
        (["--report", "a.json", "--schema", "frameshft"], "did you mean 'frameshift'"),
        (["--frames", "9"], "none of the frames 9"),
    ],
)
def test_wrong_words_are_one_line_and_change_nothing(
    run: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run.read_bytes()
    assert call("regions", run, *words) == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert run.read_bytes() == before


def test_a_report_names_both_files(run: Path) -> None:
    report = run.parent / "hybrid.json"
    assert call("regions", run, "--report", report, "--schema", "trackshift-hybrid") == 0
    assert json.loads(report.read_text())["image_name"] == str(run.parent / "test.png")
    with vs.open_run(run) as opened:
        (pair,) = region_marks.sought_pairs(opened)
    assert pair.stem == "run-000000"
    assert pair.compared.partner is not None
    assert pair.compared.partner.path == str(run.parent / "ref.png")


def test_frames_that_are_read_for_regions_have_a_bar(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals: list[int] = []

    def bar(rows: Any, total: int) -> Any:
        totals.append(total)
        return rows

    monkeypatch.setattr(run_commands, "rows_read", bar)
    out = ("-o", run.parent / "scan.h5")
    words = ("--metrics", "psnr", "--signals", "none", "--regions", "absdiff", *out)
    assert call("scan", run.parent / "*.png", "--golden", "0", *words) == 0
    assert totals == [2]
    assert (
        call("scan", run.parent / "*.png", "--golden", "0", *words, "--overwrite", "--quiet") == 0
    )
    assert totals == [2]


def test_a_device_and_weights_of_another_machine_can_be_replaced(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File(run, "r+") as file:
        of_run = {"embedder": "dinov2-small", "weights": "there.pth", "device": "mps"}
        file.attrs["config"] = json.dumps({**json.loads(file.attrs["config"]), **of_run})

    def refusal(*words: str) -> str:
        assert call("regions", run, "--method", "semantic", *words) == 2
        return capsys.readouterr().err

    no_device, no_weights = refusal(), refusal("--device", "cpu")
    assert f"{run} was scored with device mps: pass another --device to" in no_device
    assert "'there.pth' do not exist" in no_weights
    assert f"{run} was scored with weights there.pth: pass another --weights to" in no_weights
    assert "does not look at it" in refusal("--method", "auto", "--embedder", "dsift")
    words = ("--device", "cpu", "--embedder", "dsift")
    assert call("regions", run, "--method", "semantic", *words) == 0
    with vs.open_run(run) as marked:
        assert marked.stages["regions"].facts["embedder"]["name"] == "dsift"


def test_a_report_of_another_system_says_by_which_method_its_regions_are(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = ("--report", run.parent / "spotter", "--schema", "spotter", "--overwrite")
    assert call("regions", run, "--method", "absdiff", *report) == 0
    *_, said = capsys.readouterr().out.splitlines()
    assert "form of spotter, but their regions are those of the method absdiff" in said
    assert f"vfiscope regions {run} --method spotter-legacy" in said
    assert call("regions", run, "--method", "spotter", *report) == 0
    assert "have the form" not in capsys.readouterr().out


def test_regions_are_numbered_by_severity(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ref = np.zeros((240, 320, 3), np.uint8)
    test = ref.copy()
    test[10:40, 10:50] = 70  # larger, but fainter
    test[150:162, 200:212] = 255
    for name, pixels in (("test.png", test), ("ref.png", ref)):
        cv2.imwrite(str(run.parent / name), pixels)
    words = ("--metrics", "psnr", "--signals", "none", "--regions", "absdiff")
    names = (run.parent / "test.png", run.parent / "ref.png")
    assert call("compare", *names, *words, "--out", run.parent / "two.h5") == 0
    listed = [line for line in capsys.readouterr().out.splitlines() if "severity" in line]
    assert [line.split()[0] for line in listed] == ["1", "2"]
    assert [line.split()[2] for line in listed] == ["3,", "2,"]
    assert "x 200, y 150, 12x12 px" in listed[0]
    assert call("info", run.parent / "two.h5") == 0
    told = capsys.readouterr().out
    assert "by absdiff, in 1 frame (auto): 1 changed; 2 regions, 0 tracks" in told


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    """Six photos, of which those from 2 to 5 hold a square, scanned by absdiff in 1 to 3."""
    plain = np.full((48, 64, 3), 100, np.uint8)
    for number in range(6):
        photo = plain.copy()
        photo[10:26, 20:44] += np.uint8(20 * number if number > 1 else 0)
        cv2.imwrite(str(tmp_path / f"{number}.png"), photo)
    words = {"regions": "absdiff", "region_frames": "1:4", "sensitivity": "high"}
    out = tmp_path / "scan.h5"
    vs.scan(tmp_path / "*.png", golden=0, metrics=["psnr"], signals=["none"], out=out, **words)
    return out


def test_frames_alone_choose_what_is_shown_and_drawn(
    scanned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, figures = scanned.read_bytes(), scanned.parent / "figures"
    assert call("regions", scanned, "--frames", "2", "--figures", figures) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 region changed")
    assert f"4 files in {figures}" in said
    assert {path.name[:11] for path in figures.iterdir()} == {"scan-000002"}
    assert call("regions", scanned, "--frames", "2:4", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [each["frame"] for each in report["frames"]] == [2, 3]
    assert [each["regions"][0]["id"] for each in report["frames"]] == [1, 2]
    assert scanned.read_bytes() == before


def test_frames_that_were_never_looked_at_are_sought_with_the_others(
    scanned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("regions", scanned, "--frames", "3:6") == 0
    said = capsys.readouterr()
    assert "frames 3:6: 2 of them were never looked at" in said.err
    assert said.out.startswith("something changed in 3 of 3 frames: 3 regions, 1 track")
    with vs.open_run(scanned) as run:
        assert [each.frame for each in run.answers] == [1, 2, 3, 4, 5]
        kept = {"method": "absdiff", "frames": "1:6", "sensitivity": "high"}
        stored = run.stages["regions"].parameters
        assert {name: stored[name] for name in kept} == kept
    assert call("regions", scanned, "--frames", "all") == 0
    with vs.open_run(scanned) as run:
        assert run.stages["regions"].parameters["frames"] == "all"
    assert call("regions", scanned, "--frames", "2", "--sensitivity", "low") == 0
    with vs.open_run(scanned) as run:  # another way to look, in these frames alone
        assert [each.frame for each in run.answers] == [2]
