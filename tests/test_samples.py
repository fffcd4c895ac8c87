"""The committed samples hold what truth.json says was planted in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
LIMIT = 3 * 2**20


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))


def read_video(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def read_images(paths: list[Path]) -> np.ndarray:
    return np.stack([cv2.imread(str(path))[..., ::-1] for path in paths])


def psnr(test: np.ndarray, ref: np.ndarray) -> np.ndarray:
    error = (test.astype(np.float64) - ref.astype(np.float64)) ** 2
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / error.mean(axis=(1, 2, 3)))


def ssim(test: np.ndarray, ref: np.ndarray) -> np.ndarray:
    weights = np.array([0.299, 0.587, 0.114])
    options = {
        "data_range": 255,
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }
    return np.array(
        [
            structural_similarity(a @ weights, b @ weights, **options)
            for a, b in zip(test, ref, strict=True)
        ]
    )


def low(values: np.ndarray, floor: float) -> list[int]:
    """Frames more than six robust standard deviations, and more than the floor, below the clip's
    median."""
    median = np.median(values)
    return np.flatnonzero(
        values < median - max(6 * 1.4826 * np.median(np.abs(values - median)), floor)
    ).tolist()


def test_all_samples_are_there_and_small() -> None:
    names = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    expected = {
        "truth.mp4",
        "interpolated.mp4",
        "pair/ref.png",
        "pair/test.png",
        "jobs.json",
        "truth.json",
        "README.md",
    }
    methods = {f"methods/{name}.mp4" for name in ("truth", "source", "repeat", "blend", "flow")}
    assert expected | methods | {f"timelapse/photo_{i:02d}.jpg" for i in range(24)} <= names
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) <= LIMIT


@pytest.mark.slow
def test_exactly_the_ghosted_frames_are_bad(truth: dict) -> None:
    planted = truth["interpolated.mp4"]
    (event,) = planted["events"]
    assert (event["kind"], event["start"], event["stop"]) == ("ghosting", 48, 60)
    test, ref = read_video(SAMPLES / "interpolated.mp4"), read_video(SAMPLES / "truth.mp4")
    assert test.shape == ref.shape == (96, 180, 320, 3)
    inside = list(range(48, 60))
    scores = {"psnr": (psnr(test, ref), 1.5), "ssim": (ssim(test, ref), 0.02)}
    for name, (values, floor) in scores.items():
        assert low(values, floor) == inside, name
    outside = np.setdiff1d(np.arange(96), inside)
    assert scores["psnr"][0][outside].min() - scores["psnr"][0][inside].max() > 10.0
    assert scores["ssim"][0][outside].min() - scores["ssim"][0][inside].max() > 0.15


def test_made_frames_are_a_little_worse_than_passed_ones(truth: dict) -> None:
    role = np.array(truth["interpolated.mp4"]["role"])
    assert role.tolist() == ["passed", "synthesised"] * 48
    values = psnr(read_video(SAMPLES / "interpolated.mp4"), read_video(SAMPLES / "truth.mp4"))
    usual = np.r_[0:48, 60:96]
    difference = np.median(values[usual][role[usual] == "passed"]) - np.median(
        values[usual][role[usual] == "synthesised"]
    )
    assert 0.5 < difference < 3.0


def test_the_methods_differ_in_their_odd_frames_and_the_flow_is_best(truth: dict) -> None:
    videos = {
        name: read_video(SAMPLES / "methods" / f"{name}.mp4")
        for name in ("truth", "repeat", "blend", "flow")
    }
    source = read_video(SAMPLES / "methods" / "source.mp4")
    assert [len(video) for video in (*videos.values(), source)] == [49] * 4 + [25]
    assert psnr(source, videos["truth"][::2]).min() > 38
    scores = {
        name: psnr(video, videos["truth"]) for name, video in videos.items() if name != "truth"
    }
    assert (
        sorted(scores, key=lambda name: -scores[name][1::2].mean())
        == truth["methods"]["best first"]
    )
    assert all(values[::2].min() > 38 for values in scores.values())
    assert scores["flow"][1::2].min() > scores["blend"][1::2].max() > scores["repeat"][1::2].max()


def test_the_videos_run_at_24_frames_a_second() -> None:
    for name in ("truth.mp4", "interpolated.mp4"):
        with av.open(str(SAMPLES / name)) as container:
            times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
        assert [time * 24 for time in times] == list(range(96))


def test_the_time_lapse_shows_its_exposure_and_its_visitor(truth: dict) -> None:
    exposure, change = truth["timelapse"]["events"]
    assert (exposure["start"], exposure["stop"], change["start"], change["stop"]) == (6, 9, 14, 18)
    photos = read_images([SAMPLES / "timelapse" / f"photo_{i:02d}.jpg" for i in range(24)])
    level = photos.mean(axis=(1, 2, 3))
    jumps = np.flatnonzero(np.abs(np.diff(level)) > 10.0) + 1
    assert jumps.tolist() == [6, 9]
    assert level[6:9].mean() / level[[5, 9]].mean() == pytest.approx(exposure["gain"], abs=0.03)
    x, y, w, h = (int(value) for value in change["box"])
    # What the disc covers, each photograph divided by its own brightness, against the photograph
    # before it came.
    patch = photos[:, y : y + h, x : x + w].astype(float) / level[:, None, None, None]
    away = np.abs(patch - patch[12]).mean(axis=(1, 2, 3))
    there = np.arange(14, 18)
    assert away[there].min() > 3 * np.delete(away, [*range(6, 9), *there]).max()
    values = ssim(photos, np.repeat(photos[:1], 24, axis=0))
    assert low(values[1:], 0.02) == [5, 6, 7, 13, 14, 15, 16]


def test_the_pair_differs_in_its_boxes_only(truth: dict) -> None:
    test, ref = (
        read_images([SAMPLES / "pair" / "test.png"])[0],
        read_images([SAMPLES / "pair" / "ref.png"])[0],
    )
    change = np.abs(test.astype(int) - ref.astype(int)).max(axis=2)
    outside = np.ones_like(change, bool)
    for x, y, w, h in truth["pair"]["boxes"]:
        rows, columns = slice(int(y) - 1, int(y + h) + 2), slice(int(x) - 1, int(x + w) + 2)
        assert change[rows, columns].mean() > 20.0
        outside[rows, columns] = False
    assert change[outside].max() == 0


def test_the_job_list_names_files_that_exist() -> None:
    jobs = json.loads((SAMPLES / "jobs.json").read_text(encoding="utf-8"))
    assert [(job["id"], job["mode"]) for job in jobs] == [
        ("interpolated", "score"),
        ("timelapse", "scan"),
        ("pair", "compare"),
    ]
    for job in jobs:
        for role in ("test", "ref"):
            assert role not in job or (SAMPLES / job[role]).exists()


@pytest.mark.slow
def test_the_script_draws_the_same_samples_again(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    done = subprocess.run(
        [sys.executable, str(SAMPLES / "make_samples.py"), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "in all" in done.stdout.splitlines()[-1]
    for name in ("truth.json", "jobs.json"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()
    for name in (
        "pair/test.png",
        "pair/ref.png",
        "timelapse/photo_07.jpg",
        "timelapse/photo_15.jpg",
    ):
        again, kept = read_images([tmp_path / name, SAMPLES / name])
        # Another processor may round a matrix product to the other side.
        assert np.abs(again.astype(int) - kept).mean() < 0.1, name
    for name in (
        "truth.mp4",
        "interpolated.mp4",
        *(f"methods/{each}.mp4" for each in ("truth", "source", "flow")),
    ):
        again, kept = read_video(tmp_path / name), read_video(SAMPLES / name)
        assert np.mean((again.astype(np.float32) - kept) ** 2, axis=(1, 2, 3)).max() < 10.0, name
