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

    Work is divided into rows and tiles by the size of a frame alone; each has its own partial
    result, and the partial results of a frame are added in order. So no score depends, even in the
    last bit, on the batch size, the row in the batch or the number of threads. Fused multiply-add
    is allowed; reordering additions is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import FUSED, compiled, in_bands
from vfiscope.types import Float32, Float64, Int64

__all__ = [
    "TAPS",
    "WINDOW_MARGIN_PX",
    "halve_frames",
    "halve_planes",
    "mix_channels",
    "ordered_sums",
    "ssim_frames",
    "ssim_planes",
    "taps",
    "tiles",
]

Array = NDArray[Any]

TAPS = 11
"""Width of the window of SSIM in pixels."""
WINDOW_MARGIN_PX = TAPS // 2
"""Pixels at each border around which no whole window fits."""
SIGMA = 1.5
HALO = TAPS - 1
TILE_H = 64
TILE_W = 256
TILE_STRIDE = 272
"""Floats in a row of a tile and its halo; a constant, because the compiler vectorises only with
constant strides."""

QUARTER = np.float32(1 / 4)
TILE_SIZE = (TILE_H + HALO) * TILE_STRIDE

_compiled, _inner = compiled(FUSED), compiled(FUSED, inner=True)


def taps() -> Float32:
    """The Gaussian window of SSIM, (11,) float32; the centre absorbs the rounding, so that the sum
    is 1."""
    exact = np.exp(-0.5 * (np.arange(-WINDOW_MARGIN_PX, WINDOW_MARGIN_PX + 1) / SIGMA) ** 2)
    rounded: Float32 = (exact / exact.sum()).astype(np.float32)
    rounded[WINDOW_MARGIN_PX] = 1.0 - 2.0 * rounded[:WINDOW_MARGIN_PX].sum(dtype=np.float64)
    return rounded


W0, W1, W2, W3, W4, W5 = taps()[: WINDOW_MARGIN_PX + 1]


def tiles(height: int, width: int) -> Int64:
    """Tiles of a plane as (top, bottom, left, right), (k, 4) int64; every window lies in exactly
    one."""
    tops, lefts = range(0, height - HALO, TILE_H), range(0, width - HALO, TILE_W)
    down = [(top, min(top + TILE_H + HALO, height)) for top in tops]
    across = [(left, min(left + TILE_W + HALO, width)) for left in lefts]
    return np.array([(*rows, *columns) for rows in down for columns in across], dtype=np.int64)


@_inner
def _blur(v: Float32, i: int, step: int) -> Any:
    return (
        W0 * (v[i] + v[i + 10 * step])
        + W1 * (v[i + step] + v[i + 9 * step])
        + W2 * (v[i + 2 * step] + v[i + 8 * step])
        + W3 * (v[i + 3 * step] + v[i + 7 * step])
        + W4 * (v[i + 4 * step] + v[i + 6 * step])
        + W5 * v[i + 5 * step]
    )


@_inner
def _squares(v: Float32, i: int, j: int) -> Any:
    return v[i] * v[i] + v[j] * v[j]


@_inner
def _blur_squares(v: Float32, i: int, step: int) -> Any:
    return (
        W0 * _squares(v, i, i + 10 * step)
        + W1 * _squares(v, i + step, i + 9 * step)
        + W2 * _squares(v, i + 2 * step, i + 8 * step)
        + W3 * _squares(v, i + 3 * step, i + 7 * step)
        + W4 * _squares(v, i + 4 * step, i + 6 * step)
        + W5 * (v[i + 5 * step] * v[i + 5 * step])
    )


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


@_inner
def _centre(v: Float32, rows: int, width: int) -> Any:
    """Subtract the approximate level of the tile (0 if all are 0) and return it: otherwise
    E[v^2] - E[v]^2 would lose its digits by cancellation."""
    level = np.float32(0)
    for y in range(4):
        for x in range(4):
            level += v[(2 * y + 1) * rows // 8 * TILE_STRIDE + (2 * x + 1) * width // 8]
    level = np.float32(np.rint(level / np.float32(16)))
    for y in range(rows):
        row = v[y * TILE_STRIDE : y * TILE_STRIDE + width]
        for x in range(width):
            row[x] -= level
    return level


@_inner
def _filter_columns(s: Float32, d: Float32, width: int, v: Float32) -> None:
    for x in range(width):
        v[x] = _blur(s, x, TILE_STRIDE)
        v[x + TILE_STRIDE] = _blur_squares(s, x, TILE_STRIDE)
        v[x + 2 * TILE_STRIDE] = _blur(d, x, TILE_STRIDE)
        v[x + 3 * TILE_STRIDE] = _blur_squares(d, x, TILE_STRIDE)


@_inner
def _similarity(
    v: Float32, width: int, levels: Any, c: Float32, full: Float32, structure: Float32
) -> None:
    (level_s, level_d), c1, c2 = levels, c[0], c[1]
    for x in range(width):
        mean_s = _blur(v, x, 1)
        mean_d = _blur(v, x + 2 * TILE_STRIDE, 1)
        var_s = _blur(v, x + TILE_STRIDE, 1) - mean_s * mean_s
        var_d = _blur(v, x + 3 * TILE_STRIDE, 1) - mean_d * mean_d
        mean_s += level_s
        mean_d += level_d
        structure[x] = (var_s - var_d + c2) / (var_s + var_d + c2)
        luminance = (mean_s * mean_s - mean_d * mean_d + c1) / (
            mean_s * mean_s + mean_d * mean_d + c1
        )
        full[x] = luminance * structure[x]


@_inner
def _ssim_tile(s: Float32, d: Float32, rows: int, width: int, c: Float32, out: Float32) -> Any:
    """Sums over the windows of a tile of SSIM and of its contrast-structure part; SSIM itself into
    ``out``."""
    levels = _centre(s, rows, width), _centre(d, rows, width)
    v = np.empty(4 * TILE_STRIDE, np.float32)
    full, structure = np.empty(TILE_W, np.float32), np.empty(TILE_W, np.float32)
    full_sums, structure_sums = np.zeros(TILE_W), np.zeros(TILE_W)
    for y in range(rows - HALO):
        _filter_columns(s[y * TILE_STRIDE :], d[y * TILE_STRIDE :], width, v)
        _similarity(v, width - HALO, levels, c, full, structure)
        for x in range(width - HALO):
            full_sums[x] += full[x]
            structure_sums[x] += structure[x]
        if out.size > 0:
            for x in range(width - HALO):
                out[y, x] = full[x]
    for x in range(1, width - HALO):
        full_sums[0] += full_sums[x]
        structure_sums[0] += structure_sums[x]
    return full_sums[0], structure_sums[0]


def ordered_sums(parts: Array) -> Float64:
    """(N, k, j) partial sums -> (N, j) float64 sums, added in order of k, which ``np.sum`` does not
    guarantee."""
    return np.add.accumulate(parts, axis=1)[:, -1].astype(np.float64)


def ssim_frames(
    test: Array, ref: Array, weights: Float32, c: Float32, cut: Int64, out: Float32
) -> Float64:
    """Sums of SSIM and of its contrast-structure part over all windows.

    Args:
        test, ref: (N, H, 3 W) frames, H and W at least 11.
        weights: (3,) of R, G and B in a plane of 1000 times the 8-bit code values.
        c: (2,) 2 C1 and 2 C2 for such planes.
        cut: :func:`tiles` of (H, W).
        out: (H - 10, W - 10) for the SSIM of every window where N is 1; empty for none.

    Returns:
        (N, 2) float64.
    """
    parts = np.empty((len(test), len(cut), 2))
    in_bands(_ssim_frames, len(test) * len(cut), test, ref, weights, c, cut, out, parts)
    return ordered_sums(parts)


@_compiled
def _ssim_frames(
    start: int,
    stop: int,
    test: Array,
    ref: Array,
    weights: Float32,
    c: Float32,
    cut: Int64,
    out: Float32,
    parts: Float64,
) -> None:
    k = cut.shape[0]
    s, d = np.empty(TILE_SIZE, np.float32), np.empty(TILE_SIZE, np.float32)
    for job in range(start, stop):
        i, tile = job // k, job % k
        top, bottom, left, right = cut[tile]
        for y in range(bottom - top):
            t, r = test[i, top + y, 3 * left : 3 * right], ref[i, top + y, 3 * left : 3 * right]
            mix_channels(t, r, weights, s[y * TILE_STRIDE :], d[y * TILE_STRIDE :], right - left)
        sums = _ssim_tile(s, d, bottom - top, right - left, c, out[top:, left:])
        parts[i, tile, 0], parts[i, tile, 1] = sums[0], sums[1]


def ssim_planes(s_planes: Float32, d_planes: Float32, c: Float32, cut: Int64) -> Float64:
    """The same for planes s and d, (N, H, W) float32."""
    parts = np.empty((len(s_planes), len(cut), 2))
    in_bands(_ssim_planes, len(s_planes) * len(cut), s_planes, d_planes, c, cut, parts)
    return ordered_sums(parts)


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
    k, nowhere = cut.shape[0], np.empty((0, 0), np.float32)
    s, d = np.empty(TILE_SIZE, np.float32), np.empty(TILE_SIZE, np.float32)
    for job in range(start, stop):
        i, tile = job // k, job % k
        top, bottom, left, right = cut[tile]
        for y in range(bottom - top):
            s[y * TILE_STRIDE : y * TILE_STRIDE + right - left] = s_planes[i, top + y, left:right]
            d[y * TILE_STRIDE : y * TILE_STRIDE + right - left] = d_planes[i, top + y, left:right]
        sums = _ssim_tile(s, d, bottom - top, right - left, c, nowhere)
        parts[i, tile, 0], parts[i, tile, 1] = sums[0], sums[1]


@_inner
def _average_pairs(
    s: Float32, d: Float32, below_s: Float32, below_d: Float32, out_s: Float32, out_d: Float32
) -> None:
    for x in range(out_s.shape[0]):
        out_s[x] = QUARTER * ((s[2 * x] + s[2 * x + 1]) + (below_s[2 * x] + below_s[2 * x + 1]))
        out_d[x] = QUARTER * ((d[2 * x] + d[2 * x + 1]) + (below_d[2 * x] + below_d[2 * x + 1]))


def halve_frames(test: Array, ref: Array, weights: Float32) -> tuple[Float32, Float32]:
    """Planes s and d of frames, averaged over 2x2 pixels: two (N, H // 2, W // 2) float32."""
    n, height, width = test.shape[0], test.shape[1] // 2, test.shape[2] // 6
    s_planes, d_planes = (
        np.empty((n, height, width), np.float32),
        np.empty((n, height, width), np.float32),
    )
    in_bands(_halve_frames, n * height, test, ref, weights, s_planes, d_planes)
    return s_planes, d_planes


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
    s, below_s = np.empty(2 * width, np.float32), np.empty(2 * width, np.float32)
    d, below_d = np.empty(2 * width, np.float32), np.empty(2 * width, np.float32)
    for job in range(start, stop):
        i, y = job // height, job % height
        mix_channels(test[i, 2 * y], ref[i, 2 * y], weights, s, d, 2 * width)
        mix_channels(test[i, 2 * y + 1], ref[i, 2 * y + 1], weights, below_s, below_d, 2 * width)
        _average_pairs(s, d, below_s, below_d, s_planes[i, y], d_planes[i, y])


def halve_planes(s: Float32, d: Float32) -> tuple[Float32, Float32]:
    """Planes (N, H, W) averaged over 2x2 pixels: (N, H // 2, W // 2); an odd last row or column is
    dropped."""
    n, height, width = s.shape[0], s.shape[1] // 2, s.shape[2] // 2
    s_planes, d_planes = (
        np.empty((n, height, width), np.float32),
        np.empty((n, height, width), np.float32),
    )
    in_bands(_halve_planes, n * height, s, d, s_planes, d_planes)
    return s_planes, d_planes


@_compiled
def _halve_planes(
    start: int, stop: int, s: Float32, d: Float32, s_planes: Float32, d_planes: Float32
) -> None:
    height = s_planes.shape[1]
    for job in range(start, stop):
        i, y = job // height, job % height
        _average_pairs(
            s[i, 2 * y],
            d[i, 2 * y],
            s[i, 2 * y + 1],
            d[i, 2 * y + 1],
            s_planes[i, y],
            d_planes[i, y],
        )
