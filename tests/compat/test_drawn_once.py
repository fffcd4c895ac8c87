"""A pair is decoded and embedded once, and drawn from that as it is drawn alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.images import save
from helpers.media import noise

import vfiscope as vs
from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import read_jobs
from vfiscope.compat.draw import PAIR_FILES
from vfiscope.compat.pictures import visualize
from vfiscope.embedders.dsift import Dsift
from vfiscope.options import RunConfig
from vfiscope.sources.images.image_source import ImageSource

OPTIONS: dict[str, Any] = {"embedder": "dsift", "size": 70, "maps": ("none",), "fields": ("none",)}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many frames were decoded and embedded."""
    counts = {"read": 0, "embedded": 0}
    embed, read = Dsift.embed, ImageSource.__iter__

    def embedding(self: Dsift, frames: Any) -> Any:
        counts["embedded"] += len(frames)
        return embed(self, frames)

    def reading(self: ImageSource) -> Any:
        for frames in read(self):
            counts["read"] += len(frames)
            yield frames

    monkeypatch.setattr(Dsift, "embed", embedding)
    monkeypatch.setattr(ImageSource, "__iter__", reading)
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("metrics", [("psnr",), ("psnr", "cosine")])
@pytest.mark.parametrize("register", ["none", "sift"])
def test_what_is_drawn_of_a_run_is_what_is_drawn_alone(
    tmp_path: Path, counted: dict[str, int], metrics: tuple[str, ...], register: str
) -> None:
    a, b = (save(tmp_path / f"{n}.png", pixels) for n, pixels in enumerate(noise(2, 70, 84)))
    options = {**OPTIONS, "metrics": metrics, "register": register}
    with vs.compare(str(b), str(a), visualize=tmp_path / "once", **options) as run:
        assert tuple(run.scores) == metrics
        assert (run.embedder is None) == (metrics == ("psnr",))
    assert counted == {"read": 2, "embedded": 2}
    visualize(RunConfig("compare", str(b), str(a), **options), tmp_path / "alone")
    for name in PAIR_FILES:
        once, alone = ((tmp_path / folder / name).read_bytes() for folder in ("once", "alone"))
        if name.endswith(".json"):
            once, alone = (
                json.dumps({**json.loads(text), "output_dir": "", "output_file": ""}).encode()
                for text in (once, alone)
            )
        assert once == alone, name


@pytest.mark.slow
def test_a_batch_draws_from_what_its_job_computed(tmp_path: Path, counted: dict[str, int]) -> None:
    for number, pixels in enumerate(noise(3, 70, 84)):
        save(tmp_path / f"{number}.png", pixels)
    options = {"ref": "0.png", "embedder": "dsift", "size": 70, "metrics": "cosine"}
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps([{"test": f"{number}.png", **options} for number in (1, 2)]))
    results = list(run_jobs(read_jobs(jobs), tmp_path / "out", visualize=True))
    assert [result["error"] for result in results] == [None, None]
    assert counted == {"read": 4, "embedded": 4}
    again = list(run_jobs(read_jobs(jobs), tmp_path / "out", visualize=True))
    assert [result["skipped"] for result in again] == [True, True]
    assert counted == {"read": 4, "embedded": 4}
    (tmp_path / "out/pair_001/mismatch_A.png").unlink()
    list(run_jobs(read_jobs(jobs), tmp_path / "out", visualize=True))
    assert counted == {"read": 6, "embedded": 6}
    assert (tmp_path / "out/pair_001/mismatch_A.png").is_file()
