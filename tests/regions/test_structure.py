"""Structural differences and blends against scikit-image and by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.media import noise
from skimage.metrics import structural_similarity

from vfiscope.regions.difference.blend import blended
from vfiscope.regions.difference.prepared import after_blur, stretched
from vfiscope.regions.difference.structure import channels, ssim_of_pixels, structure_difference
from vfiscope.regions.steps import FramePair

RNG = np.random.default_rng(5)
REF = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
TEST = RNG.integers(0, 256, REF.shape, dtype=np.uint8)


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_ssim_equals_scikit_image(window: str) -> None:
    _, expected = structural_similarity(
        REF, TEST, channel_axis=2, full=True, gaussian_weights=window == "gaussian"
    )
    pairs = channels(FramePair(TEST, REF), colour=True)
    found = np.stack([ssim_of_pixels(*pair, window=window) for pair in pairs], axis=2)
    assert np.abs(found - expected).max() < 1e-12
    assert found.min() < 0  # so that clipping and wrapping are looked at
    assert (ssim_of_pixels(REF[..., 0], REF[..., 0], window=window) == 1).all()


def test_a_difference_of_structure_is_clipped_and_looks_at_each_channel() -> None:
    pairs = channels(FramePair(TEST, REF), colour=True)
    similarity = np.stack([ssim_of_pixels(*pair) for pair in pairs], axis=2)
    made = structure_difference(FramePair(TEST, REF))
    assert made.values == pytest.approx(np.clip(1 - similarity, 0, 1).max(axis=2), abs=1e-6)
    assert structure_difference(FramePair(TEST, REF), clip=False).values.max() > 1
    # green for red of one luma: nothing in grey
    red = np.full((12, 12, 3), (98, 0, 0), np.uint8)
    red[:, 6:] = (0, 50, 0)
    flat = np.full((12, 12, 3), (98, 0, 0), np.uint8)
    assert structure_difference(FramePair(red, flat)).values.max() > 0.9
    assert structure_difference(FramePair(red, flat), colour=False).values.max() == 0


def test_a_blend_wraps_or_clips() -> None:
    pair = FramePair(TEST, REF)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (TEST, REF)]
    _, similarity = structural_similarity(*grey, full=True)
    structure = (1 - similarity) * 255
    absolute = np.abs(grey[0].astype(int) - grey[1])
    wrapped = blended(pair, weights=(1.0, 0.0), colour=False, wrap=True)
    assert wrapped.layers is not None
    assert (wrapped.layers[0] == structure.astype(int) % 256).all()
    assert (wrapped.layers[1] == absolute).all()
    half = blended(pair, weights=(0.5,), colour=False).values
    codes = np.minimum(structure, 255).astype(int)
    assert (half == np.rint((codes + absolute) / 2)).all()  # OpenCV rounds halves to even
    limited = blended(pair, weights=(0.5,), colour=False, limit=2).values
    least = np.minimum(codes, 2 * absolute)
    assert (limited == np.rint((least + absolute) / 2)).all()


def test_stretched_differences_fill_the_range_and_constant_ones_are_none() -> None:
    frames = noise(2, 20, 20)
    blurred = after_blur(
        FramePair(frames[0], frames[1]), difference=structure_difference, sigma=1.5
    )
    made = stretched(FramePair(frames[0], frames[1]), difference=structure_difference)
    assert blurred.values.mean() != made.values.mean()
    assert (made.values.max(), made.values.dtype) == (255, np.float32)
    assert (made.values == np.trunc(made.values)).all()
    assert stretched(FramePair(REF, REF), difference=structure_difference).values.max() == 0
