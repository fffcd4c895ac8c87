"""Sums of differences on the CPU: loops compiled by numba, on plain arrays.

Conventions: those of :mod:`vfiscope.metrics.kernels.ssim_kernels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import FUSED, compiled, in_bands
from vfiscope.metrics.kernels.ssim_kernels import mix_channels, ordered_sums
from vfiscope.types import Float32, Float64, Int64

__all__ = ["difference_cells", "differences", "luma_differences"]

Array = NDArray[Any]

COLUMN_SUM_ROWS = 16
"""Rows whose sums are kept column by column, which the compiler can vectorise without reordering
them."""

BYTE_VALUES = 2**15
"""Bytes of a row whose squared differences add up to less than 2^31."""

_compiled, _inner = compiled(FUSED), compiled(FUSED, inner=True)


def differences(test: Array, ref: Array, zero: Any) -> Float64:
    """Sums of absolute and of squared differences over all channels and pixels, (N, 2) float64.

    ``zero`` is the type of the sums: np.int64(0) for integer frames, whose sums are exact, else
    np.float64(0).
    """
    n, height = test.shape[:2]
    parts = np.zeros((n, height, 2), type(zero))
    if test.dtype == ref.dtype == np.uint8:
        in_bands(_byte_differences, n * height, test, ref, parts)
    else:
        in_bands(_differences, n * height, test, ref, zero, parts)
    return ordered_sums(parts)


@_compiled
def _byte_differences(start: int, stop: int, test: Array, ref: Array, parts: Int64) -> None:
    height, width = test.shape[1], test.shape[2]
    for job in range(start, stop):
        i, y = job // height, job % height
        for left in range(0, width, BYTE_VALUES):
            end = min(left + BYTE_VALUES, width)
            absolute, squared = _between_bytes(test[i, y, left:end], ref[i, y, left:end])
            parts[i, y, 0] += absolute
            parts[i, y, 1] += squared


@_inner
def _between_bytes(t: Array, r: Array) -> Any:
    """Sums of absolute and of squared differences in 32 bits: twice as many at once as in 64."""
    absolute, squared = np.uint32(0), np.int32(0)
    for x in range(t.shape[0]):
        apart = max(t[x], r[x]) - min(t[x], r[x])
        absolute = np.uint32(absolute + np.uint32(apart))
        squared = np.int32(squared + np.int32(apart) * np.int32(apart))
    return absolute, squared


@_compiled
def _differences(start: int, stop: int, test: Array, ref: Array, zero: Any, parts: Array) -> None:
    height, width = test.shape[1], test.shape[2]
    for job in range(start, stop):
        i, y = job // height, job % height
        t, r = test[i, y], ref[i, y]
        absolute, squared = zero, zero
        for x in range(width):
            apart = zero + t[x] - r[x]
            absolute += abs(apart)
            squared += apart * apart
        parts[i, y, 0], parts[i, y, 1] = absolute, squared


def luma_differences(test: Array, ref: Array, weights: Float32) -> Float64:
    """Sums of squared differences of the weighted channels, (N, 1) float64."""
    n, bands = test.shape[0], (test.shape[1] + COLUMN_SUM_ROWS - 1) // COLUMN_SUM_ROWS
    parts = np.zeros((n, bands, 1))
    in_bands(_luma_differences, n * bands, test, ref, weights, parts)
    return ordered_sums(parts)


@_compiled
def _luma_differences(
    start: int, stop: int, test: Array, ref: Array, weights: Float32, parts: Float64
) -> None:
    height, width, bands = test.shape[1], test.shape[2] // 3, parts.shape[1]
    s, d = np.empty(width, np.float32), np.empty(width, np.float32)
    for job in range(start, stop):
        i, band = job // bands, job % bands
        squared = np.zeros(width)
        for y in range(
            band * COLUMN_SUM_ROWS, min(band * COLUMN_SUM_ROWS + COLUMN_SUM_ROWS, height)
        ):
            mix_channels(test[i, y], ref[i, y], weights, s, d, width)
            for x in range(width):
                squared[x] += np.float64(d[x]) * np.float64(d[x])
        for x in range(width):
            parts[i, band, 0] += squared[x]


def difference_cells(test: Array, ref: Array, zero: Any, rows: Int64, columns: Int64) -> Float64:
    """Sums of absolute differences over the cells between ``rows`` (h + 1,) and ``columns`` (w +
    1,): (N, h, w)."""
    n, h, w = test.shape[0], rows.shape[0] - 1, columns.shape[0] - 1
    cells = np.zeros((n, h, w), type(zero))
    in_bands(_difference_cells, n * h, test, ref, zero, rows, columns, cells)
    return cells.astype(np.float64)


@_compiled
def _difference_cells(
    start: int,
    stop: int,
    test: Array,
    ref: Array,
    zero: Any,
    rows: Int64,
    columns: Int64,
    cells: Array,
) -> None:
    h, w = cells.shape[1], cells.shape[2]
    for job in range(start, stop):
        i, cell = job // h, job % h
        absolute = np.zeros(test.shape[2], type(zero))
        for y in range(rows[cell], rows[cell + 1]):
            t, r = test[i, y], ref[i, y]
            for x in range(t.shape[0]):
                absolute[x] += abs(zero + t[x] - r[x])
        for column in range(w):
            for x in range(3 * columns[column], 3 * columns[column + 1]):
                cells[i, cell, column] += absolute[x]
