"""SSIM and halving on the CPU: loops compiled by numba, on plain arrays.

Conventions:
    Frames are (N, H, 3 W) C-contiguous uint8, uint16 or float32: rows of interleaved RGB.
    Similarity is computed from the sum ``s = t + r`` and the difference ``d = t - r`` of the test
    and the reference, never from the two separately.
    With E the window's weighted mean, V[s] = E[s^2] - E[s]^2 and likewise for d::

        2 E[t] E[r]       = (E[s]^2 - E[d]^2) / 2        2 cov[t, r]     = (V[s] - V[d]) / 2
        E[t]^2 + E[r]^2   = (E[s]^2 + E[d]^2) / 2        V[t] + V[r]     = (V[s] + V[d]) / 2

    so SSIM needs four filtered planes instead of five, and an identical pair (d = 0) scores exactly
    1, however s was rounded. Planes hold 1000 times the 8-bit code values: the
    weights of luma are then whole numbers, and s and d of 8-bit frames are exact in float32.

    Work is divided into rows and bands by the size of a frame alone; each has its own partial
    result, and the partial results of a frame are added in order. So no score depends, even in the
    last bit, on the batch size, the row in the batch or the number of threads. Fused multiply-add
    is allowed; reordering additions is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import FUSED, compiled, in_bands
from vfiscope.metrics.kernels.window_kernels import HALO, add_band, band_rows, workspace
from vfiscope.types import Float32, Float64, Int64

__all__ = [
    "cell_sums",
    "halve_frames",
    "halve_planes",
    "mix_channels",
    "ordered_sums",
    "ssim_and_halves",
    "ssim_frames",
    "ssim_interleaved",
    "ssim_planes",
]

Array = NDArray[Any]

WINDOW_ROWS = 64
"""Rows of windows in a band. Bands are as wide as the frame, because memory is read quickly in
order only."""
NO_MAP: Float32 = np.empty((0, 0), np.float32)
NO_HALVES: Float32 = np.empty((0, 0, 0, 0), np.float32)
QUARTER = np.float32(1 / 4)

_compiled, _inner = compiled(FUSED), compiled(FUSED, inner=True)


def bands(height: int) -> Int64:
    """Bands of a frame as (top, bottom), (k, 2) int64; every window lies in exactly one."""
    tops = range(0, height - HALO, WINDOW_ROWS)
    return np.array([(top, min(top + WINDOW_ROWS + HALO, height)) for top in tops], dtype=np.int64)


@_inner
def mix_channels(
    test: Array, ref: Array, weights: Float32, s: Float32, d: Float32, width: int
) -> None:
    """Weighted channels of one row: s and d of ``width`` pixels. Channels are subtracted before
    they are weighted, because the difference is exact."""
    w0, w1, w2 = weights[0], weights[1], weights[2]
    for x in range(width):
        t0, r0 = np.float32(test[3 * x]), np.float32(ref[3 * x])
        t1, r1 = np.float32(test[3 * x + 1]), np.float32(ref[3 * x + 1])
        t2, r2 = np.float32(test[3 * x + 2]), np.float32(ref[3 * x + 2])
        s[x] = w0 * (t0 + r0) + w1 * (t1 + r1) + w2 * (t2 + r2)
        d[x] = w0 * (t0 - r0) + w1 * (t1 - r1) + w2 * (t2 - r2)


def ordered_sums(parts: Array) -> Float64:
    """(N, k, j) partial sums -> (N, j) float64 sums, added in order of k, which ``np.sum`` does not
    guarantee."""
    return np.add.accumulate(parts, axis=1)[:, -1].astype(np.float64)


def ssim_frames(
    test: Array,
    ref: Array,
    weights: Float32,
    c: Float32,
    *,
    both: bool,
    out: Float32 = NO_MAP,
) -> Float64:
    """Sums of SSIM and of its contrast-structure part over all windows of a weighted plane.

    Args:
        test, ref: (N, H, 3 W) frames, H and W at least 11.
        weights: (3,) of R, G and B in a plane of 1000 times the 8-bit code values.
        c: (2,) 2 C1 and 2 C2 for such planes.
        both: False where the second is not needed, which saves a tenth of the time: it is 0.
        out: (H - 10, W - 10) for the SSIM of every window where N is 1; empty for none.

    Returns:
        (N, 2) float64.
    """
    return _in_bands(
        _ssim_frames, *test.shape[:2], test, ref, weights, c, both or None, out, NO_HALVES
    )


def ssim_and_halves(
    test: Array, ref: Array, weights: Float32, c: Float32
) -> tuple[Float64, tuple[Float32, Float32]]:
    """The same sums, and what :func:`halve_frames` returns, from one pass."""
    n, height, width = test.shape[0], test.shape[1] // 2, test.shape[2] // 6
    halves = np.empty((2, n, height, width), np.float32)
    sums = _in_bands(_ssim_frames, *test.shape[:2], test, ref, weights, c, True, NO_MAP, halves)
    return sums, (halves[0], halves[1])


def _in_bands(kernel: Callable[..., None], n: int, height: int, *arguments: Any) -> Float64:
    """(N, 2) sums over the bands of N frames."""
    cut = bands(height)
    parts = np.empty((n, len(cut), 2))
    in_bands(kernel, n * len(cut), *arguments, cut, parts)
    return ordered_sums(parts)


@_compiled
def _ssim_frames(
    start: int,
    stop: int,
    test: Array,
    ref: Array,
    weights: Float32,
    c: Float32,
    both: Any,
    out: Float32,
    halves: Float32,
    cut: Int64,
    parts: Float64,
) -> None:
    k, width = cut.shape[0], test.shape[2] // 3
    s, d = band_rows(WINDOW_ROWS + HALO, width), band_rows(WINDOW_ROWS + HALO, width)
    work = workspace()
    for job in range(start, stop):
        i, band = job // k, job % k
        top, bottom = cut[band]
        for y in range(bottom - top):
            mix_channels(test[i, top + y], ref[i, top + y], weights, s[y], d[y], width)
        if halves.size > 0:
            last = bottom if band == k - 1 else top + WINDOW_ROWS
            for y in range(top // 2, last // 2):
                _halve_row(s, d, 2 * y - top, halves[0, i, y], halves[1, i, y])
        s_rows, d_rows = s[: bottom - top], d[: bottom - top]
        sums = add_band(s_rows, d_rows, width, 1, both, c, work, out[top:])
        parts[i, band, 0], parts[i, band, 1] = sums


def ssim_planes(s_planes: Float32, d_planes: Float32, c: Float32) -> Float64:
    """The same for planes s and d, (N, H, W) float32."""
    return _in_bands(_ssim_planes, *s_planes.shape[:2], s_planes, d_planes, c)


@_compiled
def _ssim_planes(
    start: int,
    stop: int,
    s_planes: Float32,
    d_planes: Float32,
    c: Float32,
    cut: Int64,
    parts: Float64,
) -> None:
    k, width, nowhere = cut.shape[0], s_planes.shape[2], np.empty((0, 0), np.float32)
    s, d = band_rows(WINDOW_ROWS + HALO, width), band_rows(WINDOW_ROWS + HALO, width)
    work = workspace()
    for job in range(start, stop):
        i, band = job // k, job % k
        top, bottom = cut[band]
        for y in range(bottom - top):
            for x in range(width):
                s[y, x], d[y, x] = s_planes[i, top + y, x], d_planes[i, top + y, x]
        s_rows, d_rows = s[: bottom - top], d[: bottom - top]
        sums = add_band(s_rows, d_rows, width, 1, True, c, work, nowhere)
        parts[i, band, 0], parts[i, band, 1] = sums


def ssim_interleaved(test: Array, ref: Array, unit: Any, c: Float32) -> Float64:
    """Sums of SSIM over the windows of R, of G and of B together, (N,) float64; ``unit`` is the
    weight of each in its plane, float32."""
    return _in_bands(_ssim_interleaved, *test.shape[:2], test, ref, unit, c)[:, 0]


@_compiled
def _ssim_interleaved(
    start: int,
    stop: int,
    test: Array,
    ref: Array,
    unit: Any,
    c: Float32,
    cut: Int64,
    parts: Float64,
) -> None:
    k, width, nowhere = cut.shape[0], test.shape[2], np.empty((0, 0), np.float32)
    s, d = band_rows(WINDOW_ROWS + HALO, width), band_rows(WINDOW_ROWS + HALO, width)
    work = workspace()
    for job in range(start, stop):
        i, band = job // k, job % k
        top, bottom = cut[band]
        for y in range(bottom - top):
            t, r = test[i, top + y], ref[i, top + y]
            for x in range(width):
                s[y, x] = unit * (np.float32(t[x]) + np.float32(r[x]))
                d[y, x] = unit * (np.float32(t[x]) - np.float32(r[x]))
        s_rows, d_rows = s[: bottom - top], d[: bottom - top]
        sums = add_band(s_rows, d_rows, width, 3, None, c, work, nowhere)
        parts[i, band, 0], parts[i, band, 1] = sums


def cell_sums(windows: Float32, rows: Int64, columns: Int64) -> Float64:
    """Sums of (H, W) values over the cells between ``rows`` (h + 1,) and ``columns`` (w + 1,):
    (h, w) float64."""
    sums = np.zeros((len(rows) - 1, len(columns) - 1))
    in_bands(_cell_sums, len(sums), windows, rows, columns, sums)
    return sums


@_compiled
def _cell_sums(
    start: int, stop: int, windows: Float32, rows: Int64, columns: Int64, sums: Float64
) -> None:
    width = windows.shape[1]
    for cell in range(start, stop):
        down = np.zeros(width)
        for y in range(rows[cell], rows[cell + 1]):
            line = windows[y]
            for x in range(width):
                down[x] += np.float64(line[x])
        for column in range(sums.shape[1]):
            for x in range(columns[column], columns[column + 1]):
                sums[cell, column] += down[x]


@_inner
def _halve_row(s: Float32, d: Float32, y: int, out_s: Float32, out_d: Float32) -> None:
    """Average 2x2 pixels of the planes s and d, of row y and the one below."""
    _average_pairs(s[y], s[y + 1], out_s)
    _average_pairs(d[y], d[y + 1], out_d)


@_inner
def _average_pairs(row: Float32, below: Float32, out: Float32) -> None:
    for x in range(out.shape[0]):
        out[x] = QUARTER * ((row[2 * x] + row[2 * x + 1]) + (below[2 * x] + below[2 * x + 1]))


def halve_frames(test: Array, ref: Array, weights: Float32) -> tuple[Float32, Float32]:
    """Planes s and d of frames, averaged over 2x2 pixels: two (N, H // 2, W // 2) float32."""
    n, height, width = test.shape[0], test.shape[1] // 2, test.shape[2] // 6
    s, d = (np.empty((n, height, width), np.float32) for _ in range(2))
    in_bands(_halve_frames, n * height, test, ref, weights, s, d)
    return s, d


@_compiled
def _halve_frames(
    start: int,
    stop: int,
    test: Array,
    ref: Array,
    weights: Float32,
    s_planes: Float32,
    d_planes: Float32,
) -> None:
    height, width = s_planes.shape[1], s_planes.shape[2]
    s, d = np.empty((2, 2 * width), np.float32), np.empty((2, 2 * width), np.float32)
    for job in range(start, stop):
        i, y = job // height, job % height
        for k in range(2):
            t, r = test[i, 2 * y + k], ref[i, 2 * y + k]
            mix_channels(t, r, weights, s[k], d[k], 2 * width)
        _halve_row(s, d, 0, s_planes[i, y], d_planes[i, y])


def halve_planes(s: Float32, d: Float32) -> tuple[Float32, Float32]:
    """Planes (N, H, W) averaged over 2x2 pixels: (N, H // 2, W // 2); an odd last row or column is
    dropped."""
    n, height, width = s.shape[0], s.shape[1] // 2, s.shape[2] // 2
    halved_s, halved_d = (np.empty((n, height, width), np.float32) for _ in range(2))
    in_bands(_halve_planes, n * height, s, d, halved_s, halved_d)
    return halved_s, halved_d


@_compiled
def _halve_planes(
    start: int, stop: int, s: Float32, d: Float32, halved_s: Float32, halved_d: Float32
) -> None:
    height = halved_s.shape[1]
    for job in range(start, stop):
        i, y = job // height, job % height
        _halve_row(s[i], d[i], 2 * y, halved_s[i, y], halved_d[i, y])
