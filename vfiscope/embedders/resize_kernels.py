"""Antialiased resizing (:mod:`vfiscope.embedders.resizing`) on the CPU: loops compiled by numba, on
plain arrays.

Conventions:
    A frame is (H, 3 W): rows of interleaved RGB code values. Columns are filtered first, a row of
    the frame at a time as it lies in memory; what is left is filtered along the rows.
    ``rows`` (h,) and ``down`` (h, taps) are the first row and the weights of each resized row,
    ``columns`` (w,) and ``across`` (w, taps) the same of each resized column. Every resized row is
    computed on its own, each value in a fixed order, and every operation is rounded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import compiled
from vfiscope.types import Float32, Int64

__all__ = ["resize_plane", "resize_rgb", "to_luma"]

_inner = compiled(inner=True)


@_inner
def _add(row: NDArray[Any], weight: Any, line: Float32) -> None:
    for x in range(len(line)):
        line[x] += np.float32(row[x]) * weight


@_inner
def _down(frame: NDArray[Any], first: int, weights: Float32, line: Float32) -> None:
    """One resized row, as wide as the frame."""
    line[:] = 0
    for tap in range(len(weights)):
        _add(frame[first + tap], weights[tap], line)


@_inner
def _across(line: Float32, columns: Int64, weights: Float32, made: Float32) -> None:
    for x in range(len(made)):
        total, first = np.float32(0), columns[x]
        for tap in range(weights.shape[1]):
            total += line[first + tap] * weights[x, tap]
        made[x] = total


@_inner
def _across_rgb(line: Float32, columns: Int64, weights: Float32, made: Float32) -> None:
    """The same of an interleaved line, into three planes (3, w)."""
    for x in range(made.shape[1]):
        red = green = blue = np.float32(0)
        first = 3 * columns[x]
        for tap in range(weights.shape[1]):
            weight, at = weights[x, tap], first + 3 * tap
            red += line[at] * weight
            green += line[at + 1] * weight
            blue += line[at + 2] * weight
        made[0, x], made[1, x], made[2, x] = red, green, blue


@_inner
def _luma(line: Float32, weights: Float32, made: Float32) -> None:
    red, green, blue = weights[0], weights[1], weights[2]
    for x in range(len(made)):
        made[x] = line[3 * x] * red + line[3 * x + 1] * green + line[3 * x + 2] * blue


@compiled()
def resize_plane(
    start: int,
    stop: int,
    plane: Float32,
    rows: Int64,
    down: Float32,
    columns: Int64,
    across: Float32,
    made: Float32,
) -> None:
    """Rows ``start`` to ``stop`` of a plane (H, W) at another size, into ``made`` (h, w)."""
    line = np.empty(plane.shape[1], np.float32)
    for y in range(start, stop):
        _down(plane, rows[y], down[y], line)
        _across(line, columns, across, made[y])


@compiled()
def resize_rgb(
    start: int,
    stop: int,
    frame: NDArray[Any],
    rows: Int64,
    down: Float32,
    columns: Int64,
    across: Float32,
    made: Float32,
) -> None:
    """Rows ``start`` to ``stop`` of a frame at another size, into planes ``made`` (3, h, w)."""
    line = np.empty(frame.shape[1], np.float32)
    for y in range(start, stop):
        _down(frame, rows[y], down[y], line)
        _across_rgb(line, columns, across, made[:, y])


@compiled()
def to_luma(
    start: int,
    stop: int,
    frame: NDArray[Any],
    rows: Int64,
    down: Float32,
    columns: Int64,
    across: Float32,
    cells: Int64,
    in_cells: Float32,
    weights: Float32,
    luma: Float32,
    colours: Float32,
) -> None:
    """Rows of cells ``start`` to ``stop`` of a frame at another size.

    Luma is made before the rows are filtered, a third of the work; colours are only summed.

    Args:
        cells, in_cells: like ``columns`` and ``across``: sums over the columns of each cell.
        weights: (3,) of R, G and B in luma.
        luma: (h, w) out.
        colours: (3, h / patch, w / patch) out: sums over the cells.
    """
    line, total = np.empty(frame.shape[1], np.float32), np.empty(frame.shape[1], np.float32)
    one, patch = np.empty(frame.shape[1] // 3, np.float32), luma.shape[0] // colours.shape[1]
    for cell in range(start, stop):
        total[:] = 0
        for y in range(cell * patch, (cell + 1) * patch):
            _down(frame, rows[y], down[y], line)
            _luma(line, weights, one)
            _across(one, columns, across, luma[y])
            _add(line, np.float32(1), total)
        _across_rgb(total, cells, in_cells, colours[:, cell])
