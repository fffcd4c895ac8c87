"""Results are appended while a batch runs, and whole files at its end."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from helpers.images import save
from helpers.media import noise

import vfiscope as vs
from vfiscope.batch import results
from vfiscope.documents import MAX_JOBS
from vfiscope.errors import DiskFullError
from vfiscope.views.labelled import MAX_RESULTS_BYTES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failing(number: int) -> list[dict[str, Any]]:
    return [{"test": f"{n}.png", "ref": "none.png"} for n in range(number)]


def test_each_result_is_appended_once_and_the_whole_is_written_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    whole = results._write_json
    monkeypatch.setattr(results, "_write_json", lambda *a: written.append(1) or whole(*a))
    running, lines = vs.run_jobs(failing(100), "out"), []
    for result in running:
        line = (folder / "out/results.jsonl").read_text().splitlines()[-1]
        assert json.loads(line) == result
        lines.append(line)
        assert written == []
    assert len(written) == 2
    assert json.loads((folder / "out/results.json").read_text()) == list(map(json.loads, lines))
    assert len((folder / "out/summary.csv").read_text().splitlines()) == 101
    left = {path.name for path in (folder / "out").iterdir()}
    assert left == {"results.json", "means.json", "summary.csv"}


def test_what_a_killed_batch_left_is_replaced_by_its_rerun(folder: Path) -> None:
    """A killed process runs nothing any more, so its file is as after a crash in a line."""
    (folder / "out").mkdir()
    (folder / "out/results.json").write_text("[]\n")
    (folder / "out/results.jsonl").write_text('{"id": "pair_001"}\n{"id": "pai')
    done = list(vs.run_jobs(failing(2), "out"))
    assert json.loads((folder / "out/results.json").read_text()) == done
    assert not (folder / "out/results.jsonl").exists()


def test_two_batches_in_one_folder_end_with_whole_files(folder: Path) -> None:
    first, second = vs.run_jobs(failing(3), "out"), vs.run_jobs(failing(2), "out")
    assert next(first)["id"] == next(second)["id"] == "pair_001"
    rest = [*first], [*second]
    assert [len(each) for each in rest] == [2, 1]
    assert len(json.loads((folder / "out/results.json").read_text())) == 2
    assert not (folder / "out/results.jsonl").exists()


def test_a_full_disk_is_said_and_keeps_the_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    running = vs.run_jobs(failing(2), "out")
    next(running)
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(DiskFullError, match=r"results\.json"):
        list(running)
    assert len((folder / "out/results.jsonl").read_text().splitlines()) == 2


def test_the_table_by_label_takes_the_results_of_the_largest_batch(folder: Path) -> None:
    for number, pixels in enumerate(noise(2, 16, 16)):
        save(folder / f"{number}.png", pixels)
    lean = {"metrics": ("psnr", "ssim"), "maps": ("none",), "fields": ("none",)}
    job = {"test": "1.png", "ref": "0.png", "label": "mine", "flag": ["ssim < 1"]}
    assert [done["state"] for done in vs.run_jobs([job], "out", **lean)] == ["ok"]
    assert 3 * MAX_JOBS * (folder / "out/results.json").stat().st_size < MAX_RESULTS_BYTES
