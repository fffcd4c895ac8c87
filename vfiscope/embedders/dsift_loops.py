"""Dense SIFT (:mod:`vfiscope.embedders.dsift`) on the CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.embedders import gradient_kernels
from vfiscope.embedders.dsift import (
    CLIP,
    COLOUR_WEIGHT,
    HALF_TEXTURE_GRADIENT,
    TEXTURE_WEIGHT,
    colour_of_means,
)
from vfiscope.embedders.gradient_kernels import CELL_PX, DESCRIPTOR_BINS, ENTRIES
from vfiscope.embedders.resizing import luma_and_colours
from vfiscope.jit import in_bands
from vfiscope.models.catalog import entry
from vfiscope.types import Float32, Frames

__all__ = ["describe_cells", "describe_frames"]

LIMITS = np.array([CLIP, HALF_TEXTURE_GRADIENT, TEXTURE_WEIGHT**0.5], np.float32)


def describe_frames(frames: Frames, grid: tuple[int, int]) -> tuple[Float32, Float32]:
    """The vectors of N frames, (N, h, w, 135) float32, and the luma that their textures are taken
    from, (N, h * 14, w * 14), white 1."""
    h, w = grid
    luma = np.empty((len(frames), h * CELL_PX, w * CELL_PX), np.float32)
    made = np.empty((len(frames), h, w, entry("dsift").dim), np.float32)
    for row, pixels in enumerate(frames.interleaved):
        luma[row], means = luma_and_colours(pixels, frames.bit_depth, grid, CELL_PX)
        describe_cells(luma[row], means, made[row])
    return made, luma


def describe_cells(luma: Float32, means: Float32, made: Float32) -> None:
    """The vectors of one frame.

    Args:
        luma: (h * 14, w * 14), white 1.
        means: (3, h, w) mean R, G and B of the cells, 0..1.
        made: (h, w, 135) out: unit length.
    """
    h, w = made.shape[:2]
    votes = np.empty((h, 9, 2, 2, w), np.float32)
    in_bands(gradient_kernels.vote, h, luma, votes)
    area = np.outer(_lengths(h), _lengths(w)).astype(np.float32)
    in_bands(gradient_kernels.describe, h, _corners(votes), area, LIMITS, made)
    made[..., ENTRIES + 1 :] = colour_of_means(means) * np.float32(COLOUR_WEIGHT**0.5)


def _corners(votes: Float32) -> Float32:
    """Sums at the corners of the cells, with a border of zeros: there is nothing outside."""
    h, _, _, _, w = votes.shape
    corners = np.zeros((9, h + 3, w + 3), np.float32)
    for v, u in np.ndindex(2, 2):
        corners[:, 1 + v : 1 + v + h, 1 + u : 1 + u + w] += votes[:, :, v, u].swapaxes(0, 1)
    return corners


def _lengths(cells: int) -> NDArray[np.float64]:
    """Pixels in the window of each cell along an axis: a corner at the border has half."""
    corners = np.full(cells + 3, CELL_PX, np.float64)
    corners[[0, -1]] = 0
    corners[[1, -2]] = CELL_PX / 2
    return np.convolve(corners, np.ones(DESCRIPTOR_BINS), "valid")
