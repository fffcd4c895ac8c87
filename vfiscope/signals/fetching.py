"""Planes sampled along a flow: bilinear, the border repeated."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import FUSED, compiled
from vfiscope.types import Float32, Uint8

__all__ = ["fetched_along"]

FIRST_PLACE = np.float32(0)
NOT_OFF = np.zeros(2, np.float32)


def fetched_along(
    plane: Uint8, flow: Float32, times: float = 1.0, off: Float32 | None = None
) -> Float32:
    """A plane (h, w), at least 2 x 2, sampled where a multiple of a flow (h, w, 2), less ``off``
    (2,) px, points."""
    made = np.empty(plane.shape, np.float32)
    rows = flow.reshape(len(flow), -1)
    fetch_along(plane, rows, np.float32(times), NOT_OFF if off is None else off, made)
    return made


@compiled(FUSED)
def fetch_along(plane: Any, flow: Any, times: Any, off: Any, made: Any) -> None:
    """Fill (h, w) float32 with (h, w) uint8, sampled along a flow given as (h, 2 w)."""
    height, width = plane.shape
    codes, at, parts = workspace(plane)
    right, low = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        row = flow[y]
        for x in range(width):
            across = row[2 * x] * times + np.float32(x) - off[0]
            down = row[2 * x + 1] * times + np.float32(y) - off[1]
            parts[0, x] = min(max(across, FIRST_PLACE), right)
            parts[1, x] = min(max(down, FIRST_PLACE), low)
        fetch_row(codes, at, parts, height, made[y])


@compiled(inner=True)
def workspace(plane: Any) -> Any:
    """The values of a plane one after the other, as float32, and memory for the places of a row."""
    codes = np.empty(plane.shape, np.float32)
    for y in range(plane.shape[0]):
        row, wide = plane[y], codes[y]
        for x in range(plane.shape[1]):
            wide[x] = np.float32(row[x])
    width = plane.shape[1]
    return codes.reshape(-1), np.empty(width, np.int32), np.empty((2, width), np.float32)


@compiled(FUSED, inner=True)
def fetch_row(codes: Any, at: Any, parts: Any, height: int, made: Any) -> None:
    """Fill (w,) float32.

    Where in memory each place is comes first, in vector operations; then single values are fetched.

    Args:
        codes: (h * w,) float32.
        at: (w,) int32, written over.
        parts: (2, w) float32, x and y of the places, within the plane; written over.
        height: of the plane.
        made: filled.
    """
    width = made.shape[0]
    for x in range(width):
        column = min(np.int32(parts[0, x]), np.int32(width - 2))
        row = min(np.int32(parts[1, x]), np.int32(height - 2))
        at[x] = row * np.int32(width) + column
        parts[0, x] -= np.float32(column)
        parts[1, x] -= np.float32(row)
    for x in range(width):
        here = np.uint64(at[x])
        below = here + np.uint64(width)
        left, under = codes[here], codes[below]
        right, aslant = codes[here + np.uint64(1)], codes[below + np.uint64(1)]
        top = left + parts[0, x] * (right - left)
        bottom = under + parts[0, x] * (aslant - under)
        made[x] = top + parts[1, x] * (bottom - top)
