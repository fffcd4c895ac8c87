"""Whole jobs on a device give the scores of the CPU. Where there is no GPU, torch's CPU stands for
one: frames and features are tensors there too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import timm
import torch
from helpers.networks import save, shallow

import vfiscope as vs
from vfiscope.embedders import dinov2
from vfiscope.metrics.tensors import patch_tensors, ssim_tensors
from vfiscope.models import device as devices
from vfiscope.models.catalog import entry
from vfiscope.scoring import session

FRAMES, HEIGHT, WIDTH = 5, 96, 144
Values = dict[str, np.ndarray]


def clips() -> tuple[np.ndarray, np.ndarray]:
    """A pan over a blurred pattern, and the same with noise: test and reference."""
    random = np.random.default_rng(0)
    ground = random.integers(0, 256, (HEIGHT + FRAMES, WIDTH + 2 * FRAMES, 3), np.uint8)
    ground = cv2.normalize(cv2.GaussianBlur(ground, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    ref = np.stack([ground[t : t + HEIGHT, 2 * t : 2 * t + WIDTH] for t in range(FRAMES)])
    test = np.clip(ref + random.normal(0, 4, ref.shape), 0, 255).astype(np.uint8)
    return test, ref


def values(**options: Any) -> Values:
    """Everything that a job stores for its frames."""
    test, ref = clips()
    with vs.score(test, ref=ref if options.pop("has_ref", True) else None, **options) as run:
        stored = {"": run.scores, "map ": run.maps, "field ": run.fields, "signal ": run.signals}
        return {
            f"{kind}{name}": np.asarray(column[:], np.float64)
            for kind, columns in stored.items()
            for name, column in columns.items()
        }


def on_device(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Values:
    if torch.cuda.is_available():
        return values(device="cuda", **options)
    for module in (devices, session):
        monkeypatch.setattr(module, "resolve_device", lambda name: "cpu:0")
    monkeypatch.setattr(dinov2, "array_on_cpu", lambda data: data)
    return values(**options)


def seen(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[str]:
    """The types of what a function of a module gets first, filled while it is called."""
    types: list[str] = []
    plain = getattr(module, name)

    def noting(first: Any, *rest: Any, **named: Any) -> Any:
        pixels = getattr(first, "test", getattr(first, "patches", None))
        types.append(type(pixels).__name__)
        return plain(first, *rest, **named)

    monkeypatch.setattr(module, name, noting)
    return types


def check(one: Values, other: Values, apart: float) -> None:
    """Maps and fields are stored in 11 bits."""
    assert one.keys() == other.keys()
    for name, column in one.items():
        bits = 2**-10 if name.startswith(("map", "field")) else 1e-6
        np.testing.assert_allclose(other[name], column, bits, apart, err_msg=name)


@pytest.mark.slow
def test_a_job_with_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"metrics": ["psnr", "ssim", "gmsd", "vfi", "cosine", "mismatch"], "size": 84}
    options |= {"embedder": "dsift"}
    plain = values(**options)
    compared = seen(monkeypatch, ssim_tensors, "means")
    matched = seen(monkeypatch, patch_tensors, "match")
    check(plain, on_device(monkeypatch, **options), 2e-6)
    assert {*compared} == {*matched} == {"Tensor"}


@pytest.mark.slow
def test_a_job_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"has_ref": False, "embedder": "dsift", "size": 84}
    check(values(**options), on_device(monkeypatch, **options), 2e-6)


@pytest.mark.slow
def test_a_job_with_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shallow(monkeypatch)
    torch.manual_seed(0)
    model = timm.create_model(entry("dinov2-small").timm_id, num_classes=0, init_values=1.0)
    weights = save(model.state_dict(), tmp_path / "w.safetensors")
    options = {"metrics": ["cosine", "mismatch"], "signals": ["none"], "precision": "float32"}
    options |= {"embedder": "dinov2-small", "weights": weights, "size": 56}
    plain = values(**options)
    assert plain["cosine"].min() > 1e-4
    matched = seen(monkeypatch, patch_tensors, "match")
    check(plain, on_device(monkeypatch, **options), 1e-5)
    assert {*matched} == {"Tensor"}
