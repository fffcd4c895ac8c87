"""Antialiased resizing on the CPU.

The filter is the separable triangle of ``torch.nn.functional.interpolate`` with ``antialias=True``
and ``align_corners=False``, and of Pillow: as wide as two resized pixels where the frame becomes
smaller, and as two of its own where it grows, cut off at the border and summing to one. A frame
that already has the size keeps its values. Weights are computed in float64, which torch does in
float32: on noise its values differ by up to 3e-5 of white.

The filter is linear, so luma can be made from the resized frame or before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.embedders import resize_kernels
from vfiscope.jit import in_bands
from vfiscope.pixels import LUMA_WEIGHTS, white
from vfiscope.types import Float32, Int64

__all__ = ["luma_and_colours", "resized_frame", "resized_plane"]

KEPT_TAPS = 16
"""Filters that are remembered: two a size."""


def resized_frame(pixels: NDArray[Any], bit_depth: int, size: tuple[int, int]) -> Float32:
    """A frame at another size.

    Args:
        pixels: (H, W, 3) uint8 or uint16, C-contiguous.
        bit_depth: white is ``2 ** bit_depth - 1``.
        size: (h, w).

    Returns:
        (3, h, w) float32, white 1.
    """
    made = np.empty((3, *size), np.float32)
    in_bands(resize_kernels.resize_rgb, size[0], _rows(pixels), *_filters(pixels, size), made)
    made /= np.float32(white(bit_depth))
    return made


def resized_plane(plane: Float32, size: tuple[int, int]) -> Float32:
    """A plane (H, W) at another size: (h, w)."""
    made = np.empty(size, np.float32)
    in_bands(resize_kernels.resize_plane, size[0], plane, *_filters(plane, size), made)
    return made


def luma_and_colours(
    pixels: NDArray[Any], bit_depth: int, grid: tuple[int, int], patch: int
) -> tuple[Float32, Float32]:
    """Luma of a frame at a size, and its mean colours.

    Args:
        pixels: (H, W, 3) uint8 or uint16, C-contiguous.
        bit_depth: white is ``2 ** bit_depth - 1``.
        grid: cells (h, w).
        patch: side of a cell in pixels of the resized frame.

    Returns:
        Luma of the resized frame, (h * patch, w * patch) float32, white 1, and the means of R, G
        and B in each cell of it, (3, h, w) float32 0..1.
    """
    h, w = grid
    peak, size = white(bit_depth), (h * patch, w * patch)
    weights = np.array([weight / peak for weight in LUMA_WEIGHTS], np.float32)
    luma, colours = np.empty(size, np.float32), np.empty((3, h, w), np.float32)
    filters = *_filters(pixels, size), *_sums(pixels.shape[1], w, patch)
    in_bands(resize_kernels.to_luma, h, _rows(pixels), *filters, weights, luma, colours)
    colours /= np.float32(peak * patch * patch)
    return luma, colours


def _rows(pixels: NDArray[Any]) -> NDArray[Any]:
    """(H, 3 W): rows of interleaved code values."""
    return pixels.reshape(len(pixels), -1)


def _filters(of: NDArray[Any], size: tuple[int, int]) -> tuple[Int64, Float32, Int64, Float32]:
    return *_taps(of.shape[0], size[0]), *_taps(of.shape[1], size[1])


@lru_cache(maxsize=KEPT_TAPS)
def _taps(count: int, made: int) -> tuple[Int64, Float32]:
    """The filter from ``count`` pixels in a line to ``made``.

    Returns:
        The first pixel that each resized one is made of, (made,), and the weights of as many as the
        widest needs, (made, taps).
    """
    scale = count / made
    reach, centre = max(scale, 1.0), (np.arange(made) + 0.5) * scale
    start = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    stop = np.minimum((centre + reach + 0.5).astype(np.int64), count)
    taps = int((stop - start).max())
    first = np.minimum(start, count - taps)
    pixel = first[:, None] + np.arange(taps)
    weights = np.maximum(1 - np.abs(pixel + 0.5 - centre[:, None]) / reach, 0)
    return first, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=KEPT_TAPS)
def _sums(count: int, cells: int, patch: int) -> tuple[Int64, Float32]:
    """The same for the sums over cells of ``patch`` resized pixels."""
    first, weights = _taps(count, cells * patch)
    taps = weights.shape[1]
    reach = int((first[patch - 1 :: patch] - first[::patch]).max()) + taps
    start = np.minimum(first[::patch], count - reach)
    made = np.zeros((cells, reach), np.float32)
    for pixel, line in enumerate(weights):
        at = first[pixel] - start[pixel // patch]
        made[pixel // patch, at : at + taps] += line
    return start, made
