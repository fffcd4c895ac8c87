"""The cells of a frame for ``vfi`` (:mod:`vfiscope.metrics.vfi`) on the CPU: one pass over the
pixels, then sums.

Each cell of 8 px adds to its corners, weighted by triangles 16 px wide. A triangle m times as wide
is exactly the sum of the narrow ones at the corners k = 1 - m .. m - 1 beside it, times
1 - |k| / m. So all coarser descriptors come from the same sums, and nothing of the size of the
frame is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.embedders import dsift
from vfiscope.errors import UsageError
from vfiscope.jit import in_bands
from vfiscope.metrics.kernels import vfi_kernels
from vfiscope.metrics.kernels.vfi_kernels import VFI_CELL_PX
from vfiscope.metrics.pixel_pairs import LUMA, PixelPairs
from vfiscope.types import Float32

__all__ = ["DETAIL_CELL", "DETAIL_FLOOR", "compare"]

CELL_SIDES_PX = (VFI_CELL_PX, 2 * VFI_CELL_PX, 4 * VFI_CELL_PX)
"""Sides in pixels of the cells that can be compared; the frame is padded to whole cells of the
widest side."""
DETAIL_CELL = 16
DETAIL_FLOOR = 4.0
"""Mean modified Laplacian, in code values, that hardly counts as detail: about that of noise of one
code value."""
SHIFT = 2
"""Factor of gradients in the votes."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Sums over the cells of a frame of height x width pixels."""

    size: tuple[int, int]
    white: float
    """Luma of white, in the unit of the votes."""
    peak: int
    votes: Float32
    """(9, 2, 2, h, w), see :func:`vfiscope.metrics.kernels.vfi_kernels.gather`."""
    sums: Float32
    """(4, h, w): R, G, B and the modified Laplacian."""

    @classmethod
    def of(cls, frame: NDArray[Any], weights: Float32, peak: int) -> Cells:
        """From (H, 3 W) code values 0..peak, and the weights (3,) of R, G and B in luma."""
        size = frame.shape[0], frame.shape[1] // 3
        h, w = (-(-side // CELL_SIDES_PX[-1]) * (CELL_SIDES_PX[-1] // VFI_CELL_PX) for side in size)
        votes, sums = np.empty((9, 2, 2, h, w), np.float32), np.empty((4, h, w), np.float32)
        extra = np.array([1 + -side % DETAIL_CELL for side in size], np.float32)
        # The loops are compiled for 8 bit, and once for every other type.
        codes = frame if frame.dtype == np.uint8 else frame.astype(np.float32, copy=False)
        in_bands(vfi_kernels.gather, h, codes, weights, extra, votes, sums)
        return cls(size, float(weights.sum(dtype=np.float64)) * peak, peak, votes, sums)

    def grid(self, side: int) -> tuple[int, int]:
        """Rows and columns of cells of ``side`` px that cover the frame."""
        h, w = (-(-length // (VFI_CELL_PX * side)) for length in self.size)
        return h, w

    def corners(self, side: int) -> Float32:
        """Votes under triangles around the corners of these cells and of a border of one more cell,
        (9, h + 3, w + 3)."""
        h, w = (count * side for count in self.grid(side))
        first, more = 2 * side - 1, 4 * side - 1
        made = np.zeros((9, h + more, w + more), np.float32)
        for v in (0, 1):
            for u in (0, 1):
                made[:, first + v : first + v + h, first + u : first + u + w] += self.votes[
                    :, v, u, :h, :w
                ]
        if side == 1:
            return made
        return _coarser(_coarser(made, side, 1), side, 2)

    def share(self, corners: Float32, side: int) -> Float32:
        """Share of texture in each descriptor, (h, w) 0..1."""
        down, across = (
            _windows(_weights(count, VFI_CELL_PX * side), 0) for count in self.grid(side)
        )
        magnitude: Float32 = _windows(_windows(corners[8], 0), 1) / np.outer(down, across)
        return magnitude / (
            magnitude + np.float32(SHIFT * dsift.HALF_TEXTURE_GRADIENT * self.white)
        )

    def colour(self, side: int) -> Float32:
        """(h, w, 6), see :func:`vfiscope.embedders.dsift.colour_of_means`."""
        means = _squares(self.sums[:3], self.grid(side), side) / np.float32(
            self.peak * (VFI_CELL_PX * side) ** 2
        )
        return dsift.colour_of_means(means)

    def sharpness(self) -> Float32:
        """Mean modified Laplacian of luma 0..255 over cells of 16 px, (h, w)."""
        side = DETAIL_CELL // VFI_CELL_PX
        made: Float32 = _squares(self.sums[3:], self.grid(side), side)[0]
        made /= np.float32(self.white / 255 * DETAIL_CELL**2)
        return made


def compare(a: PixelPairs, row: int, cells: tuple[int, ...]) -> list[float]:
    """Means of :func:`vfiscope.metrics.vfi.appearance` for each side of a cell, and of the lost
    detail, of one pair.

    Raises:
        UsageError: a side is not 8, 16 or 32 px.
    """
    for cell in cells:
        if cell not in CELL_SIDES_PX:
            raise UsageError(f"cells of {cell} px: on a CPU choose 8, 16 or 32")
    test, ref = (Cells.of(frames[row], a.weights(LUMA), a.peak) for frames in a.arrays)
    apart = [_apart(test, ref, cell // VFI_CELL_PX) for cell in cells]
    return [_mean(values) for values in (*apart, _lost(test.sharpness(), ref.sharpness()))]


def _mean(cells: Float32) -> float:
    return float(cells.sum(axis=1, dtype=np.float64).sum() / cells.size)


def _lost(test: Float32, ref: Float32) -> Float32:
    made: Float32 = np.maximum(ref - test, 0) / (ref + np.float32(DETAIL_FLOOR))
    return made


def _apart(test: Cells, ref: Cells, side: int) -> Float32:
    """sqrt(1 - cosine) of the dense SIFT and colour descriptors of cells of ``side`` x ``side``,
    (h, w)."""
    corners = [cells.corners(side) for cells in (test, ref)]
    shares = [cells.share(votes, side) for cells, votes in zip((test, ref), corners, strict=True)]
    roots = [np.sqrt(share) for share in shares]
    apart = np.empty(test.grid(side), np.float32)
    in_bands(vfi_kernels.sift_apart, len(apart), *corners, *roots, np.float32(dsift.CLIP), apart)
    flat = np.sqrt(1 - shares[0]) - np.sqrt(1 - shares[1])
    colour = test.colour(side) - ref.colour(side)
    squared = dsift.TEXTURE_WEIGHT * (apart + flat * flat) + dsift.COLOUR_WEIGHT * (
        colour * colour
    ).sum(axis=-1)
    made: Float32 = np.sqrt(squared * np.float32(0.5))
    return made


def _coarser(corners: Float32, side: int, axis: int) -> Float32:
    """Sums of corners ``side`` apart with their neighbours, under a triangle."""
    moved = np.moveaxis(corners, axis, 0)
    count = (len(moved) - 2 * side + 1) // side + 1
    made = np.zeros((count, *moved.shape[1:]), np.float32)
    for k in range(2 * side - 1):
        made += moved[k : k + (count - 1) * side + 1 : side] * np.float32(
            1 - abs(k + 1 - side) / side
        )
    return np.moveaxis(made, 0, axis)


def _weights(count: int, length: int) -> Float32:
    """Sums of the triangle about each corner, and about one more at both ends, that lie inside the
    frame."""
    made = np.zeros(count + 3, np.float32)
    made[1:-2] += np.float32(length / 2)
    made[2:-1] += np.float32(length / 2)
    return made


def _windows(corners: Float32, axis: int) -> Float32:
    """Sums of every four consecutive values along an axis."""
    moved = np.moveaxis(corners, axis, 0)
    made: Float32 = np.moveaxis(moved[:-3] + moved[1:-2] + moved[2:-1] + moved[3:], 0, axis)
    return made


def _squares(planes: Float32, grid: tuple[int, int], side: int) -> Float32:
    """Sums over squares of ``side`` x ``side`` cells, (C, h, w)."""
    h, w = grid
    inside = planes[:, : h * side, : w * side]
    made: Float32 = inside.reshape(len(planes), h, side, w, side).sum(axis=(2, 4))
    return made
