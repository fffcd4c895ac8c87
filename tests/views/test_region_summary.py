"""What a summary says of regions, and where it is given."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.region_runs import answer, region, region_run
from helpers.stored import store_run

from vfiscope.cli.program import main
from vfiscope.store import Run
from vfiscope.types import Track
from vfiscope.views.region_report import region_report
from vfiscope.views.region_summary import summary_with_changes


def test_a_summary_of_a_sequence_counts_answers_and_names_the_worst_of_each_track(
    tmp_path: Path,
) -> None:
    regions = [region(1, track=0), region(2, severity=5, track=0), region(2, severity=4)]
    answers = [answer(0, answer="moved"), answer(1, 1), answer(2, 2)]
    tracks = [Track(0, 1, 2, 2, "spot")]
    with Run(region_run(tmp_path / "a.h5", regions, answers, tracks)) as run:
        summary, report = summary_with_changes(run), region_report(run)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    changes = summary.pop("changes")
    assert summary["regions"] == 3
    drawn = changes.pop("regions")
    assert changes == {
        "method": "auto",
        "answer": "changed",
        "answers": {"moved": 1, "changed": 2},
        "sentence": "something changed in 2 of 3 frames, only the camera moved in 1: 3 regions,"
        " 1 track",
        "tracks": 1,
    }
    assert [(each["frame"], each["id"], each["severity"]) for each in drawn] == [
        *((2, 2, 5), (2, 3, 4))
    ]
    told = report["frames"][2]["regions"][0]
    assert drawn[0] == {"frame": 2, **{key: told[key] for key in drawn[0] if key != "frame"}}


def test_a_summary_lists_all_regions_of_a_pair_and_the_ten_worst_tracks(tmp_path: Path) -> None:
    many = [region(1, severity=1 + n % 5) for n in range(12)]
    with Run(region_run(tmp_path / "a.h5", many, [answer(1, 12)])) as run:
        changes = summary_with_changes(run)["changes"]
    assert [each["severity"] for each in changes["regions"]] == [5, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1]
    with Run(region_run(tmp_path / "b.h5", many, [answer(1, 12), answer(2)])) as run:
        assert len(summary_with_changes(run)["changes"]["regions"]) == 10


def test_a_summary_says_that_none_were_sought(tmp_path: Path) -> None:
    with Run(store_run(tmp_path / "a.h5", {"psnr": [1.0]})) as run:
        assert summary_with_changes(run)["changes"] is None
    with Run(region_run(tmp_path / "b.h5", [], [])) as run:
        changes = summary_with_changes(run)["changes"]
    assert (changes["answer"], changes["answers"], changes["regions"]) == (None, {}, [])
    assert changes["sentence"].startswith("no regions: ")


def test_verbs_and_batches_tell_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = np.full((48, 64, 3), 100, np.uint8)
    test = ref.copy()
    test[10:26, 20:44] = 200
    pair = [str(tmp_path / name) for name in ("test.png", "ref.png")]
    for path, pixels in zip(pair, (test, ref), strict=True):
        cv2.imwrite(path, pixels)
    few = ["--regions", "absdiff", "--metrics", "psnr"]
    with pytest.raises(SystemExit):
        main(["compare", *pair, *few, "--json", "-o", str(tmp_path / "a.h5")])
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert (changes["answer"], changes["regions"][0]["tight"]["w"]) == ("changed", 24)
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps([{"id": "j", "test": pair[0], "ref": pair[1]}]))
    with pytest.raises(SystemExit):
        main(["batch", str(jobs), "-o", str(tmp_path / "out"), *few])
    assert "j: ok: 1 region changed (12 % of the frame)." in capsys.readouterr().out
    (row,) = csv.DictReader((tmp_path / "out" / "summary.csv").read_text().splitlines())
    assert (row["answer"], row["regions"]) == ("changed", "1")
    (job,) = json.loads((tmp_path / "out" / "results.json").read_text())
    assert job["summary"]["changes"] == changes
