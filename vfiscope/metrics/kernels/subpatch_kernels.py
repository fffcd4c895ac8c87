"""Refinement of motion (:mod:`vfiscope.metrics.patch_alignment`): loops compiled by numba, on plain
arrays.

Conventions:
    A level is a pair of luma planes at one scale, (2, H, W) float32, test first, with ``cell``
    pixels along a patch and a margin of :func:`margin` pixels on all sides. A window extends
    ``reach`` pixels to either side of the centre of its patch. It is stored flat, with rows two
    floats longer than it is wide: a neighbour in any direction is then a fixed number of floats
    away, and every loop is one long loop. What the two floats hold has no weight. A ``patch`` is
    its column and row, and the columns and rows to its match. Displacements are in patches, (dx,
    dy). Every window is summed on its own in a fixed order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import REORDERED, compiled, in_bands
from vfiscope.types import Float32, Int64

__all__ = [
    "ALIGN_REACH",
    "FINE_CELL_PX",
    "SEARCH_CELL",
    "SEARCH_REACH",
    "SEARCH_SIDE",
    "margin",
    "place",
]

FINE_CELL_PX, ALIGN_REACH = 14, 10
"""Cell and reach of the finer level."""
SEARCH_CELL, SEARCH_REACH = 4, 4
"""Cell and reach of the coarser level, where every place within one patch is tried."""
SEARCH_SIDE, SEARCH_AREA = 2 * SEARCH_REACH, 4 * SEARCH_REACH**2
SEARCH_STEPS = 2 * SEARCH_CELL + 1
SEARCH_ROW = SEARCH_SIDE + SEARCH_STEPS - 1
"""Side of what is searched, and floats in a row of the windows there."""
ALIGN_STEPS = 3
"""Steps of the alignment at each scale."""
MIN_WINDOW_TEXTURE = np.float32(1e-5)
"""Least eigenvalue of a window's mean structure tensor, white = 1: a gradient of 0.8 code values in
8 bit."""
MIN_DETERMINANT = np.float32(1e-12)
WEIGHT, ALONG_X, ALONG_Y, OWN, OTHER, APART = range(6)
"""Lines of the memory of a window: weight of each pixel, gradients along x and y, pixels of the
test with a border of one pixel, those of the reference, their differences."""
MEMORY = (2 * ALIGN_REACH + 3) * (2 * ALIGN_REACH + 2)
"""Floats in a line: a window with its border, and a row that is looked at but has no weight."""

_inner = compiled(REORDERED, inner=True)


def margin(cell: int, reach: int) -> int:
    """Pixels around a level: as far as any window within one patch of a match inside the frame can
    reach."""
    return reach + 2 * cell


@_inner
def _cut(plane: Float32, left: Any, top: Any, rows: int, columns: int, out: Float32) -> None:
    """Copy a part of a plane into flat memory."""
    for y in range(rows):
        row, made = plane[top + y, left:], out[y * columns :]
        for x in range(columns):
            made[x] = row[x]


@_inner
def _product(one: Float32, other: Float32, count: int) -> Any:
    """Scalar product of the first numbers of two lines."""
    total = np.float32(0)
    for i in range(count):
        total += one[i] * other[i]
    return total


@_inner
def _corner(place: int, cell: int) -> int:
    """First pixel of the window of a patch, along either axis, behind the margin of its level."""
    return (place + 2) * cell + cell // 2


@_inner
def _inside(place: int, shift: int, places: int, cell: int, reach: int) -> tuple[int, int]:
    """First and end pixel of a window that are inside the frame both here and at the match."""
    start, limit, shift = place * cell + cell // 2 - reach, places * cell, shift * cell
    return max(0, -start, -start - shift), min(2 * reach, limit - start, limit - start - shift)


@_inner
def _weigh(weight: Float32, size: int, columns: tuple[int, int], rows: tuple[int, int]) -> Any:
    """Set 1 in some columns and rows of a window and 0 elsewhere; returns their number, at least
    1."""
    for i in range(size * (size + 2)):
        weight[i] = 0
    for y in range(rows[0], rows[1]):
        for x in range(columns[0], columns[1]):
            weight[y * (size + 2) + x] = 1
    return np.float32(max(1, (rows[1] - rows[0]) * (columns[1] - columns[0])))


@_inner
def _centre(values: Float32, weight: Float32, area: Any, count: int) -> None:
    """Subtract the weighted mean, and set 0 where there is no weight."""
    mean = _product(values, weight, count) / area
    for i in range(count):
        values[i] = (values[i] - mean) * weight[i]


@_inner
def _slope(
    before: Float32, behind: Float32, weight: Float32, area: Any, count: int, out: Float32
) -> None:
    """Gradient of a window along an axis, less its mean."""
    for i in range(count):
        out[i] = (behind[i] - before[i]) * np.float32(0.5)
    _centre(out, weight, area, count)


@_inner
def _window(test: Float32, cell: int, reach: int, patch: Any, grid: Any, memory: Float32) -> Any:
    """Fill the memory of the window around a patch.

    Returns:
        The number of weighted pixels and the sums xx, xy and yy of its structure tensor.
    """
    size = 2 * reach
    count = size * (size + 2)
    columns = _inside(patch[0], patch[2], grid[0], cell, reach)
    rows = _inside(patch[1], patch[3], grid[1], cell, reach)
    area = _weigh(memory[WEIGHT], size, columns, rows)
    left, top = _corner(patch[0], cell), _corner(patch[1], cell)
    _cut(test, left - 1, top - 1, size + 2, size + 2, memory[OWN])
    weight, own, row = memory[WEIGHT], memory[OWN], size + 2
    along_x, along_y = memory[ALONG_X], memory[ALONG_Y]
    _slope(own[row:], own[row + 2 :], weight, area, count, along_x)
    _slope(own[1:], own[2 * row + 1 :], weight, area, count, along_y)
    sums = _product(along_x, along_x, count), _product(along_x, along_y, count)
    return area, sums[0], sums[1], _product(along_y, along_y, count)


@_inner
def _apart(ref: Float32, cell: int, reach: int, patch: Any, at: Any, memory: Float32) -> None:
    """The window of the reference at a displacement, interpolated bilinearly, minus that of the
    test frame."""
    right, down = at[0] * np.float32(cell), at[1] * np.float32(cell)
    column, line = np.int64(np.floor(right)), np.int64(np.floor(down))
    row = 2 * reach + 2
    left, top = _corner(patch[0], cell) + column, _corner(patch[1], cell) + line
    _cut(ref, left, top, row, row, memory[OTHER])
    x, y = np.float32(right - column), np.float32(down - line)
    both = x * y
    first = np.float32(1) - x - (y - both)
    here, own, apart = memory[OTHER], memory[OWN, row + 1 :], memory[APART]
    after, below, across = here[1:], here[row:], here[row + 1 :]
    for i in range(2 * reach * row):
        moved = here[i] * first + after[i] * (x - both) + below[i] * (y - both) + across[i] * both
        apart[i] = moved - own[i]


@_inner
def _search(ref: Float32, spread: Float32, patch: Any, memory: Float32) -> Any:
    """The displacement with the least different window, of all whole-pixel steps within one patch
    of the match, at the coarser level.

    Apart from brightness, the sum of squared differences is the spread of the one window and of the
    other, less twice the product of the one with the other less its mean. The spread of the test's
    window is the same for all.
    """
    own, region, centred = memory[OWN, SEARCH_SIDE + 3 :], memory[OTHER], memory[APART]
    mean = np.float32(0)
    for y in range(SEARCH_SIDE):
        for x in range(SEARCH_SIDE):
            mean += own[y * (SEARCH_SIDE + 2) + x] / np.float32(SEARCH_AREA)
    for y in range(SEARCH_SIDE):
        for x in range(SEARCH_SIDE):
            centred[y * SEARCH_ROW + x] = own[y * (SEARCH_SIDE + 2) + x] - mean
            centred[y * SEARCH_ROW + SEARCH_SIDE + x] = 0
    left = _corner(patch[0] + patch[2] - 1, SEARCH_CELL)
    top = _corner(patch[1] + patch[3] - 1, SEARCH_CELL)
    for y in range(SEARCH_ROW):
        for x in range(SEARCH_ROW):
            region[y * SEARCH_ROW + x] = ref[top + y, left + x] - mean
    least, column, line = np.float32(np.inf), 0, 0
    for down in range(SEARCH_STEPS):
        for right in range(SEARCH_STEPS):
            some, alike = region[down * SEARCH_ROW + right :], np.float32(0)
            for i in range(SEARCH_SIDE * SEARCH_ROW):
                alike += centred[i] * some[i]
            difference = spread[top + down, left + right] - (alike + alike)
            if difference < least:
                least, column, line = difference, right, down
    across, along = np.float32(column - SEARCH_CELL), np.float32(line - SEARCH_CELL)
    cell = np.float32(SEARCH_CELL)
    return np.float32(patch[2]) + across / cell, np.float32(patch[3]) + along / cell


@_inner
def _steps(
    ref: Float32, cell: int, reach: int, patch: Any, sums: Any, at: Any, memory: Float32
) -> Any:
    """The displacement after a few alignment steps from another one."""
    _, xx, xy, yy = sums
    scale, count = np.float32(cell), 4 * reach * (reach + 1)
    area = max(xx * yy - xy * xy, MIN_DETERMINANT) * scale
    x, y = at
    for _ in range(ALIGN_STEPS):
        _apart(ref, cell, reach, patch, (x, y), memory)
        right = _product(memory[ALONG_X], memory[APART], count)
        down = _product(memory[ALONG_Y], memory[APART], count)
        x -= (yy * right - xy * down) / area
        y -= (xx * down - xy * right) / area
        x = min(max(x, np.float32(patch[2] - 1)), np.float32(patch[2] + 1))
        y = min(max(y, np.float32(patch[3] - 1)), np.float32(patch[3] + 1))
    return x, y


@_inner
def _difference(
    ref: Float32, cell: int, reach: int, patch: Any, area: Any, at: Any, memory: Float32
) -> Any:
    """Sum of squared differences apart from brightness; exactly 0 for equal windows."""
    count = 4 * reach * (reach + 1)
    _apart(ref, cell, reach, patch, at, memory)
    _centre(memory[APART], memory[WEIGHT], area, count)
    return _product(memory[APART], memory[APART], count)


@_inner
def _textured(sums: Any) -> Any:
    """True where brightness changes in every direction."""
    count, xx, xy, yy = sums
    root = np.sqrt((xx - yy) * (xx - yy) + (xy + xy) * (xy + xy))
    return xx + yy - root > (MIN_WINDOW_TEXTURE + MIN_WINDOW_TEXTURE) * count


def place(
    coarse: Float32,
    fine: Float32,
    spread: Float32,
    columns: int,
    whole: Int64,
    start: Float32,
    made: Float32,
) -> None:
    """Displacements of the patches of a pair.

    Args:
        coarse, fine: the two levels.
        spread: for each pixel of the reference at the coarser level, of the window that begins
            there: the sum of the squared differences from its mean.
        columns: patches in a row of the frame.
        whole: (2, P) the match of each patch, in reading order.
        start: (2, P) the best guess without pixels, within one patch of ``whole``.
        made: (2, P) out: the displacements.
    """
    # Sides that the compiler knows would have it compile everything for each level.
    levels = (coarse, SEARCH_CELL, SEARCH_REACH), (fine, FINE_CELL_PX, ALIGN_REACH)
    in_bands(_place, start.shape[1], *levels, spread, columns, whole, start, made)


@compiled(REORDERED)
def _place(
    first: int,
    stop: int,
    coarse: Any,
    fine: Any,
    spread: Float32,
    columns: int,
    whole: Int64,
    start: Float32,
    made: Float32,
) -> None:
    (small, small_cell, small_reach), (full, cell, reach) = coarse, fine
    grid = columns, start.shape[1] // columns
    near, wide = np.empty((6, MEMORY), np.float32), np.empty((6, MEMORY), np.float32)
    for line in range(6):
        for i in range(MEMORY):
            near[line, i] = wide[line, i] = 0
    for job in range(first, stop):
        guess = start[0, job], start[1, job]
        made[0, job], made[1, job] = guess
        patch = job % columns, job // columns, whole[0, job], whole[1, job]
        sums = _window(full[0], cell, reach, patch, grid, near)
        if not _textured(sums):
            continue
        least = _difference(full[1], cell, reach, patch, sums[0], guess, near)
        if least == 0:
            continue
        around = _window(small[0], small_cell, small_reach, patch, grid, wide)
        at = _search(small[1], spread, patch, wide)
        at = _steps(small[1], small_cell, small_reach, patch, around, at, wide)
        at = _steps(full[1], cell, reach, patch, sums, at, near)
        if _difference(full[1], cell, reach, patch, sums[0], at, near) < least:
            made[0, job], made[1, job] = at
