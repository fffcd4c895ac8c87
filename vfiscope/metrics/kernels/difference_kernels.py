"""Sums of differences on the CPU: loops compiled by numba, on plain arrays.

Conventions: those of :mod:`vfiscope.metrics.kernels.ssim_kernels`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import FUSED, compiled, in_bands
from vfiscope.metrics.kernels.ssim_kernels import mix_channels, ordered_sums
from vfiscope.types import Float32, Float64, Int64

__all__ = [
    "absolute_differences",
    "difference_cells",
    "luma_differences",
    "squared_differences",
]

Array = NDArray[Any]

COLUMN_SUM_ROWS = 16
"""Rows whose sums are kept column by column, which the compiler can vectorise without reordering
them."""

BYTE_VALUES = 2**15
"""Bytes of a row whose squared differences add up to less than 2^31."""

_compiled, _inner = compiled(FUSED), compiled(FUSED, inner=True)


def absolute_differences(test: Array, ref: Array, zero: Any) -> Float64:
    """Sums of absolute differences over all channels and pixels, (N,) float64.

    ``zero`` is the type of the sums: np.int64(0) for integer frames, whose sums are exact, else
    np.float64(0).
    """
    return _sums_of(_absolute_bytes, _absolute, test, ref, zero)


def squared_differences(test: Array, ref: Array, zero: Any) -> Float64:
    """The same of squared differences."""
    return _sums_of(_squared_bytes, _squared, test, ref, zero)


def _sums_of(
    of_bytes: Callable[..., None], of_any: Callable[..., None], test: Array, ref: Array, zero: Any
) -> Float64:
    n, height = test.shape[:2]
    parts = np.zeros((n, height, 1), type(zero))
    if test.dtype == ref.dtype == np.uint8:
        in_bands(of_bytes, n * height, test, ref, parts)
    else:
        in_bands(of_any, n * height, test, ref, zero, parts)
    return ordered_sums(parts)[:, 0]


@_compiled
def _absolute_bytes(start: int, stop: int, test: Array, ref: Array, parts: Int64) -> None:
    height = test.shape[1]
    for job in range(start, stop):
        t, r = test[job // height, job % height], ref[job // height, job % height]
        total = np.uint32(0)
        for x in range(t.shape[0]):
            apart = np.uint8(max(t[x], r[x]) - min(t[x], r[x]))
            total = np.uint32(total + np.uint32(apart))
        parts[job // height, job % height, 0] = total


@_compiled
def _squared_bytes(start: int, stop: int, test: Array, ref: Array, parts: Int64) -> None:
    height, width = test.shape[1], test.shape[2]
    for job in range(start, stop):
        i, y = job // height, job % height
        for left in range(0, width, BYTE_VALUES):
            end = min(left + BYTE_VALUES, width)
            parts[i, y, 0] += _squared_between(test[i, y, left:end], ref[i, y, left:end])


@_inner
def _squared_between(t: Array, r: Array) -> Any:
    """Their sum in 32 bits, of differences in 16: which processors add up in pairs."""
    total = np.int32(0)
    for x in range(t.shape[0]):
        apart = np.int16(np.int32(t[x]) - np.int32(r[x]))
        total = np.int32(total + np.int32(np.int32(apart) * np.int32(apart)))
    return total


@_compiled
def _absolute(start: int, stop: int, test: Array, ref: Array, zero: Any, parts: Array) -> None:
    height = test.shape[1]
    for job in range(start, stop):
        t, r = test[job // height, job % height], ref[job // height, job % height]
        total = zero
        for x in range(t.shape[0]):
            total += abs(zero + t[x] - r[x])
        parts[job // height, job % height, 0] = total


@_compiled
def _squared(start: int, stop: int, test: Array, ref: Array, zero: Any, parts: Array) -> None:
    height = test.shape[1]
    for job in range(start, stop):
        t, r = test[job // height, job % height], ref[job // height, job % height]
        total = zero
        for x in range(t.shape[0]):
            apart = zero + t[x] - r[x]
            total += apart * apart
        parts[job // height, job % height, 0] = total


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
