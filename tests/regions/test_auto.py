"""The method ``auto`` on scenes whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.media import noise
from numpy.typing import NDArray

from vfiscope.regions import METHODS, Found, FramePair, Settings, find

Pixels = NDArray[np.uint8]


def textured(height: int = 96, width: int = 128, seed: int = 1) -> Pixels:
    """A smooth random scene, 40..200."""
    rough = cv2.GaussianBlur(noise(1, height, width, seed=seed)[0].astype(np.float32), (0, 0), 3)
    low, high = rough.min(), rough.max()
    return np.asarray(40 + (rough - low) * (160 / (high - low)), np.uint8)


def found(test: Pixels, ref: Pixels, sensitivity: str = "medium") -> Found:
    method = METHODS["auto"](Settings(sensitivity=sensitivity))  # type: ignore[arg-type]
    return find(FramePair(test, ref), method)


@pytest.mark.parametrize("y", [0, 40, 80])
@pytest.mark.parametrize("x", [0, 56, 112])
def test_a_square_is_found_in_every_corner_and_at_every_edge(x: int, y: int) -> None:
    ref = np.full((96, 128, 3), 100, np.uint8)
    test = ref.copy()
    test[y : y + 16, x : x + 16] = 140
    (region,) = found(test, ref).regions
    assert (region.tight_x, region.tight_y, region.tight_w, region.tight_h) == (x, y, 16, 16)


@pytest.mark.parametrize(("side", "reach"), [(96, 2), (320, 3)])
def test_the_mask_grows_by_what_the_tolerance_ate(side: int, reach: int) -> None:
    ref = textured(side, side)
    assert found(ref, 255 - ref).difference.reach == reach


def test_identical_frames_have_no_difference() -> None:
    ref = textured()
    same = found(ref, ref.copy())
    assert not same.regions
    assert not same.difference.values.any()
    assert same.difference.unit == "ratio"
    assert same.cut.level == 1


@pytest.mark.parametrize("kind", ["light", "uneven light", "shift", "noise", "blur"])
def test_what_is_no_change_has_no_region(kind: str) -> None:
    ref = textured()
    test = {
        "light": lambda: np.rint(ref * 0.9 + 8).astype(np.uint8),
        "uneven light": lambda: np.rint(ref * np.linspace(0.8, 1.1, 128)[:, None]).astype(np.uint8),
        "shift": lambda: np.roll(ref, (1, 2), (0, 1)),
        "noise": lambda: np.clip(
            ref + np.random.default_rng(0).normal(0, 6, ref.shape), 0, 255
        ).astype(np.uint8),
        "blur": lambda: cv2.GaussianBlur(ref, (0, 0), 1.0),
    }[kind]()
    assert not found(np.asarray(test, np.uint8), ref).regions


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 40), (9, 9), (17, 33), (40, 7)])
def test_any_size_has_an_answer(size: tuple[int, int]) -> None:
    test, ref = noise(2, *size)
    grey = np.repeat(test[..., :1], 3, axis=2)
    for one, other in ((test, ref), (grey, grey[::-1].copy()), (test, np.full_like(test, 9))):
        result = found(one, other)
        assert np.isfinite(result.difference.values).all()
        assert result.difference.values.shape == size
    nothing = FramePair(test, ref, np.zeros(size, bool))
    assert not find(nothing, METHODS["auto"](Settings())).regions


def test_the_number_of_threads_changes_nothing() -> None:
    ref = textured(400, 500)
    test = np.rint(np.roll(ref, 3, 1) * 0.95 + 5).astype(np.uint8)
    test[200:230, 200:230] = 0
    threads = cv2.getNumThreads()
    results = []
    for count in (1, 4):
        cv2.setNumThreads(count)
        results.append(found(test, ref))
    cv2.setNumThreads(threads)
    one, other = results
    assert one.regions == other.regions
    assert len(one.regions) == 1
    assert (one.difference.values == other.difference.values).all()


def test_sensitivity_scales_the_threshold_of_contrast() -> None:
    ref = np.full((96, 128, 3), 100, np.uint8)
    test = ref.copy()
    test[40:60, 40:60] = 122
    assert not found(test, ref, "low").regions
    assert len(found(test, ref, "medium").regions) == 1
    test[40:60, 40:60] = 110
    assert not found(test, ref, "medium").regions
    assert len(found(test, ref, "high").regions) == 1
