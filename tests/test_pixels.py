"""Integers to floats and RGB to luma, against float64; and that it is done nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.media import noise

import vfiscope
from vfiscope import pixels
from vfiscope.types.batch import to_tensor

PACKAGE = Path(vfiscope.__file__).parent
LUMA = np.array([0.299, 0.587, 0.114])
DEPTHS = [8, 10, 12, 16]
TAKES_WEIGHTS = {
    "alignment/signature.py",
    "embedders/dsift_tensors.py",
    "embedders/resizing.py",
    "metrics/level.py",
    "metrics/pixel_pairs.py",
    "metrics/tensors/patch_tensors.py",
    "metrics/tensors/vfi_tensors.py",
    "regions/presets/clusters.py",
    "registration/offset.py",
    "segments/photo_curves.py",
    "signals/luma_mean.py",
}
"""Modules whose loops or tensor functions take the weights from pixels, scaled their own way."""


def frame(depth: int, seed: int = 0) -> np.ndarray:
    peak = 2**depth - 1
    made = np.random.default_rng(seed).integers(0, peak + 1, (33, 47, 3))
    return made.astype(np.uint8 if depth == 8 else np.uint16)


@pytest.mark.parametrize("depth", DEPTHS)
def test_luma_is_that_of_its_definition(depth: int) -> None:
    image = frame(depth)
    exact = image @ LUMA * 255 / (2**depth - 1)
    step = 255 / (2**depth - 1)
    np.testing.assert_allclose(pixels.luma_plane(image, depth), exact, atol=1e-4)
    fixed_point = 255 * 1.5 / 2**14  # OpenCV's weights have 14 bits or more
    assert np.abs(pixels.luma_codes(image, depth) - exact).max() <= 0.5 * step + fixed_point
    codes = pixels.luma_codes(image, depth) / step
    np.testing.assert_allclose(codes, np.rint(codes), atol=0.01)


def test_luma_of_white_is_white() -> None:
    for depth in DEPTHS:
        white = np.full((2, 2, 3), pixels.white(depth), np.uint8 if depth == 8 else np.uint16)
        assert pixels.luma_codes(white, depth) == pytest.approx(255, abs=1e-4)
        assert pixels.luma_plane(white, depth) == pytest.approx(255, abs=1e-4)
    assert pixels.luma_fraction(np.full((1, 1, 3), 255, np.uint8)).item() == 1.0


def test_luma_of_planes_is_the_same_for_arrays_and_tensors() -> None:
    planes = np.ascontiguousarray(pixels.floats(frame(8)).transpose(2, 0, 1))
    made = pixels.weighted(planes, pixels.LUMA_WEIGHTS)
    moved = pixels.weighted(to_tensor(planes, "cpu"), pixels.LUMA_WEIGHTS)
    assert np.array_equal(made, moved.numpy())
    np.testing.assert_allclose(made, frame(8) @ LUMA, rtol=1e-6)


@pytest.mark.parametrize("depth", DEPTHS)
def test_equal_fractions_of_white_become_equal_codes(depth: int) -> None:
    every = np.arange(2**depth).reshape(1, -1).astype(np.uint8 if depth == 8 else np.uint16)
    made = pixels.same_scale_codes(every, depth)
    assert made.dtype == np.float32
    assert np.array_equal(made, (every.astype(float) * 255 / (2**depth - 1)).astype(np.float32))
    if depth == 16:
        assert np.array_equal(made[0, ::257], np.arange(256, dtype=np.float32))
    moved = pixels.same_scale_codes(to_tensor(every, "cpu"), depth)
    assert np.array_equal(moved.numpy(), made)


def test_floats_are_exact_and_keep_their_order_in_memory() -> None:
    for data in (noise(2, 3, 4), noise(2, 3, 4, dtype=np.uint16)):
        view = data.transpose(0, 3, 1, 2)
        made = pixels.floats(view)
        assert made.dtype == np.float32
        assert np.array_equal(made, view)
        assert made.transpose(0, 2, 3, 1).flags.c_contiguous
        assert torch.equal(pixels.floats(to_tensor(view, "cpu")), torch.from_numpy(made))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_straight_alpha_is_laid_on_black_in_bands(
    monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    top = np.iinfo(dtype).max
    image = np.random.default_rng(0).integers(0, top + 1, (7, 5, 4)).astype(dtype)
    image[:2, :, 3] = top
    monkeypatch.setattr(pixels, "FLOATS_AT_ONCE", 10)  # bands of two rows
    made = pixels.over_black(image)
    assert made.dtype == dtype
    exact = image[..., :3].astype(float) * image[..., 3:].astype(float) / top
    np.testing.assert_allclose(made, exact, atol=0.5 + 1e-9)
    np.testing.assert_array_equal(made[:2], image[:2, :, :3])


def test_luma_is_written_once() -> None:
    texts = {str(path.relative_to(PACKAGE)): path.read_text() for path in PACKAGE.rglob("*.py")}
    assert [name for name, text in texts.items() if "0.299" in text] == ["pixels.py"]
    takers = {name for name, text in texts.items() if "LUMA_WEIGHTS" in text} - {"pixels.py"}
    assert takers == TAKES_WEIGHTS
    assert [name for name, text in texts.items() if "RGB2GRAY" in text] == ["pixels.py"]


@pytest.mark.parametrize(
    ("size", "times"),
    [((720, 1280), 6), ((180, 240), 1), ((68, 320), 1), ((100, 1500), 2), ((20, 8000), 6)],
)
def test_of_very_wide_frames_enough_height_is_left_and_not_all_width(
    size: tuple[int, int], times: int
) -> None:
    assert pixels.times_smaller(size, 240) == times
