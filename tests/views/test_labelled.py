"""Jobs of one label as a method: over which scenes, what is left out, and what a batch prints and
writes."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cli import call
from helpers.stored import EVERY_SECOND, TRUTH, store_run

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import StoreError, UsageError
from vfiscope.store import Run
from vfiscope.views.labelled import table_of_folder, table_of_results
from vfiscope.views.table import Table

MIXED = [*EVERY_SECOND] * 4


def scene(name: str) -> dict[str, Any]:
    return {**TRUTH, "path": f"/v/{name}/truth.mp4", "digest": f"sha256:{name}"}


def job(
    folder: Path, label: str, where: str, level: float, frames: int = 8, **how: Any
) -> dict[str, Any]:
    """A finished job, with its result, whose PSNR is the same in every frame."""
    identity = how.pop("identity", f"{label}-{where}")
    reference = scene(where) if where else None
    out = store_run(
        folder / f"{identity}.h5", {"psnr": np.full(frames, level)}, reference=reference, **how
    )
    return {"id": identity, "label": label, "ref": reference and reference["path"], "out": str(out)}


def psnr(table: Table) -> Any:
    (column,) = table.columns
    assert column.spec.name == "psnr"
    return column


def test_means_are_over_the_frames_of_all_shared_scenes(tmp_path: Path) -> None:
    results = [
        job(tmp_path, "a", "car", 30, 8),
        job(tmp_path, "b", "car", 32, 8),
        job(tmp_path, "a", "sea", 40, 24),
        job(tmp_path, "b", "sea", 41, 24),
    ]
    table = table_of_results(results)
    assert table.methods == ("a", "b")
    assert table.scenes == ("car/truth.mp4", "sea/truth.mp4")
    assert table.frames == 32
    assert table.heading.startswith("all 32 frames, in 2 scenes")
    assert psnr(table).values == {"a": 37.5, "b": 38.75}
    assert psnr(table).lead.mean == 1.25
    assert psnr(table).lead.over == "a"
    assert (
        table.drawn
        == "circular block bootstrap within each of these 2 scenes, blocks of 1 to 3 frames"
    )
    assert [(w.scene, w.frame, w.value) for w in psnr(table).worst["a"]] == [
        ("car/truth.mp4", 0, 30)
    ]
    assert table.notes == ()


def test_over_many_scenes_whole_ones_are_drawn(tmp_path: Path) -> None:
    leads = [1, 2, 3, 1, 2, 3, 1, 2, 3]
    results = [job(tmp_path, "a", f"s{n}", 30, 1, mode="compare") for n in range(9)]
    results += [
        job(tmp_path, "b", f"s{n}", 30 + lead, 1, mode="compare") for n, lead in enumerate(leads)
    ]
    table = table_of_results(results)
    assert table.heading == "all 9 frames, in 9 scenes"
    assert table.drawn == "bootstrap over 9 scenes"
    assert psnr(table).values == {"a": 30, "b": 32}
    assert psnr(table).decisive
    assert 1 <= psnr(table).lead.low < 2 < psnr(table).lead.high <= 3


def test_few_scenes_of_few_frames_decide_nothing(tmp_path: Path) -> None:
    results = [
        job(tmp_path, label, where, level, 4)
        for label, level in (("a", 30), ("b", 31))
        for where in ("x", "y")
    ]
    table = table_of_results(results)
    assert table.drawn == "no intervals: fewer than 8 scenes, not all of 8 frames or more"
    assert (psnr(table).best, psnr(table).decisive, psnr(table).lead.low) == ("b", False, None)


def test_of_scenes_where_frames_are_told_apart_the_synthesised_ones_count(tmp_path: Path) -> None:
    results = [
        job(tmp_path, label, where, 30, role=MIXED) for label in "ab" for where in ("car", "sea")
    ]
    assert (
        table_of_results(results).heading
        == "synthesised frames: 8 in all methods, of 16, in 2 scenes"
    )
    results += [job(tmp_path, label, "sky", 30) for label in "ab"]
    table = table_of_results(results)
    assert (table.role, table.frames) == ("all", 24)
    assert table.notes == ("synthesised frames are known in 2 of 3 scenes only: over all frames",)


def test_scenes_that_a_label_lacks_are_named_and_left_out(tmp_path: Path) -> None:
    results = [job(tmp_path, label, where, 30) for label in "ab" for where in ("car", "sea")]
    results += [job(tmp_path, "a", "sky", 99), job(tmp_path, "a", "sun", 99)]
    table = table_of_results(results)
    assert psnr(table).values == {"a": 30, "b": 30}
    assert table.notes == ("left out sky/truth.mp4, sun/truth.mp4: no job with the label b",)


def test_labels_that_lack_the_most_are_left_out_until_a_scene_is_complete(tmp_path: Path) -> None:
    where = {
        "a": ("car", "sea", "sky"),
        "b": ("car", "sea"),
        "c": ("sky",),
        "d": ("garden",),
        "e": ("sky", "sun"),
    }
    results = [job(tmp_path, label, each, 30) for label, scenes in where.items() for each in scenes]
    table = table_of_results(results)
    assert table.methods == ("a", "b")
    assert table.scenes == ("car/truth.mp4", "sea/truth.mp4")
    assert table.notes == (
        "left out the label d: no job against car/truth.mp4, sea/truth.mp4, sky/truth.mp4",
        "left out the label e: no job against car/truth.mp4, sea/truth.mp4",
        "left out the label c: no job against car/truth.mp4, sea/truth.mp4",
        "left out sky/truth.mp4: no job with the label b",
    )


def test_what_is_no_method_is_left_out(tmp_path: Path) -> None:
    results = [
        job(tmp_path, "a", "car", 30),
        job(tmp_path, "b", "car", 31),
        job(tmp_path, "", "car", 99, identity="plain"),
        job(tmp_path, "other", "garden", 10),
        job(tmp_path, "alone", "", 10, identity="alone"),
        {"id": "broken", "label": "b", "ref": "/v/sea/truth.mp4", "out": None},
    ]
    table = table_of_results(results)
    assert table.methods == ("a", "b")
    assert table.notes == (
        "left out broken: no result",
        "left out alone: compared with nothing that other jobs share",
        "left out the label other: no job against car/truth.mp4",
    )


def test_a_scene_that_cannot_be_compared_is_left_out_with_the_reason(tmp_path: Path) -> None:
    results = [job(tmp_path, label, where, 30) for label in "ab" for where in ("car", "sea")]
    results += [job(tmp_path, "a", "sky", 30), job(tmp_path, "b", "sky", 30, test={"width": 32})]
    results += [job(tmp_path, "a", "sun", 30), job(tmp_path, "b", "sun", 30)]
    results += [job(tmp_path, "b", "sun", 30, identity="again")]
    table = table_of_results(results)
    assert table.scenes == ("car/truth.mp4", "sea/truth.mp4")
    assert table.notes == (
        (
            "left out sky/truth.mp4: these runs are not comparable: different sizes of frames (a:"
            " 64x48; b: 32x48): bring all to the same size before"
        ),
        "left out sun/truth.mp4: 2 jobs have the label b: give each its own",
    )
    with pytest.raises(
        UsageError, match=r"there is no scene in which a, b can be compared \(left out truth.mp4: "
    ):
        table_of_results(results[4:6])


def test_parts_of_one_reference_are_scenes_of_their_own(tmp_path: Path) -> None:
    results = [
        job(tmp_path, label, "car", level, config={"start": start}, identity=f"{label}{start}")
        for label, level in (("a", 30), ("b", 31))
        for start in (0, 100)
    ]
    table = table_of_results(results)
    assert table.scenes == ("1: truth.mp4", "2: truth.mp4")
    assert table.frames == 16


def test_no_two_labels_make_no_table(tmp_path: Path) -> None:
    results = [job(tmp_path, "a", "car", 30), job(tmp_path, "b", "sea", 30)]
    with pytest.raises(
        UsageError, match="no two labels have jobs against the same file; label the jobs by method"
    ):
        table_of_results(results)


@pytest.mark.parametrize("name", ["results.json", "summary.csv", "methods.csv"])
def test_a_job_file_that_would_be_written_over_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = tmp_path / name
    jobs.write_text("of a person")
    assert call("batch", tmp_path / "." / name, "-o", tmp_path / ".") == 2
    said = f"{jobs} would be overwritten by the results of the batch: rename the job file"
    assert capsys.readouterr().err == f"vfiscope: error: {said}\n"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "of a person")]


def test_a_batch_that_was_moved_still_has_its_table(tmp_path: Path) -> None:
    made, moved = tmp_path / "made", tmp_path / "moved"
    made.mkdir()
    results = [job(made, label, "car", level) for label, level in (("a", 30), ("b", 31))]
    (made / "results.json").write_text(json.dumps(results))
    before = table_of_folder(made).to_dict()
    made.rename(moved)
    assert table_of_folder(moved).to_dict() == before
    (moved / "a-car.h5").unlink()
    with pytest.raises(StoreError, match=r"moved/a-car.h5 is missing"):
        table_of_folder(moved)


def test_why_labels_make_no_table_is_said(jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = json.loads((jobs / "jobs.json").read_text())
    folder = jobs / "apart"
    for number, chosen in enumerate((entries[:1] + entries[3:], entries[:1])):
        (jobs / f"apart{number}.json").write_text(json.dumps(chosen))
    assert call("batch", jobs / "apart0.json", "-o", folder, "--json") == 0
    said = "vfiscope: there is no table by label: no two labels have jobs against the same file"
    assert said in capsys.readouterr().err
    assert not (folder / "methods.csv").exists()
    (folder / "methods.csv").write_text("of an earlier run")
    assert call("batch", jobs / "apart0.json", "-o", folder) == 0
    assert f"({folder / 'methods.csv'} is from an earlier run)\n" in capsys.readouterr().err
    assert (folder / "methods.csv").read_text() == "of an earlier run"
    for name, how in (("apart0", "--quiet"), ("apart1", "--json")):
        assert call("batch", jobs / f"{name}.json", "-o", folder, how) == 0
        assert "table" not in capsys.readouterr().err  # one label alone asks for none


def test_a_table_of_a_persons_own_in_the_folder_stays(jobs: Path) -> None:
    folder = jobs / "own"
    folder.mkdir()
    (folder / "table.csv").write_text((jobs / "jobs.csv").read_text())
    assert call("batch", folder / "table.csv", "-o", folder, "--quiet") == 0
    assert (folder / "table.csv").read_text() == (jobs / "jobs.csv").read_text()
    assert (folder / "methods.csv").is_file()


def test_a_folder_that_is_no_batch_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        UsageError, match=r"is a folder without results.json: pass the folder of a batch"
    ):
        table_of_folder(tmp_path)
    for content in ("[1]", "{}", "[", "\xff"):
        (tmp_path / "results.json").write_text(content, encoding="latin-1")
        with pytest.raises(StoreError, match=r"results.json .*: run the batch again"):
            table_of_folder(tmp_path)
    assert call("table", tmp_path, "--label", "a") == 2
    assert "its jobs have their own labels; leave labels out" in capsys.readouterr().err
    with pytest.raises(UsageError, match="leave labels out"):
        vs.table(tmp_path, labels=["a"])


# ------------------------------------------------------------------------------------- a real batch


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of nine frames, and two methods: one a little brighter than the truth, one much
    brighter."""
    folder = tmp_path_factory.mktemp("jobs")
    entries: list[Mapping[str, Any]] = []
    for name, seed in (("car", 1), ("sea", 2)):
        frames = np.stack(list(synth.Scene(48, 64, seed=seed).frames(9))) // 2
        synth.write_images(folder / name / "truth", frames, "f%d.png")
        for label, offset in (("far", 8), ("near", 2)):
            synth.write_images(folder / name / label, frames + np.uint8(offset), "f%d.png")
            entries.append(
                {
                    "id": f"{name}_{label}",
                    "label": label,
                    "mode": "score",
                    "test": f"{name}/{label}",
                    "ref": f"{name}/truth",
                    "metrics": "psnr,absdiff",
                    "maps": "none",
                }
            )
    (folder / "jobs.json").write_text(json.dumps(entries))
    with open(folder / "jobs.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(entries[0]))
        writer.writeheader()
        writer.writerows(
            {**entry, "test": folder / entry["test"], "ref": folder / entry["ref"]}
            for entry in entries
        )
    return folder


def test_a_batch_ends_with_its_table_by_label(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = jobs / "out"
    assert call("batch", jobs / "jobs.json", "-o", out) == 0
    printed = capsys.readouterr().out
    assert "all 18 frames, in 2 scenes" in printed
    assert f"table by label: {out / 'methods.csv'}\n" in printed
    # 10 log10(255^2 / 64) and 10 log10(255^2 / 4)
    with open(out / "methods.csv", newline="", encoding="utf-8") as file:
        far, near = csv.DictReader(file, strict=True)
    assert (far["method"], near["method"]) == ("far", "near")
    assert float(far["psnr"]) == pytest.approx(30.0692, abs=1e-3)
    assert float(near["psnr"]) == pytest.approx(42.1104, abs=1e-3)
    assert float(near["absdiff"]) == pytest.approx(2 / 255, rel=1e-5)
    assert (near["psnr_best"], near["psnr_wins"], far["psnr_best"]) == ("decisive", "1.0", "")
    assert call("table", out, "--metrics", "psnr", "--sort", "psnr", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["methods"] == ["near", "far"]
    assert found["frames"] == 18
    assert found["scenes"] == ["car/truth", "sea/truth"]
    assert found["metrics"]["psnr"]["best"] == "near"
    assert found["metrics"]["psnr"]["worst"]["far"][0]["file"] == "f0.png"


def test_json_of_a_batch_is_its_results_alone_and_quiet_is_quiet(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = jobs / "out"
    assert call("batch", jobs / "jobs.json", "-o", out, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 4
    (out / "methods.csv").unlink()
    assert call("batch", jobs / "jobs.json", "-o", out, "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert (out / "methods.csv").is_file()


def test_real_runs_of_other_scenes_are_refused(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = jobs / "out"
    if not out.is_dir():
        assert call("batch", jobs / "jobs.json", "-o", out, "--quiet") == 0
    assert call("table", out / "car_far.h5", out / "sea_far.h5") == 2
    assert "different references (car_far: " in capsys.readouterr().err
    with Run(out / "car_far.h5") as far, Run(out / "car_near.h5") as near:
        assert vs.table([far, near]).methods == ("car_far", "car_near")


def test_results_that_cannot_be_read_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results.json").write_text("[{]")
    with pytest.raises(
        StoreError, match=r"cannot be read \(.*line 1 column 3\): run the batch again"
    ):
        table_of_folder(tmp_path)
    monkeypatch.setattr("vfiscope.views.labelled.MAX_RESULTS_BYTES", 2)
    with pytest.raises(StoreError, match=r"\(larger than 2 bytes\): run it in several folders"):
        table_of_folder(tmp_path)
