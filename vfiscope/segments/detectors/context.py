"""What several video detectors ask of a run, computed once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.columns import Column, Columns
from vfiscope.types import Float64

__all__ = ["Context", "context_of", "medians", "shifted"]

MAX_VIDEO_STEP_S = 1.0
"""Longest usual step of a video; photos that are further apart are a time-lapse."""


@dataclass(frozen=True, eq=False)
class Context:
    """The columns of a run of N frames as detectors of videos look at them."""

    columns: Columns

    @cached_property
    def is_video(self) -> bool:
        """False for photos of a time-lapse, whose neighbours need not be alike."""
        times = self.columns.frames.time_s
        return len(times) > 1 and 0 < float(np.median(np.diff(times))) <= MAX_VIDEO_STEP_S

    def signal(self, name: str) -> Float64:
        """(N,) a signal, NaN where not defined.

        Raises:
            KeyError: the run does not hold it; a detector names what it needs.
        """
        column: Float64 = self.columns.share(
            f"float64 {name}", lambda: np.asarray(self.columns.signals[name], np.float64)
        )
        return column


def context_of(columns: Columns) -> Context:
    """That of these columns, made at the first call."""
    return columns.share("context", lambda: Context(columns))


def medians(
    values: Column, offsets: Sequence[int] | range, rows: NDArray[np.intp] | None = None
) -> Float64:
    """(N,) the median of the values at these offsets from each row, without those that are NaN or
    lie outside; NaN where none is left. Only of some ``rows``: (M,)."""
    count, reach = len(values), max(map(abs, offsets))
    padded = np.full(count + 2 * reach, np.nan)
    padded[reach : reach + count] = values
    columns = [padded[reach + offset : reach + offset + count] for offset in offsets]
    if rows is not None:
        columns = [column[rows] for column in columns]
    known = np.zeros(len(columns[0]), np.intp)
    for column in columns:
        known += np.isfinite(column)
    ordered = _ordered([np.where(np.isfinite(column), column, np.inf) for column in columns])
    each = np.arange(len(known))
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(columns) - 1)
    middle = np.where(known > 0, ordered[low, each] + ordered[high, each], np.nan)
    return np.asarray(middle / 2, np.float64)


def _ordered(columns: list[Float64]) -> Float64:
    """(M, N) the values of each row of M columns in order, by Batcher's network of exchanges
    (1968): each exchange works on whole columns, many times quicker than sorting short rows."""
    size, apart = len(columns), 1
    while apart < size:
        step = apart
        while step:
            for first in range(step % apart, size - step, 2 * step):
                for one in range(first, min(first + step, size - step)):
                    if one // (2 * apart) == (one + step) // (2 * apart):
                        pair = columns[one], columns[one + step]
                        columns[one], columns[one + step] = np.minimum(*pair), np.maximum(*pair)
            step //= 2
        apart *= 2
    return np.stack(columns)


def shifted(values: Column | NDArray[np.bool_], by: int) -> Float64:
    """(N,) the values ``by`` rows further on, 0 outside."""
    reach = abs(by)
    padded = np.zeros(len(values) + 2 * reach)
    padded[reach : reach + len(values)] = values
    return padded[reach + by : reach + by + len(values)]
