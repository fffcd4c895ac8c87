"""Smaller and simpler versions of a frame that several signals look at."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.pixels import times_smaller
from vfiscope.types import Float32, Uint8

__all__ = ["BLOCK_PX", "block_means", "scaled_down", "slopes"]

HALF_CODE, EIGHTFOLD = np.float32(0.5), np.float32(8)
MOST_ADDED = 257
"""Bytes whose sum uint16 holds."""
BLOCK_PX = 16
"""Side of the blocks of a small frame."""


def scaled_down(plane: Uint8, width: int) -> Uint8:
    """A plane (H, W) divided by :func:`~vfiscope.pixels.times_smaller` each way: the rounded means
    of squares of pixels. What does not fill a square at the right and the bottom is left out."""
    high, wide = plane.shape
    times = times_smaller((high, wide), width)
    if times == 1:
        return plane
    high, wide = (max(1, side // times) for side in plane.shape)
    made = np.empty((high, wide), np.uint8)
    tall = min(times, plane.shape[0])
    small = tall * times <= MOST_ADDED
    mean_squares(
        plane, made, tall, times, np.empty(wide * times, np.uint16 if small else np.uint32)
    )
    return made


@compiled()
def mean_squares(plane: Any, made: Any, tall: int, broad: int, sums: Any) -> None:
    """Fill (h, w) uint8 with the rounded means of rectangles of ``tall`` x ``broad`` pixels; sums
    of columns (w * broad,), of a type that holds the sum of a rectangle, are written over."""
    totals = np.zeros(made.shape[1], sums.dtype)
    share = np.float32(1 / (tall * broad))
    for i in range(made.shape[0]):
        add_down(plane, i * tall, tall, sums)
        add_across(sums, broad, totals)
        filled = made[i]
        for j in range(filled.shape[0]):
            filled[j] = np.uint8(np.int32(np.float32(totals[j]) * share + HALF_CODE))


@compiled(inner=True)
def add_down(plane: Any, top: int, tall: int, sums: Any) -> None:
    """Fill sums of columns; those of three rows, as of 1280 x 720, without storing parts."""
    if tall == 3:
        one, two, three = plane[top], plane[top + 1], plane[top + 2]
        for x in range(sums.shape[0]):
            sums[x] = np.uint16(one[x]) + np.uint16(two[x]) + np.uint16(three[x])
    else:
        sums[:] = 0
        for y in range(top, top + tall):
            row = plane[y]
            for x in range(sums.shape[0]):
                sums[x] += row[x]


@compiled(inner=True)
def add_across(sums: Any, broad: int, totals: Any) -> None:
    """Add up every ``broad`` values; a loop with a known step compiles to vector operations."""
    count = totals.shape[0]
    if broad == 2:
        for j in range(count):
            totals[j] = sums[2 * j] + sums[2 * j + 1]
    elif broad == 3:
        for j in range(count):
            totals[j] = sums[3 * j] + sums[3 * j + 1] + sums[3 * j + 2]
    elif broad == 4:
        for j in range(count):
            left = sums[4 * j] + sums[4 * j + 1]
            totals[j] = left + (sums[4 * j + 2] + sums[4 * j + 3])
    else:
        for j in range(count):
            totals[j] = 0
            for x in range(j * broad, (j + 1) * broad):
                totals[j] += sums[x]


def block_means(plane: Uint8) -> Float32:
    """(h, w) means of the blocks of a plane, 16 x 16, which lie side by side from the top left
    corner. What does not fill a block is left out, but there is one block at least each way."""
    high, wide = (max(1, length // BLOCK_PX) for length in plane.shape)
    made = np.empty((high, wide), np.float32)
    mean_blocks(plane, made)
    return made


@compiled()
def mean_blocks(plane: Any, made: Any) -> None:
    """Fill (h, w) float32 with the means of the blocks of (H, W) uint8."""
    tall, broad = min(BLOCK_PX, plane.shape[0]), min(BLOCK_PX, plane.shape[1])
    share, sums = np.float32(1 / (tall * broad)), np.empty(made.shape[1] * broad, np.uint32)
    for i in range(made.shape[0]):
        sums[:] = 0
        for y in range(i * BLOCK_PX, i * BLOCK_PX + tall):
            row = plane[y]
            for x in range(sums.shape[0]):
                sums[x] += np.uint32(row[x])
        for j in range(made.shape[1]):
            total = np.uint32(0)
            for x in range(j * broad, (j + 1) * broad):
                total += sums[x]
            made[i, j] = np.float32(total) * share


def slopes(plane: Uint8) -> Float32:
    """(h, w) slope of a plane, in code values per pixel: the length of its gradient by Sobel, the
    border repeated."""
    made = np.empty(plane.shape, np.float32)
    slope_lengths(plane, made)
    return made


@compiled()
def slope_lengths(plane: Any, made: Any) -> None:
    """Fill (h, w) float32 with the slopes of (h, w) uint8.

    Sums of whole numbers are exact; the slopes of OpenCV depend in their last bit on where in
    memory a plane lies.
    """
    height, width = plane.shape
    ringed = np.empty((3, width + 2), np.int32)
    for y in range(height):
        for k in range(3):
            row, wide = plane[min(max(0, y + k - 1), height - 1)], ringed[k]
            for x in range(width):
                wide[x + 1] = row[x]
            wide[0], wide[width + 1] = row[0], row[width - 1]
        above, here, below, filled = ringed[0], ringed[1], ringed[2], made[y]
        for x in range(width):
            across = above[x + 2] + 2 * here[x + 2] + below[x + 2]
            across -= above[x] + 2 * here[x] + below[x]
            down = below[x] + 2 * below[x + 1] + below[x + 2]
            down -= above[x] + 2 * above[x + 1] + above[x + 2]
            filled[x] = np.sqrt(np.float32(across * across + down * down)) / EIGHTFOLD
