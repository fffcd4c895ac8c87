"""``vfi`` (:mod:`vfiscope.metrics.vfi`) on the CPU: loops compiled by numba, on plain arrays.

Conventions:
    A frame is (H, 3 W) uint8 or float32: rows of interleaved RGB in code values. Luma is in 1000ths
    of an 8-bit code value; sums of 8-bit frames are exact. Cells are 8 x 8 px; beyond the frame its
    last row and column are repeated. Rows of cells are computed independently, so no result depends
    on how they are distributed over threads. Fused multiply-add is allowed; reordering additions is
    not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.embedders.gradient_kernels import DIAGONAL, ONE, TINY, ZERO
from vfiscope.jit import FUSED, compiled
from vfiscope.types import Float32

__all__ = ["VFI_CELL_PX", "gather", "sift_apart"]

Array = NDArray[Any]

VFI_CELL_PX = 8
DIRECTIONS = 8
STRIP = 256
"""Columns that are summed together: their sums fit in the first-level cache."""
BINS_PER_SIDE = 4
"""Bins of a descriptor along a side."""

VOTES = 18
"""Sums of votes down a column: of 8 directions and the magnitude, for two corners each."""
STRIP_CELLS = STRIP // VFI_CELL_PX

TWO = np.float32(2)
_compiled, _inner = compiled(FUSED), compiled(FUSED, inner=True)

# Distance of the pixels of a cell from its left or upper border, in cells: the weight of each for
# the corner to its right or below.
RISE = ((np.arange(VFI_CELL_PX) + 0.5) / VFI_CELL_PX).astype(np.float32)
R0, R1, R2, R3, R4, R5, R6, R7 = RISE


@_inner
def _luma_of(row: Array, weights: Float32, padded: int, luma: Float32) -> None:
    """Luma of a row, with one more value at the left, and repeated at the right up to ``padded``
    columns and one more."""
    width, w0, w1, w2 = row.shape[0] // 3, weights[0], weights[1], weights[2]
    for x in range(width):
        luma[x + 1] = (
            w0 * np.float32(row[3 * x])
            + w1 * np.float32(row[3 * x + 1])
            + w2 * np.float32(row[3 * x + 2])
        )
    luma[0] = luma[1]
    for x in range(width, padded + 1):
        luma[x + 1] = luma[width]


@_inner
def _vote(along: Any, scale: Any) -> Any:
    """cos^9 times the length of a gradient, from its part along an axis and 1 / length^2."""
    power = along * along * scale
    power = power * power
    return power * power * along


@_inner
def _share(sums: Float32, i: int, vote: Any, fall: Any, rise: Any) -> None:
    """Add a vote to the two directions of an axis, for the corners above and below."""
    there, back = max(vote, ZERO), max(-vote, ZERO)
    sums[i] += there * fall
    sums[i + STRIP] += there * rise
    sums[i + 8 * STRIP] += back * fall
    sums[i + 9 * STRIP] += back * rise


@_inner
def _add_row(
    luma: Float32, y: int, left: int, width: int, rise: Any, keep: Any, sums: Float32
) -> None:
    """Add the votes, the magnitudes and the modified Laplacians of a row of pixels to the sums of a
    strip."""
    fall = ONE - rise
    above, middle, below = luma[y, left:], luma[y + 1, left:], luma[y + 2, left:]
    for x in range(width):
        here, before, behind, up, down = (
            middle[x + 1],
            middle[x],
            middle[x + 2],
            above[x + 1],
            below[x + 1],
        )
        gx, gy = behind - before, down - up
        square = gx * gx + gy * gy
        scale, magnitude = ONE / (square + TINY), np.sqrt(square)
        _share(sums, x, _vote(gx, scale), fall, rise)
        _share(sums, x + 2 * STRIP, _vote((gx + gy) * DIAGONAL, scale), fall, rise)
        _share(sums, x + 4 * STRIP, _vote(gy, scale), fall, rise)
        _share(sums, x + 6 * STRIP, _vote((gy - gx) * DIAGONAL, scale), fall, rise)
        sums[x + 16 * STRIP] += magnitude * fall
        sums[x + 17 * STRIP] += magnitude * rise
        sums[x + 18 * STRIP] += keep * (
            abs(TWO * here - before - behind) + abs(TWO * here - up - down)
        )


@_inner
def _to_corners(sums: Float32, corners: Float32) -> None:
    """Votes of the pixels of each cell of a strip for the corners at its left and at its right."""
    for k in range(VOTES):
        for i in range(STRIP_CELLS):
            at, out = k * STRIP + VFI_CELL_PX * i, 2 * k * STRIP_CELLS + i
            a, b, c, d = sums[at], sums[at + 1], sums[at + 2], sums[at + 3]
            e, f, g, h = sums[at + 4], sums[at + 5], sums[at + 6], sums[at + 7]
            corners[out + STRIP_CELLS] = (
                R0 * a + R1 * b + R2 * c + R3 * d + R4 * e + R5 * f + R6 * g + R7 * h
            )
            corners[out] = R7 * a + R6 * b + R5 * c + R4 * d + R3 * e + R2 * f + R1 * g + R0 * h


@_inner
def _in_cells(sums: Float32, cells: int, step: int, out: Float32) -> None:
    for i in range(cells):
        total = ZERO
        for x in range(8 * i, 8 * i + 8):
            total += sums[step * x]
        out[i] = total


@_inner
def _colours(frame: Array, top: int, left: int, width: int, colours: Float32) -> None:
    """Sums down a row of cells of R, G and B, interleaved; the last column of the frame is
    repeated."""
    height, inside = frame.shape[0], min(3 * width, frame.shape[1] - 3 * left)
    colours[:] = ZERO
    for y in range(top, top + VFI_CELL_PX):
        row = frame[min(y, height - 1), 3 * left :]
        for x in range(inside):
            colours[x] += np.float32(row[x])
    for x in range(inside, 3 * width):
        colours[x] = colours[x - 3]


@_inner
def _keep(y: int, last: int, extra: Any) -> Any:
    """How often the Laplacian of a row or column counts: the last one for all its repetitions,
    those beyond it not at all."""
    return ONE if y < last else (extra if y == last else ZERO)


@_inner
def _sum_strip(
    luma: Float32, top: int, left: int, columns: int, frame: Any, extra: Float32, sums: Float32
) -> None:
    """Sums down a row of cells of 8 x 2 directed votes, 2 magnitudes and the Laplacian of a strip:
    (19 STRIP,)."""
    height, width = frame
    sums[:] = ZERO
    for y in range(VFI_CELL_PX):
        _add_row(luma, y, left, columns, RISE[y], _keep(top + y, height - 1, extra[0]), sums)
    for x in range(columns):
        sums[18 * STRIP + x] *= _keep(left + x, width - 1, extra[1])


@_compiled
def gather(
    start: int,
    stop: int,
    frame: Array,
    weights: Float32,
    extra: Float32,
    votes: Float32,
    sums: Float32,
) -> None:
    """Sum up the rows of cells from ``start`` up to ``stop``.

    Args:
        frame: (H, 3 W).
        weights: (3,) of R, G and B in luma.
        extra: (2,) how often the Laplacians of the last row and of the last column count.
        votes: (9, 2, 2, h, w) out: for 8 directions and the magnitude, votes of each cell for its
            corners above and below, left and right; gradients are doubled.
        sums: (4, h, w) out: R, G, B and the modified Laplacian.
    """
    height, width, padded = frame.shape[0], frame.shape[1] // 3, VFI_CELL_PX * sums.shape[2]
    luma = np.empty((VFI_CELL_PX + 2, padded + 2), np.float32)
    strip, colours = np.empty((VOTES + 1) * STRIP, np.float32), np.empty(3 * STRIP, np.float32)
    corners = np.empty(2 * VOTES * STRIP_CELLS, np.float32)
    for cell in range(start, stop):
        for y in range(VFI_CELL_PX + 2):
            _luma_of(
                frame[min(max(VFI_CELL_PX * cell + y - 1, 0), height - 1)], weights, padded, luma[y]
            )
        for left in range(0, padded, STRIP):
            columns, at = min(STRIP, padded - left), left // VFI_CELL_PX
            _sum_strip(luma, VFI_CELL_PX * cell, left, columns, (height, width), extra, strip)
            _to_corners(strip, corners)
            for k in range(2 * VOTES):
                out = votes[k // 4, k // 2 % 2, k % 2, cell, at:]
                for i in range(columns // VFI_CELL_PX):
                    out[i] = corners[k * STRIP_CELLS + i]
            _in_cells(strip[VOTES * STRIP :], columns // VFI_CELL_PX, 1, sums[3, cell, at:])
            _colours(frame, VFI_CELL_PX * cell, left, columns, colours)
            for k in range(3):
                _in_cells(colours[k:], columns // VFI_CELL_PX, 3, sums[k, cell, at:])


@_inner
def _lengths(
    votes: Float32,
    y: int,
    roots: Float32,
    clip: Any,
    work: Float32,
    factors: Float32,
    limits: Float32,
) -> None:
    """Factors for the votes of the windows of a row of cells, and the limit of the products.

    Products are votes as entries of a unit vector after clipping, times ``roots``.
    """
    cells = roots.shape[0]
    work[:] = ZERO
    for k in range(DIRECTIONS):
        for row in range(y, y + BINS_PER_SIDE):
            line = votes[k, row]
            for x in range(cells + BINS_PER_SIDE - 1):
                work[x] += line[x] * line[x]
    for x in range(cells):
        factors[x] = ONE / max(np.sqrt((work[x] + work[x + 1]) + (work[x + 2] + work[x + 3])), TINY)
        limits[x] = ZERO
    for k in range(DIRECTIONS):
        for row in range(y, y + BINS_PER_SIDE):
            line = votes[k, row]
            for x in range(cells):
                for column in range(BINS_PER_SIDE):
                    part = min(line[x + column] * factors[x], clip)
                    limits[x] += part * part
    for x in range(cells):
        root = roots[x] / max(np.sqrt(limits[x]), TINY)
        factors[x] *= root
        limits[x] = clip * root


@_inner
def _square_distances(
    test: Float32, ref: Float32, y: int, factors: Float32, limits: Float32, apart: Float32
) -> None:
    """Add up the squared differences of the entries of a row of cells."""
    apart[:] = ZERO
    for k in range(DIRECTIONS):
        for row in range(y, y + BINS_PER_SIDE):
            t, r = test[k, row], ref[k, row]
            for x in range(apart.shape[0]):
                for column in range(BINS_PER_SIDE):
                    # Products are not subtracted: fused, equal ones would leave a remainder.
                    mine = min(t[x + column] * factors[0, x], limits[0, x])
                    theirs = min(r[x + column] * factors[1, x], limits[1, x])
                    apart[x] += (mine - theirs) * (mine - theirs)


@_compiled
def sift_apart(
    start: int,
    stop: int,
    test: Float32,
    ref: Float32,
    test_roots: Float32,
    ref_roots: Float32,
    clip: Any,
    apart: Float32,
) -> None:
    """Squared distances of the SIFT descriptors of the rows of cells from ``start`` up to ``stop``.

    Args:
        test, ref: (8 or more, h + 3, w + 3) votes at the corners of the cells, with a border of one
            more cell.
        test_roots, ref_roots: (h, w) lengths of the descriptors.
        clip: float32 limit on an entry of a descriptor of length 1.
        apart: (h, w) out.
    """
    cells = apart.shape[1]
    work = np.empty(cells + BINS_PER_SIDE - 1, np.float32)
    factors, limits = np.empty((2, cells), np.float32), np.empty((2, cells), np.float32)
    for y in range(start, stop):
        _lengths(test, y, test_roots[y], clip, work, factors[0], limits[0])
        _lengths(ref, y, ref_roots[y], clip, work, factors[1], limits[1])
        _square_distances(test, ref, y, factors, limits, apart[y])
