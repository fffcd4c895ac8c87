"""SSIM of every window of a strip: the inner loops of
:mod:`vfiscope.metrics.kernels.ssim_kernels`, with its conventions.

A strip is a few hundred values wide and as high as its band. Each of its rows is filtered along the
row once and kept in a ring of rows, which are then filtered down the columns, several windows at
once. Loops over a row have a constant length, whatever is left of the strip at the right border, so
that the compiler makes vectors without remainders of them; what lies beyond the border is computed
from leftovers, and not added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import FUSED, compiled
from vfiscope.types import Float32, Float64

__all__ = ["HALO", "TAPS", "WINDOW_MARGIN_PX", "add_band", "band_rows", "taps", "workspace"]

TAPS = 11
"""Width of the window of SSIM in pixels."""
WINDOW_MARGIN_PX = TAPS // 2
"""Pixels at each border around which no whole window fits."""
SIGMA = 1.5
HALO = TAPS - 1
STRIP_COLUMNS = 128
"""Values in a row of a strip: so few that its filtered rows stay in the first-level cache."""
SOURCE_COLUMNS = STRIP_COLUMNS + 32
"""Values in a row that is filtered, with the halo of interleaved RGB."""
GROUP_ROWS = 4
"""Rows of windows that are computed together, so that filtered rows are loaded once for all."""
RING_GROUPS = 4
"""Groups of filtered rows in the ring; the windows of a group reach into the three before it."""

PAGE_FLOATS = 1024
"""Floats in 4096 bytes."""
LEVEL_SAMPLES = 4
"""Values along a side of a strip whose mean is its level."""

ROW = 4 * STRIP_COLUMNS
"""Values in a filtered row: means of s, of its squares, of d and of its squares."""
GROUP = GROUP_ROWS * ROW
# What the work on a strip takes, in one block that begins at a page: a load from the same place in
# another page as a store just before it waits for that store. These places were the quickest of
# several, and are the same in every process.
RING = RING_GROUPS * GROUP
SOURCE_ROW = PAGE_FLOATS // 4
SOURCE_ROWS = RING + PAGE_FLOATS // 2
LEVEL_ROWS = SOURCE_ROWS + 4 * SOURCE_ROW
SIMILAR_ROWS = LEVEL_ROWS + 2 * SOURCE_COLUMNS

_inner = compiled(FUSED, inner=True)


def taps() -> Float32:
    """The Gaussian window of SSIM, (11,) float32; the centre absorbs the rounding, so that the sum
    is 1."""
    exact = np.exp(-0.5 * (np.arange(-WINDOW_MARGIN_PX, WINDOW_MARGIN_PX + 1) / SIGMA) ** 2)
    rounded: Float32 = (exact / exact.sum()).astype(np.float32)
    rounded[WINDOW_MARGIN_PX] = 1.0 - 2.0 * rounded[:WINDOW_MARGIN_PX].sum(dtype=np.float64)
    return rounded


W0, W1, W2, W3, W4, W5 = taps()[: WINDOW_MARGIN_PX + 1]


@_inner
def _aligned(count: int) -> Float32:
    """Zeros that begin at a page."""
    made = np.zeros(count + PAGE_FLOATS, np.float32)
    start = -(made.ctypes.data // 4) % PAGE_FLOATS
    return made[start : start + count]


@_inner
def _weigh(
    a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any, k: Any
) -> Any:
    return W0 * (a + k) + W1 * (b + j) + W2 * (c + i) + W3 * (d + h) + W4 * (e + g) + W5 * f


@_inner
def _filter_row(v: Float32, step: int, out: Float32) -> None:
    """Filter the values and their squares along a row. Squares are made again for each tap, because
    loads of stored ones would cross cache lines."""
    for x in range(STRIP_COLUMNS):
        a, b, c, d = v[x], v[x + step], v[x + 2 * step], v[x + 3 * step]
        e, f, g, h = v[x + 4 * step], v[x + 5 * step], v[x + 6 * step], v[x + 7 * step]
        i, j, k = v[x + 8 * step], v[x + 9 * step], v[x + 10 * step]
        out[x] = _weigh(a, b, c, d, e, f, g, h, i, j, k)
        out[x + STRIP_COLUMNS] = (
            W0 * (a * a + k * k)
            + W1 * (b * b + j * j)
            + W2 * (c * c + i * i)
            + W3 * (d * d + h * h)
            + W4 * (e * e + g * g)
            + W5 * (f * f)
        )


@_inner
def _filter_column(first: Float32, second: Float32, third: Float32, last: Float32, x: int) -> Any:
    """Filter column x of four groups of rows: 4 windows below each other."""
    a, b, c, d = first[x], first[x + ROW], first[x + 2 * ROW], first[x + 3 * ROW]
    e, f, g, h = second[x], second[x + ROW], second[x + 2 * ROW], second[x + 3 * ROW]
    i, j, k, m = third[x], third[x + ROW], third[x + 2 * ROW], third[x + 3 * ROW]
    n, o = last[x], last[x + ROW]
    return (
        _weigh(a, b, c, d, e, f, g, h, i, j, k),
        _weigh(b, c, d, e, f, g, h, i, j, k, m),
        _weigh(c, d, e, f, g, h, i, j, k, m, n),
        _weigh(d, e, f, g, h, i, j, k, m, n, o),
    )


@_inner
def _similarity(
    mean_s: Any, square_s: Any, mean_d: Any, square_d: Any, level_s: Any, level_d: Any, c: Any
) -> Any:
    """SSIM of a window, and its contrast-structure part."""
    var_s, var_d = square_s - mean_s * mean_s, square_d - mean_d * mean_d
    mean_s, mean_d = mean_s + level_s, mean_d + level_d
    squared_s, squared_d = mean_s * mean_s, mean_d * mean_d
    above, below = var_s - var_d + c[1], var_s + var_d + c[1]
    full = (above * (squared_s - squared_d + c[0])) / (below * (squared_s + squared_d + c[0]))
    return full, above / below


@_inner
def _put(similar: Any, out: Float32, at: int, both: Any) -> None:
    """Store SSIM and its contrast-structure part; the latter is compiled away where ``both`` is
    None."""
    out[at] = similar[0]
    if both is not None:
        out[at + GROUP_ROWS * STRIP_COLUMNS] = similar[1]


@_inner
def _compare_group(
    first: Float32,
    second: Float32,
    third: Float32,
    last: Float32,
    levels: Float32,
    c: Any,
    both: Any,
    out: Float32,
) -> None:
    """SSIM of the windows of a group, and its contrast-structure part."""
    for x in range(STRIP_COLUMNS):
        p = _filter_column(first, second, third, last, x)
        q = _filter_column(first, second, third, last, x + STRIP_COLUMNS)
        u = _filter_column(first, second, third, last, x + 2 * STRIP_COLUMNS)
        v = _filter_column(first, second, third, last, x + 3 * STRIP_COLUMNS)
        a, b = levels[0, x], levels[1, x]
        _put(_similarity(p[0], q[0], u[0], v[0], a, b, c), out, x, both)
        _put(_similarity(p[1], q[1], u[1], v[1], a, b, c), out, x + STRIP_COLUMNS, both)
        _put(_similarity(p[2], q[2], u[2], v[2], a, b, c), out, x + 2 * STRIP_COLUMNS, both)
        _put(_similarity(p[3], q[3], u[3], v[3], a, b, c), out, x + 3 * STRIP_COLUMNS, both)


@_inner
def _set_levels(v: Float32, left: int, width: int, step: int, levels: Float32) -> None:
    """The approximate level of a strip, for each column that of its channel (0 if all are 0).

    Values are filtered around it: otherwise E[v^2] - E[v]^2 would lose its digits by cancellation.
    """
    rows = v.shape[0]
    for channel in range(step):
        level = np.float32(0)
        for y in range(LEVEL_SAMPLES):
            for x in range(LEVEL_SAMPLES):
                column = (2 * x + 1) * (width // step) // (2 * LEVEL_SAMPLES) * step + channel
                level += v[(2 * y + 1) * rows // (2 * LEVEL_SAMPLES), left + column]
        level = np.float32(np.rint(level / np.float32(LEVEL_SAMPLES**2)))
        for x in range(channel, SOURCE_COLUMNS, step):
            levels[x] = level


@_inner
def _centre(v: Float32, levels: Float32, out: Float32) -> None:
    for x in range(SOURCE_COLUMNS):
        out[x] = v[x] - levels[x]


@_inner
def _add_up(v: Float32, rows: int, sums: Float64) -> None:
    """Add up the rows of a group in float32, which costs no digits, and the groups in float64."""
    if rows < GROUP_ROWS:
        for at in range(rows * STRIP_COLUMNS, GROUP_ROWS * STRIP_COLUMNS):
            v[at] = np.float32(0)
    for x in range(STRIP_COLUMNS):
        sums[x] += (v[x] + v[x + STRIP_COLUMNS]) + (
            v[x + 2 * STRIP_COLUMNS] + v[x + 3 * STRIP_COLUMNS]
        )


@_inner
def _strip(
    s: Float32,
    d: Float32,
    left: int,
    width: int,
    step: int,
    both: Any,
    c: Any,
    work: Any,
    out: Float32,
) -> None:
    """Add up the windows of a strip."""
    ring, source, levels, similar, sums = work
    rows, ready = s.shape[0], 0
    sums[:] = 0.0
    inside = min(STRIP_COLUMNS, width - left - HALO * step)
    _set_levels(s, left, inside + HALO * step, step, levels[0])
    _set_levels(d, left, inside + HALO * step, step, levels[1])
    # Each row is stored while the one before it is filtered: to load what was just stored, at
    # another offset, takes several times as long.
    _centre(s[0, left:], levels[0], source[0, 0])
    _centre(d[0, left:], levels[1], source[0, 1])
    for top in range(0, rows - HALO, GROUP_ROWS):
        while ready < min(top + GROUP_ROWS + HALO, rows):
            if ready + 1 < rows:
                _centre(s[ready + 1, left:], levels[0], source[(ready + 1) % 2, 0])
                _centre(d[ready + 1, left:], levels[1], source[(ready + 1) % 2, 1])
            row = ring[ready % (RING_GROUPS * GROUP_ROWS) * ROW :]
            _filter_row(source[ready % 2, 0], step, row)
            _filter_row(source[ready % 2, 1], step, row[2 * STRIP_COLUMNS :])
            ready += 1
        first, count = top // GROUP_ROWS, min(GROUP_ROWS, rows - HALO - top)
        _compare_group(
            ring[first % RING_GROUPS * GROUP :],
            ring[(first + 1) % RING_GROUPS * GROUP :],
            ring[(first + 2) % RING_GROUPS * GROUP :],
            ring[(first + 3) % RING_GROUPS * GROUP :],
            levels,
            c,
            both,
            similar,
        )
        if out.size > 0:
            for y in range(count):
                for x in range(inside):
                    out[top + y, left + x] = similar[y * STRIP_COLUMNS + x]
        _add_up(similar, count, sums[0])
        if both is not None:
            _add_up(similar[GROUP_ROWS * STRIP_COLUMNS :], count, sums[1])


@_inner
def workspace() -> Any:
    """What :func:`add_band` works with: the ring, two rows of s and of d around their levels, the
    levels of the columns, the similarities of a group, and sums down the columns."""
    block = _aligned(SIMILAR_ROWS + 2 * GROUP_ROWS * STRIP_COLUMNS)
    return (
        block[:RING],
        block[SOURCE_ROWS:LEVEL_ROWS].reshape(2, 2, SOURCE_ROW),
        block[LEVEL_ROWS : LEVEL_ROWS + 2 * SOURCE_COLUMNS].reshape(2, SOURCE_COLUMNS),
        block[SIMILAR_ROWS:],
        np.empty((2, STRIP_COLUMNS)),
    )


@_inner
def add_band(
    s: Float32, d: Float32, width: int, step: int, both: Any, c: Float32, work: Any, out: Float32
) -> Any:
    """Sums of SSIM and of its contrast-structure part over the windows of a band.

    Args:
        s, d: :func:`band_rows` of ``width``.
        width: values in a row.
        step: from a pixel to the next one of its channel: 1 in a plane, 3 in interleaved RGB.
        both: None where the contrast-structure part is not needed, else anything; its sum is 0
            then.
        c: (2,) 2 C1 and 2 C2.
        work: :func:`workspace`.
        out: (rows - 10, width - 10 step) for SSIM itself, or empty.
    """
    windows, sums = width - HALO * step, work[4]
    full, structure = 0.0, 0.0
    for left in range(0, windows, STRIP_COLUMNS):
        _strip(s, d, left, width, step, both, (c[0], c[1]), work, out)
        for x in range(min(STRIP_COLUMNS, windows - left)):
            full += sums[0, x]
            structure += sums[1, x]
    return full, structure


@_inner
def band_rows(rows: int, width: int) -> Float32:
    """Rows of ``width`` values for :func:`add_band`, with the values that its loops read beyond
    them."""
    columns = -(-width // STRIP_COLUMNS) * STRIP_COLUMNS + SOURCE_COLUMNS - STRIP_COLUMNS
    return _aligned(rows * columns).reshape(rows, columns)
