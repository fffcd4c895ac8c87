"""Signatures: small thumbnails that identify a frame after recompression, resizing or a change of
brightness."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import REORDERED, compiled
from vfiscope.pixels import LUMA_WEIGHTS, eight_bit_scale
from vfiscope.types import Float32, Frames
from vfiscope.types.batch import to_numpy

__all__ = ["COARSE_GRID", "FINE_GRID", "signatures"]

COARSE_GRID = (18, 32)
"""Rows and columns of the signature of every frame: 2.3 kB."""
FINE_GRID = (144, 256)
"""Rows and columns of the finer signature that tells neighbouring frames apart."""
MIN_SIGNATURE_CONTRAST = 12.0
"""Contrast in 8-bit code values below which a frame is not stretched: noise must not be taken for
content."""


def signatures(frames: Frames, grid: tuple[int, int], *, stride: int = 1) -> Float32:
    """Luma averaged over a grid of cells, less its mean, over its standard deviation.

    Args:
        frames: N frames on the CPU.
        grid: rows and columns; fewer where a frame has fewer pixels.
        stride: use every ``stride``-th pixel across and down.

    Returns:
        (N, rows * columns) float32 of mean 0 and variance 1; less variance where a frame is nearly
        flat.
    """
    data = to_numpy(frames.data)[:, :, ::stride, ::stride]
    rows, columns = (min(limit, size) for limit, size in zip(grid, data.shape[2:], strict=True))
    cells = np.stack([_cells(frame, rows, columns) for frame in data])
    cells *= eight_bit_scale(frames.bit_depth)
    cells -= cells.mean(axis=1, keepdims=True)
    cells /= np.maximum(cells.std(axis=1, keepdims=True), MIN_SIGNATURE_CONTRAST)
    return cells.astype(np.float32)


@compiled(REORDERED)
def _cells(frame: Any, rows: int, columns: int) -> Any:
    """(rows * columns,) float64 mean luma of the cells of a (3, H, W) frame; cells are cut at whole
    pixels."""
    height, width = frame.shape[1], frame.shape[2]
    out = np.empty((rows, columns))
    edges = np.empty(columns + 1, np.int64)
    for column in range(columns + 1):
        edges[column] = column * width // columns
    for row in range(rows):
        top, bottom = row * height // rows, (row + 1) * height // rows
        sums = np.zeros((columns, 3), np.int64)
        for y in range(top, bottom):  # rows as they lie in memory, which is read quickly in order
            for column in range(columns):
                red, green, blue = 0, 0, 0
                for x in range(edges[column], edges[column + 1]):
                    red += frame[0, y, x]
                    green += frame[1, y, x]
                    blue += frame[2, y, x]
                sums[column, 0] += red
                sums[column, 1] += green
                sums[column, 2] += blue
        for column in range(columns):
            red, green, blue = sums[column]
            total = LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[1] * green + LUMA_WEIGHTS[2] * blue
            out[row, column] = total / ((bottom - top) * (edges[column + 1] - edges[column]))
    return out.ravel()
