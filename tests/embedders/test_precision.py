"""In which numbers networks multiply, and the trial of bfloat16 on a CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.media import frames_of, noise
from helpers.networks import network, shallow, write_weights

import vfiscope as vs
from vfiscope.embedders import dinov2, precision
from vfiscope.embedders.dinov2 import Dinov2
from vfiscope.embedders.identity import precision_on
from vfiscope.embedders.precision import BFLOAT16_TOLERANCE, check_bfloat16, trial_images
from vfiscope.errors import EmbedderError


def opened(kind: str, device: str = "cpu") -> Dinov2:
    model = network(image=70)
    with torch.no_grad():  # so that every part of it matters
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return Dinov2(model, name="small", version="random", size=70, precision=kind, device=device)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest 1 - cosine along the last axis, in float64."""
    one, other = (x / np.linalg.norm(x.astype(float), axis=-1, keepdims=True) for x in (one, other))
    return float((1 - (one * other).sum(axis=-1)).max())


@pytest.mark.parametrize(
    ("device", "asked", "used"),
    [
        ("cpu", "auto", "float32"),
        ("cpu", "bfloat16", "bfloat16"),
        ("cuda:1", "auto", "bfloat16"),
        ("cuda", "float32", "float32"),
        ("mps", "auto", "float32"),
    ],
)
def test_the_precision_of_a_device(device: str, asked: str, used: str) -> None:
    assert precision_on(device, asked) == used


def test_there_is_no_bfloat16_on_mps() -> None:
    with pytest.raises(EmbedderError, match="'bfloat16', which is for cpu and cuda"):
        precision_on("mps", "bfloat16")


def test_the_policy_of_precision() -> None:
    """Float32 on a CPU unless told otherwise; the settings of others are left as they were."""
    made = opened("auto")
    image = frames_of(noise(1, 70, 70))
    torch.set_float32_matmul_precision("medium")
    try:
        plain = made.embed(image).patches
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert np.array_equal(plain, made.embed(image).patches)
    assert np.array_equal(plain, opened("float32").embed(image).patches)
    assert made.describe(70, 70)["precision"] == "float32"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_computes_in_bfloat16_unless_told_otherwise() -> None:
    images = frames_of(noise(6, 70, 98))
    exact = opened("float32").embed(images)
    precise, fast = opened("float32", device="cuda"), opened("auto", device="cuda")
    assert precise.describe(70, 98)["precision"] == "float32"
    assert fast.describe(70, 98)["precision"] == "bfloat16"
    assert np.allclose(precise.embed(images).patches.cpu(), exact.patches, atol=1e-4)
    made = fast.embed(images)
    assert made.patches.dtype == made.pooled.dtype == torch.float32
    assert float(np.abs(made.patches.cpu().numpy() - exact.patches).max()) > 1e-4
    assert apart(made.pooled.cpu().numpy(), exact.pooled) < 2e-3


def test_bfloat16_on_a_cpu_is_within_its_tolerance_and_no_frame_depends_on_others() -> None:
    """Frames of noise and of ramps; also that something is rounded at all."""
    images = noise(5, 80, 110)
    images[3:] = np.linspace(0, 255, 110)[:, None]
    frames = frames_of(images)
    exact, made = opened("float32").embed(frames), opened("bfloat16").embed(frames)
    assert made.patches.dtype == made.pooled.dtype == np.float32
    assert 1e-7 < apart(made.patches, exact.patches) < BFLOAT16_TOLERANCE
    assert apart(made.pooled, exact.pooled) < BFLOAT16_TOLERANCE
    for start in (0, 2, 3):
        part = opened("bfloat16").embed(frames[start : start + 2])
        assert np.array_equal(part.patches, made.patches[start : start + 2])
        assert np.array_equal(part.pooled, made.pooled[start : start + 2])


def seconds(monkeypatch: pytest.MonkeyPatch, *each: float) -> None:
    """A clock by which the trials take these times, one after the other."""
    ticks = iter([tick for time in each for tick in (0.0, time)])
    monkeypatch.setattr(precision.time, "process_time", lambda: next(ticks))


def multiply(images: torch.Tensor) -> torch.Tensor:
    """A network of one product: each row of an image by a matrix."""
    factor = torch.randn(images.shape[-1], 8, generator=torch.Generator().manual_seed(0))
    return images[:, 0] @ factor


def test_what_is_faster_and_near_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds(monkeypatch, 2.0, 1.0)
    check_bfloat16(multiply, trial_images(14), 1)


def test_what_is_not_faster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds(monkeypatch, 2.0, 3.0)
    with pytest.raises(EmbedderError, match=r"^bfloat16 takes 1\.5 times as long as float32 on"):
        check_bfloat16(multiply, trial_images(14), 1)


@pytest.mark.parametrize("factor", [1.0, float("nan")])
def test_what_moves_vectors_is_refused(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """A small difference of large products is lost in eight bits."""

    def lossy(images: torch.Tensor) -> torch.Tensor:
        left = multiply(images + 100)
        return factor * (left - multiply(torch.full_like(images, 100)))

    seconds(monkeypatch, 2.0, 1.0)
    with pytest.raises(EmbedderError, match=r"\(1 - cosine\), over 0\.001: pass --precision float"):
        check_bfloat16(lossy, trial_images(14), 1)


def test_the_images_of_the_trial_are_noise_and_a_texture_that_is_smooth() -> None:
    images = trial_images(14)
    assert images.shape == (2, 3, 112, 112)
    assert torch.equal(images, trial_images(14))
    assert images.std(dim=(1, 2, 3)).tolist() == pytest.approx([1, 1], abs=0.01)
    steps = (images[..., 1:] - images[..., :-1]).square().mean(dim=(1, 2, 3)).sqrt()
    assert float(steps[0]) == pytest.approx(2**0.5, abs=0.02)
    assert float(steps[1]) < 0.3


@pytest.mark.slow
def test_a_network_is_tried_when_it_is_opened_and_a_run_tells_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unfinished work of another precision is not continued, because the headers differ."""
    shallow(monkeypatch)
    tried: list[int] = []
    monkeypatch.setattr(dinov2, "check_bfloat16", lambda forward, images, n: tried.append(n))
    weights = write_weights("dinov2-small", tmp_path / "w.pt", value=0.02)
    asked = {"metrics": ["cosine"], "signals": ["none"], "weights": weights, "size": 28}
    asked |= {"embedder": "dinov2-small", "device": "cpu"}
    test, ref = noise(2, 28, 28), noise(2, 28, 28, seed=1)
    with (
        vs.score(test, ref=ref, out=tmp_path / "a.h5", **asked) as exact,
        vs.score(test, ref=ref, out=tmp_path / "b.h5", precision="bfloat16", **asked) as rough,
    ):
        assert tried == [1]
        assert exact.embedder["precision"] == "float32"
        assert rough.embedder["precision"] == rough.config["precision"] == "bfloat16"
        assert [line.split(":")[0] for line in exact.header.differences(rough.header)] == [
            "config.precision",
            "embedder.precision",
        ]
        before = {name: each for name, each in exact.embedder.items() if name != "resizing"}
        assert exact.header.differences(replace(exact.header, embedder=before)) == [
            "embedder.resizing: (absent) -> 2"
        ]
