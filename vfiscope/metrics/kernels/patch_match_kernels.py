"""Matching of patches (:mod:`vfiscope.metrics.patches`) on the CPU: loops compiled by numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import compiled, in_bands
from vfiscope.types import Float32, Int64

__all__ = ["nearest"]


SEARCH_COLUMNS = 64
"""Columns that are searched together, row by row, in memory order."""


@compiled(inner=True)
def _apart(one: int, other: int, columns: int) -> Any:
    """Squared distance of two patches."""
    down, across = one // columns - other // columns, one % columns - other % columns
    return down * down + across * across


def nearest(
    similarity: Float32, row_floor: Float32, column_floor: Float32, columns: int
) -> tuple[Int64, Int64]:
    """For each row, of the similarities at or above its floor, the one nearest to the row's own
    patch; likewise for each column.

    Args:
        similarity: (P, P) of test and reference patches in reading order.
        row_floor: (P,) least similarity in each row that counts as its best.
        column_floor: (P,) the same for each column.
        columns: patches in a row of the frame.

    Returns:
        For each row its column and for each column its row, two (P,); the first of equally near
        ones.
    """
    n = len(similarity)
    forward, backward = np.zeros(n, np.int64), np.zeros(n, np.int64)
    in_bands(_by_row, n, similarity, row_floor, columns, forward)
    in_bands(
        _by_column,
        (n + SEARCH_COLUMNS - 1) // SEARCH_COLUMNS,
        similarity,
        column_floor,
        columns,
        backward,
    )
    return forward, backward


@compiled()
def _by_row(
    start: int, stop: int, similarity: Float32, floor: Float32, columns: int, best: Int64
) -> None:
    n = len(similarity)
    for row in range(start, stop):
        least = n * n
        for column in range(n):
            if similarity[row, column] >= floor[row] and _apart(row, column, columns) < least:
                least, best[row] = _apart(row, column, columns), column


@compiled()
def _by_column(
    start: int, stop: int, similarity: Float32, floor: Float32, columns: int, best: Int64
) -> None:
    n, nearest_yet = len(similarity), np.empty(SEARCH_COLUMNS, np.int64)
    for block in range(start, stop):
        first, end = block * SEARCH_COLUMNS, min(n, block * SEARCH_COLUMNS + SEARCH_COLUMNS)
        for column in range(end - first):
            nearest_yet[column] = n * n
        for row in range(n):
            for column in range(first, end):
                if similarity[row, column] >= floor[column]:
                    apart = _apart(row, column, columns)
                    if apart < nearest_yet[column - first]:
                        nearest_yet[column - first], best[column] = apart, row
