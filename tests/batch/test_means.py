"""The means over all pairs of a batch, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.cli import call
from helpers.images import save

import vfiscope as vs
from vfiscope.batch.means import describe_means, means_of
from vfiscope.views.naming import EMBEDDER_KEYS

FLAGS = ["--metrics", "absdiff,psnr", "--maps", "none", "--fields", "none"]


def grey(level: int) -> np.ndarray:
    return np.full((16, 16, 3), level, np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for level in (100, 110, 140):
        save(tmp_path / f"{level}.png", grey(level))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_pair_counts_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Off by 10, 40 and 0 of 255 code values; the identical pair has no finite PSNR. Neither the
    failed job nor the scan is a pair of the mean."""
    jobs = [{"test": f"{level}.png"} for level in (110, 140, 100, 999)]
    jobs.append({"mode": "scan", "test": "140.png", "golden": "100.png"})
    (folder / "jobs.json").write_text(json.dumps(jobs))
    assert call("batch", "jobs.json", "-o", "out", "--ref", "100.png", *FLAGS) == 3
    means = json.loads((folder / "out/means.json").read_text())
    assert (means["pairs"], means["failed"], means["left_out"]) == (3, 1, {})
    absdiff = {"mean": pytest.approx(50 / 3 / 255), "of": 3}
    psnr = np.mean([20 * np.log10(255 / off) for off in (10, 40)])
    assert means["metrics"] == {"absdiff": absdiff, "psnr": {"mean": pytest.approx(psnr), "of": 2}}
    said = f"mean of 3 pairs: absdiff {50 / 3 / 255:.4g}, psnr {psnr:.4g} (of 2)"
    assert said in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("key", "value"), [("name", "dinov2-base"), ("weights_digest", "sha256:b"), ("size", 224)]
)
def test_distances_of_different_embedders_have_no_mean(key: str, value: object) -> None:
    keys = dict.fromkeys(EMBEDDER_KEYS, "same")

    def result(**embedder: Any) -> dict[str, Any]:
        metrics = {"cosine": {"mean": 0.25}, "ssim": {"mean": 0.5}}
        described = {**keys, **embedder}
        return {"mode": "compare", "summary": {"metrics": metrics}, "embedder": described}

    alike = means_of([result(), result()])
    assert alike["metrics"]["cosine"] == {"mean": 0.25, "of": 2}
    differ = means_of([result(), result(**{key: value})])
    assert differ["metrics"] == {"ssim": {"mean": 0.5, "of": 2}}
    assert differ["left_out"] == {"cosine": "different embedders"}
    said = "mean of 2 pairs: ssim 0.5, cosine left out (different embedders)"
    assert describe_means(differ) == said


def test_one_pair_or_none_has_no_line() -> None:
    assert means_of([]) == {"pairs": 0, "failed": 0, "metrics": {}, "left_out": {}}
    (result,) = vs.run_jobs([{"test": "110.png", "ref": "100.png"}], "out", metrics=["mse"])
    assert describe_means(means_of([result])) == describe_means(means_of([])) == ""
