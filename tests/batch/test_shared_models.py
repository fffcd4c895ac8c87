"""A batch opens a network once, and none where all its jobs are done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.images import save
from helpers.media import noise
from helpers.networks import shallow, write_weights

from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import read_jobs
from vfiscope.embedders import dinov2

RERUN = """
import sys
from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import read_jobs
results = list(run_jobs(read_jobs(sys.argv[1]), sys.argv[2]))
assert [result["error"] for result in results] == [None] * 10, results
assert all(result["skipped"] for result in results)
assert "torch" not in sys.modules
assert "vfiscope.embedders.dinov2" not in sys.modules
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    for number, pixels in enumerate(noise(11, 42, 56)):
        save(tmp_path / f"{number}.png", pixels)
    shared = {
        "ref": "0.png",
        "embedder": "dinov2-small",
        "weights": str(write_weights("dinov2-small", tmp_path / "w.pt", value=0.01)),
        "size": 28,
        "metrics": "cosine",
        "maps": "none",
        "fields": "none",
    }
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([{"test": f"{number}.png", **shared} for number in range(1, 11)]))
    return path


@pytest.mark.slow
def test_a_network_is_opened_once_and_not_at_all_for_what_is_done(
    jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow(monkeypatch)
    opened = []
    load = dinov2.load_dinov2
    monkeypatch.setattr(dinov2, "load_dinov2", lambda *a, **b: opened.append(1) or load(*a, **b))
    results = list(run_jobs(read_jobs(jobs), tmp_path / "out"))
    assert [(each["error"], each["skipped"]) for each in results] == [(None, False)] * 10
    assert len(opened) == 1
    assert len(json.loads((tmp_path / "out/results.json").read_text())) == 10
    command = [sys.executable, "-c", RERUN, str(jobs), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # An input, then the weights, of other content and the same size.
    save(tmp_path / "2.png", noise(5, 42, 56)[4])
    results = list(run_jobs(read_jobs(jobs), tmp_path / "out"))
    assert [each["skipped"] for each in results] == [True, False, *[True] * 8]
    write_weights("dinov2-small", tmp_path / "w.pt", value=0.02)
    results = list(run_jobs(read_jobs(jobs), tmp_path / "out"))
    assert [each["skipped"] for each in results] == [False] * 10
    assert len(opened) == 3


def test_results_so_far_are_on_the_disk_where_a_batch_stops(jobs: Path, tmp_path: Path) -> None:
    options = {"metrics": "psnr", "maps": "none", "fields": "none", "ref": "0.png"}
    jobs.write_text(json.dumps([{"test": f"{number}.png", **options} for number in range(1, 11)]))
    running = run_jobs(read_jobs(jobs), tmp_path / "out")
    next(running)
    next(running)
    running.close()
    written = json.loads((tmp_path / "out/results.json").read_text())
    assert [each["id"] for each in written] == ["pair_001", "pair_002"]
