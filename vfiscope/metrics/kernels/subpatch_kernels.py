"""Refinement of motion (:mod:`vfiscope.metrics.tensors.patch_motion`): loops compiled by numba, on
plain arrays.

Conventions:
    A level is a pair of luma planes at one scale, (2, H, W) float32, test first, padded by
    :func:`padding` on all sides. ``cell`` is the number of pixels along a patch in it, ``reach``
    how far a window extends to either side of the centre of its patch. Displacements are in
    patches, (dx, dy). A window is stored flat, with rows one float longer than it is wide: a
    neighbour to the right or below is then a fixed number of floats away, and every loop is one
    long loop. The last column has no weight. Every window is summed on its own in a fixed order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import REORDERED, compiled, in_bands
from vfiscope.types import Float32, Int64

__all__ = ["SEARCH_SIZE", "luma", "padding", "place"]


SEARCH_SIZE = 8
"""Side of the window that is searched; a constant, because the compiler only vectorises constant
sides."""
ALIGN_STEPS = 3
"""Steps of the alignment at each scale."""
MIN_WINDOW_TEXTURE = 1e-5
"""Least eigenvalue of a window's mean structure tensor, white = 1: a gradient of 0.8 code values in
8 bit."""

_compiled, _inner = compiled(REORDERED), compiled(REORDERED, inner=True)


def padding(cell: int, reach: int) -> int:
    """Pixels of padding around a level: as far as any window within one patch of a match inside the
    frame can reach."""
    return reach + 2 * cell


def luma(frame: NDArray[Any], weights: Float32, out: Float32) -> None:
    """Weighted sum of the channels of a frame, (H, 3 W) interleaved, into ``out`` (H, W)."""
    in_bands(_luma, len(out), frame, weights, out)


@compiled()
def _luma(start: int, stop: int, frame: NDArray[Any], weights: Float32, out: Float32) -> None:
    red, green, blue = weights[0], weights[1], weights[2]
    for y in range(start, stop):
        row, made = frame[y], out[y]
        for x in range(out.shape[1]):
            r, g, b = np.float32(row[3 * x]), np.float32(row[3 * x + 1]), np.float32(row[3 * x + 2])
            made[x] = r * red + g * green + b * blue


@_inner
def _cut(plane: Float32, left: int, top: int, rows: int, columns: int, out: Float32) -> None:
    """Copy a part of a plane into flat memory."""
    for y in range(rows):
        row, made = plane[top + y, left : left + columns], out[y * columns : (y + 1) * columns]
        for x in range(columns):
            made[x] = row[x]


@_inner
def _inside(start: int, shift: int, size: int, limit: int) -> tuple[int, int]:
    """First and end pixel of a window that are inside the frame both here and at the match."""
    return max(0, -start, -start - shift), min(size, limit - start, limit - start - shift)


@_inner
def _weigh(weight: Float32, size: int, columns: tuple[int, int], rows: tuple[int, int]) -> Any:
    """Set 1 in some columns and rows of a window and 0 elsewhere; returns their number, at least
    1."""
    weight[:] = 0
    for y in range(rows[0], rows[1]):
        for x in range(columns[0], columns[1]):
            weight[y * (size + 1) + x] = 1
    return np.float32(max(1, (rows[1] - rows[0]) * (columns[1] - columns[0])))


@_inner
def _centre(values: Float32, weight: Float32, count: Any) -> None:
    """Subtract the weighted mean, and set 0 where there is no weight."""
    mean = _product(values, weight) / count
    for i in range(len(weight)):
        values[i] = (values[i] - mean) * weight[i]


@_inner
def _product(one: Float32, other: Float32) -> Any:
    total = np.float32(0)
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@_inner
def _slopes(
    test: Float32, size: int, left: int, top: int, along_x: Float32, along_y: Float32
) -> None:
    """Gradients of the window of the test frame that begins at (left, top)."""
    half, columns = np.float32(0.5), size + 1
    for y in range(size):
        above, row, below = (
            test[top + y - 1, left:],
            test[top + y, left - 1 :],
            test[top + y + 1, left:],
        )
        after, made_x, made_y = row[2:], along_x[y * columns :], along_y[y * columns :]
        for x in range(columns):
            made_x[x] = (after[x] - row[x]) * half
            made_y[x] = (below[x] - above[x]) * half


@_inner
def _apart(ref: Float32, corner: Any, moved: Any, test: Float32, size: int, out: Float32) -> None:
    """The window of the reference ``moved`` pixels from the corner, interpolated bilinearly, minus
    that of the test frame."""
    columns = size + 1
    column, row = np.int64(np.floor(moved[0])), np.int64(np.floor(moved[1]))
    x, y = np.float32(moved[0] - column), np.float32(moved[1] - row)
    four = np.empty(columns * columns + 1, np.float32)
    four[-1] = 0
    _cut(ref, corner[0] + column, corner[1] + row, columns, columns, four)
    two, after = np.empty(columns * columns, np.float32), four[1:]
    for i in range(len(two)):
        two[i] = four[i] + (after[i] - four[i]) * x
    below = two[columns:]
    for i in range(len(out)):
        out[i] = two[i] + (below[i] - two[i]) * y - test[i]


@_inner
def _search(level: Any, window: Any, whole: Any) -> Any:
    """The displacement with the least different window, of all whole-pixel steps within one patch
    of the match."""
    (pictures, cell, _), (corner, (test, _, _, _), _) = level, window
    left, top, steps = (
        corner[0] + (whole[0] - 1) * cell,
        corner[1] + (whole[1] - 1) * cell,
        2 * cell + 1,
    )
    least, best = np.float32(np.inf), (0, 0)
    for down in range(steps):
        for right in range(steps):
            total, squares = np.float32(0), np.float32(0)
            for y in range(SEARCH_SIZE):
                row, own = (
                    pictures[1, top + down + y, left + right :],
                    test[y * (SEARCH_SIZE + 1) :],
                )
                for x in range(SEARCH_SIZE):
                    apart = row[x] - own[x]
                    total += apart
                    squares += apart * apart
            difference = squares - total * total / np.float32(SEARCH_SIZE**2)
            if difference < least:
                least, best = difference, (right, down)
    across, along = np.float32(best[0]) / np.float32(cell), np.float32(best[1]) / np.float32(cell)
    return np.float32(whole[0] - 1) + across, np.float32(whole[1] - 1) + along


@_inner
def _window(level: Any, patch: Any, grid: Any, whole: Any) -> Any:
    """The window of the test frame around a patch.

    Returns:
        Its first pixel (x, y) in the padded plane; pixels, weight and gradients, four flat
        arrays; the number of weighted pixels and the sums xx, xy and yy of its structure tensor.
    """
    pictures, cell, reach = level
    size, pad = 2 * reach, reach + 2 * cell
    x, y = patch[0] * cell + cell // 2 - reach, patch[1] * cell + cell // 2 - reach
    n = size * (size + 1)
    test, weight = np.empty(n, np.float32), np.empty(n, np.float32)
    along_x, along_y = np.empty(n, np.float32), np.empty(n, np.float32)
    columns = _inside(x, whole[0] * cell, size, grid[0] * cell)
    rows = _inside(y, whole[1] * cell, size, grid[1] * cell)
    count = _weigh(weight, size, columns, rows)
    _cut(pictures[0], x + pad, y + pad, size, size + 1, test)
    _slopes(pictures[0], size, x + pad, y + pad, along_x, along_y)
    _centre(along_x, weight, count)
    _centre(along_y, weight, count)
    sums = count, _product(along_x, along_x), _product(along_x, along_y), _product(along_y, along_y)
    return (x + pad, y + pad), (test, weight, along_x, along_y), sums


@_inner
def _steps(level: Any, window: Any, whole: Any, at: Any) -> Any:
    """The displacement after a few alignment steps from another one."""
    (pictures, cell, reach), (corner, (test, _, along_x, along_y), (_, xx, xy, yy)) = level, window
    scale, area = np.float32(cell), max(xx * yy - xy * xy, np.float32(1e-12))
    apart = np.empty_like(test)
    x, y = at
    for _ in range(ALIGN_STEPS):
        _apart(pictures[1], corner, (x * scale, y * scale), test, 2 * reach, apart)
        right, down = _product(along_x, apart), _product(along_y, apart)
        x -= (yy * right - xy * down) / area / scale
        y -= (xx * down - xy * right) / area / scale
        x = min(max(x, np.float32(whole[0] - 1)), np.float32(whole[0] + 1))
        y = min(max(y, np.float32(whole[1] - 1)), np.float32(whole[1] + 1))
    return x, y


@_inner
def _difference(level: Any, window: Any, at: Any) -> Any:
    """Sum of squared differences apart from brightness; exactly 0 for equal windows."""
    (pictures, cell, reach), (corner, (test, weight, _, _), (count, _, _, _)) = level, window
    apart, scale = np.empty_like(test), np.float32(cell)
    _apart(pictures[1], corner, (at[0] * scale, at[1] * scale), test, 2 * reach, apart)
    _centre(apart, weight, count)
    return _product(apart, apart)


@_inner
def _textured(window: Any) -> Any:
    """True where brightness changes in every direction."""
    _, _, (count, xx, xy, yy) = window
    least = (xx + yy - np.sqrt((xx - yy) * (xx - yy) + 4 * xy * xy)) / 2
    return least > MIN_WINDOW_TEXTURE * count


def place(
    coarse: Any, fine: Any, grid: tuple[int, int], whole: Int64, start: Float32, made: Float32
) -> None:
    """Displacements of the patches of a pair.

    Args:
        coarse, fine: levels (planes, cell, reach); every place within one patch of the match is
            tried at the coarse one.
        grid: columns and rows of patches.
        whole: (2, P) the match of each patch, in reading order.
        start: (2, P) the best guess without pixels, within one patch of ``whole``.
        made: (2, P) out: the displacements.
    """
    in_bands(_place, start.shape[1], coarse, fine, grid, whole, start, made)


@_compiled
def _place(
    first: int,
    stop: int,
    coarse: Any,
    fine: Any,
    grid: tuple[int, int],
    whole: Int64,
    start: Float32,
    made: Float32,
) -> None:
    for job in range(first, stop):
        patch, match = (job % grid[0], job // grid[0]), (whole[0, job], whole[1, job])
        window = _window(coarse, patch, grid, match)
        at = _steps(coarse, window, match, _search(coarse, window, match))
        window = _window(fine, patch, grid, match)
        found, guess = _steps(fine, window, match, at), (start[0, job], start[1, job])
        better = _textured(window) and _difference(fine, window, found) < _difference(
            fine, window, guess
        )
        made[0, job], made[1, job] = found if better else guess
