"""Frames of a video at a fraction of their size."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vfiscope.sources.video.color import Color, RgbConverter
from vfiscope.sources.video.shrink import shrunk_planes

GRAY = Color("gray", "full", "unknown", "unknown", "tag")


def smooth(width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """Colours that change slowly across and down."""
    across, down = np.linspace(0, 1, width)[None], np.linspace(0, 1, height)[:, None]
    red, green = 40 + 160 * across + 0 * down, 200 - 150 * down + 0 * across
    rgb = np.stack([red, green, 60 + 120 * across * down], axis=2).round().astype(np.uint8)
    return av.VideoFrame.from_ndarray(rgb).reformat(format=pixel_format)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuvj444p"])
@pytest.mark.parametrize(("width", "height", "times"), [(427, 96, 2), (854, 96, 4), (360, 96, 3)])
def test_a_sample_is_the_mean_of_what_it_stands_for(
    pixel_format: str, width: int, height: int, times: int
) -> None:
    frame = smooth(width, height, pixel_format)
    full = pixel_format.startswith("yuvj")
    color = Color("bt601", "full" if full else "limited", "unknown", "unknown", "tag")
    whole = np.empty((height, width, 3), np.uint8)
    RgbConverter("a").by_swscale(frame, color, whole)
    high, wide = height // times, width // times
    boxes = whole[: high * times, : wide * times].reshape(high, times, wide, times, 3)
    made = np.empty((high, wide, 3), np.uint8)
    assert RgbConverter("a").shrunk(frame, color, made)
    apart = np.abs(made - boxes.mean(axis=(1, 3)))
    assert apart.max() < 5  # chroma is rounded with every halving, and blue is twice its step
    assert apart.mean() < 1.5


def test_every_pixel_counts_where_planes_are_halved() -> None:
    luma = np.random.default_rng(5).integers(0, 256, (96, 426), np.uint8)
    chroma = np.full((96, 426), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.stack([luma, chroma, chroma]), format="yuv444p")
    planes = shrunk_planes(frame, (48, 213))
    assert planes is not None
    means = luma.reshape(48, 2, 213, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(planes[0], means, atol=0.5)


def test_other_pixel_formats_are_not_shrunk() -> None:
    frame, out = smooth(64, 64, "gray"), np.zeros((32, 32, 3), np.uint8)
    assert not RgbConverter("a").shrunk(frame, GRAY, out)
    assert not out.any()
