"""Dense SIFT (:mod:`vfiscope.embedders.dsift`) on the CPU: loops compiled by numba, on plain
arrays.

Votes go straight to the corners of their cell, and nothing of the size of the frame is stored. Rows
of cells are computed independently and every operation is rounded, so a frame has the same bits
whatever the number of threads and the kind of processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.embedders.dsift import FLAT
from vfiscope.jit import compiled
from vfiscope.types import Float32

__all__ = ["CELL_PX", "describe", "vote"]

CELL_PX = 14
"""Side of a cell; a constant, because the compiler only vectorises constant sides."""
STRIP_PX = 18 * CELL_PX
"""Columns that are summed together: their sums fit in the first-level cache."""
DESCRIPTOR_BINS = 4
"""Bins of a descriptor along a side."""
ENTRIES = 8 * DESCRIPTOR_BINS**2

ZERO, ONE = np.float32(0), np.float32(1)
DIAGONAL = np.float32(0.5**0.5)
TINY = np.float32(1e-12)
FLAT_SQUARED = np.float32(FLAT**2)
TINY_SQUARED = np.float32(1e-24)
_inner = compiled(inner=True)

# Distance of the pixels of a cell from its left or upper border, in cells: the weight of each for
# the corner to its right or below.
SLOPE = ((np.arange(CELL_PX) + 0.5) / CELL_PX).astype(np.float32)


@_inner
def _along(part: Any, scale: Any) -> Any:
    """cos^9 times the length of a gradient, from its part along an axis and 1 / length^2."""
    power = part * part * scale
    power = power * power
    return power * power * part


@_inner
def _share(sums: Float32, at: int, part: Any, fall: Any, rise: Any) -> None:
    """Add the votes of a row for the two directions of an axis, for the corners above and below."""
    there, back = max(part, ZERO), max(-part, ZERO)
    sums[at] += there * fall
    sums[at + STRIP_PX] += there * rise
    sums[at + 8 * STRIP_PX] += back * fall
    sums[at + 9 * STRIP_PX] += back * rise


@_inner
def _add_row(
    above: Float32, row: Float32, below: Float32, columns: int, rise: Any, sums: Float32
) -> None:
    """Add the votes and the magnitudes of a row of pixels to the sums of a strip."""
    fall, half = ONE - rise, np.float32(0.5)
    for x in range(columns):
        gx, gy = (row[x + 2] - row[x]) * half, (below[x + 1] - above[x + 1]) * half
        square = gx * gx + gy * gy
        if square < FLAT_SQUARED:
            gx, gy, square = ZERO, ZERO, ZERO
        scale, magnitude = ONE / (square + TINY_SQUARED), np.sqrt(square)
        _share(sums, x, _along(gx, scale), fall, rise)
        _share(sums, x + 2 * STRIP_PX, _along((gx + gy) * DIAGONAL, scale), fall, rise)
        _share(sums, x + 4 * STRIP_PX, _along(gy, scale), fall, rise)
        _share(sums, x + 6 * STRIP_PX, _along((gy - gx) * DIAGONAL, scale), fall, rise)
        sums[x + 16 * STRIP_PX] += magnitude * fall
        sums[x + 17 * STRIP_PX] += magnitude * rise


@_inner
def _to_corners(sums: Float32, before: Float32, behind: Float32) -> None:
    """Votes of the pixels of each cell for the corners at its left and at its right."""
    for cell in range(len(before)):
        left, right = ZERO, ZERO
        for x in range(CELL_PX):
            value = sums[cell * CELL_PX + x]
            left += value * SLOPE[CELL_PX - 1 - x]
            right += value * SLOPE[x]
        before[cell], behind[cell] = left, right


@_inner
def _bordered(row: Float32, out: Float32) -> None:
    """A row with its ends repeated."""
    width = len(row)
    for x in range(width):
        out[x + 1] = row[x]
    out[0], out[width + 1] = row[0], row[width - 1]


@compiled()
def vote(start: int, stop: int, luma: Float32, votes: Float32) -> None:
    """The votes of the rows of cells from ``start`` up to ``stop``.

    Args:
        luma: (h * CELL_PX, w * CELL_PX), white 1.
        votes: (h, 9, 2, 2, w) out: for 8 directions and the magnitude, votes of each cell for its
            corners above and below, left and right.
    """
    height, width = luma.shape
    rows = np.empty((CELL_PX + 2, width + 2), np.float32)
    sums = np.empty(18 * STRIP_PX, np.float32)
    for cell in range(start, stop):
        for y in range(CELL_PX + 2):
            _bordered(luma[min(max(cell * CELL_PX + y - 1, 0), height - 1)], rows[y])
        for left in range(0, width, STRIP_PX):
            columns = min(STRIP_PX, width - left)
            first, end = left // CELL_PX, (left + columns) // CELL_PX
            sums[:] = ZERO
            for y in range(CELL_PX):
                above, row, below = rows[y, left:], rows[y + 1, left:], rows[y + 2, left:]
                _add_row(above, row, below, columns, SLOPE[y], sums)
            for k in range(18):
                sides = votes[cell, k // 2, k % 2]
                _to_corners(sums[k * STRIP_PX :], sides[0, first:end], sides[1, first:end])


@_inner
def _window(corners: Float32, y: int, x: int, entries: Float32) -> Any:
    """Copy the bins around a cell; returns the sum of their squares."""
    total = ZERO
    for k in range(8):
        for row in range(DESCRIPTOR_BINS):
            line, at = corners[k, y + row, x:], DESCRIPTOR_BINS * (DESCRIPTOR_BINS * k + row)
            for column in range(DESCRIPTOR_BINS):
                value = line[column]
                entries[at + column] = value
                total += value * value
    return total


@_inner
def _limit(entries: Float32, factor: Any, clip: Any) -> Any:
    """Multiply entries, and clip them; returns the sum of their squares."""
    total = ZERO
    for i in range(ENTRIES):
        value = min(entries[i] * factor, clip)
        entries[i] = value
        total += value * value
    return total


@_inner
def _contrast(magnitudes: Float32, y: int, x: int) -> Any:
    total = ZERO
    for row in range(DESCRIPTOR_BINS):
        for column in range(DESCRIPTOR_BINS):
            total += magnitudes[y + row, x + column]
    return total


@compiled()
def describe(
    start: int, stop: int, corners: Float32, area: Float32, limits: Float32, made: Float32
) -> None:
    """The texture of the rows of cells from ``start`` up to ``stop``.

    Args:
        corners: (9, h + 3, w + 3) votes at the corners of the cells, with a border of zeros.
        area: (h, w) pixels in the window of each cell, counted with their weights.
        limits: (3,): the largest entry of a descriptor of length 1, the mean magnitude at which a
            cell is half flat, and the length of texture and "flat" together.
        made: (h, w, 129 or more) out.
    """
    clip, half, length = limits[0], limits[1], limits[2]
    for y in range(start, stop):
        for x in range(made.shape[1]):
            contrast, entries = _contrast(corners[8], y, x) / area[y, x], made[y, x]
            share = contrast / (contrast + half)
            squares = _window(corners, y, x, entries)
            squares = _limit(entries, ONE / max(np.sqrt(squares), TINY), clip)
            factor = length * np.sqrt(share) / max(np.sqrt(squares), TINY)
            for i in range(ENTRIES):
                entries[i] *= factor
            entries[ENTRIES] = length * np.sqrt(ONE - share)
