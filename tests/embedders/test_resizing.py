"""The resizing loops against torch's filter in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vfiscope.embedders.resizing import luma_and_colours, resized_frame, resized_plane

P = 14
SIZES = [  # down, up, to odd ratios, along one axis, from one pixel, and not at all
    (8, (108, 192), (2, 4)),
    (10, (11, 17), (3, 3)),
    (16, (37, 91), (5, 7)),
    (8, (60, 9), (2, 3)),
    (8, (1, 1), (1, 2)),
    (16, (1, 90), (1, 1)),
    (8, (28, 42), (2, 3)),
]


def noise(depth: int, size: tuple[int, int]) -> np.ndarray:
    made = np.random.default_rng(depth).integers(0, 2**depth, (*size, 3))
    return made.astype(np.uint8 if depth == 8 else np.uint16)


def by_torch(pixels: np.ndarray, size: tuple[int, int], white: int = 1) -> np.ndarray:
    """(3, h, w) float64."""
    planes = torch.from_numpy(pixels.astype(np.float64)).permute(2, 0, 1)[None].contiguous()
    return F.interpolate(planes, size=size, mode="bilinear", antialias=True)[0].numpy() / white


@pytest.mark.parametrize(("depth", "size", "grid"), SIZES)
def test_frames_and_their_luma_and_colours_are_torchs(
    depth: int, size: tuple[int, int], grid: tuple[int, int]
) -> None:
    pixels, (h, w) = noise(depth, size), grid
    exact = by_torch(pixels, (h * P, w * P), 2**depth - 1)
    np.testing.assert_allclose(resized_frame(pixels, depth, (h * P, w * P)), exact, atol=1e-6)
    luma, colours = luma_and_colours(pixels, depth, grid, P)
    np.testing.assert_allclose(luma, np.tensordot([0.299, 0.587, 0.114], exact, 1), atol=1e-6)
    means = exact.reshape(3, h, P, w, P).mean(axis=(2, 4))
    np.testing.assert_allclose(colours, means, atol=1e-6)


@pytest.mark.parametrize(("depth", "size", "grid"), SIZES)
def test_planes_are_torchs(depth: int, size: tuple[int, int], grid: tuple[int, int]) -> None:
    pixels, small = noise(depth, size), (grid[0] * 3, grid[1] * 4)
    plane = (pixels[..., 0] / (2**depth - 1)).astype(np.float32)
    exact = by_torch(pixels, small, 2**depth - 1)[0]
    np.testing.assert_allclose(resized_plane(plane, small), exact, atol=1e-6)


def test_frames_of_the_size_keep_their_values() -> None:
    pixels = noise(8, (28, 42))
    kept = resized_frame(pixels, 8, (28, 42)).transpose(1, 2, 0)
    assert np.array_equal(kept, (pixels / 255).astype(np.float32))
    assert np.array_equal(resized_plane(kept[..., 0].copy(), (28, 42)), kept[..., 0])
