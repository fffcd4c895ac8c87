"""What several video detectors ask of a run, computed once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vfiscope.jit import compiled, in_bands
from vfiscope.segments.columns import Column, Columns
from vfiscope.types import Float64

__all__ = ["BAND_ROWS", "Context", "context_of", "highest_near", "medians", "shifted"]

MAX_VIDEO_STEP_S = 1.0
"""Longest usual step of a video; photos that are further apart are a time-lapse."""

BAND_ROWS = 256
"""As many rows as stay in the cache of a core."""
ROWS_FOR_ALL_CORES = 20_000
"""Rows from which on handing them to other threads takes less than their medians."""


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
    count, near = len(values), np.array(offsets, np.int64)
    if rows is None:
        reach = int(np.abs(near).max())
        padded, near = np.empty(count + 2 * reach), near + reach
        padded[:reach] = padded[reach + count :] = np.nan
        padded[reach : reach + count] = values
    else:
        places = near[:, None] + rows
        chosen = np.asarray(values, np.float64)[places.clip(0, max(0, count - 1))]
        chosen[(places < 0) | (places >= count)] = np.nan
        padded, near = chosen.ravel(), np.arange(len(near)) * len(rows)
    found = np.empty(count if rows is None else len(rows))
    wanted = padded, near, *_exchanges(len(offsets)), found
    if len(found) < ROWS_FOR_ALL_CORES:
        ordered_middles(0, len(found), *wanted)
    else:
        in_bands(ordered_middles, len(found), *wanted)
    return found


def highest_near(values: Float64, before: int, after: int) -> Float64:
    """(N,) the highest value from so many rows before each one to so many after it, none of them
    NaN; beyond the ends values are mirrored, as by scipy, whose import would take a tenth of the
    start of a run."""
    if not len(values):
        return values
    padded = np.pad(values, (before, after), mode="symmetric")
    return np.asarray(sliding_window_view(padded, before + 1 + after).max(axis=1), np.float64)


@lru_cache(maxsize=64)
def _exchanges(size: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(E, 2) the pairs of so many values that bring these in order, if each pair in turn is put in
    order: Batcher's network (1968); and (E,) those that the values in the middle depend on."""
    pairs, apart = [], 1
    while apart < size:
        step = apart
        while step:
            for first in range(step % apart, size - step, 2 * step):
                for one in range(first, min(first + step, size - step)):
                    if one // (2 * apart) == (one + step) // (2 * apart):
                        pairs.append((one, one + step))
            step //= 2
        apart *= 2
    asked, needed = {(size - 1) // 2, size // 2}, np.zeros(len(pairs), np.bool_)
    for place in reversed(range(len(pairs))):
        if not asked.isdisjoint(pairs[place]):
            needed[place] = True
            asked.update(pairs[place])
    return np.array(pairs, np.int64).reshape(-1, 2), needed


@compiled()
def ordered_middles(
    first: int, stop: int, padded: Any, near: Any, exchanges: Any, needed: Any, found: Any
) -> None:
    """Medians of short windows: an exchange works on a band of rows at once, many times quicker
    than sorting them one by one.

    Args:
        first: the first row, and
        stop: the one behind the last.
        padded: (N,) float64, long enough for all places.
        near: (W,) places of the window of the first row.
        exchanges: (E, 2) and
        needed: (E,) see :func:`_exchanges`.
        found: (M,) float64, filled; NaN where nothing is finite.
    """
    size = near.shape[0]
    band, known = np.empty((size, BAND_ROWS)), np.empty(BAND_ROWS)
    for start in range(first, stop, BAND_ROWS):
        count = min(BAND_ROWS, stop - start)
        for x in range(count):
            known[x] = 0.0
        for i in range(size):
            line, place = band[i], start + near[i]
            for x in range(count):
                value = padded[place + x]
                is_known = abs(value) < np.inf
                line[x] = value if is_known else np.inf
                known[x] += 1.0 if is_known else 0.0
        least = float(size)
        for x in range(count):
            least = min(least, known[x])
        for i in range(exchanges.shape[0]):
            if needed[i] or least < size:
                low, high = band[exchanges[i, 0]], band[exchanges[i, 1]]
                for x in range(count):
                    one, other = low[x], high[x]
                    low[x], high[x] = min(one, other), max(one, other)
        for x in range(count):
            last = int(known[x])
            middle = band[max(last - 1, 0) // 2, x] + band[min(last // 2, size - 1), x]
            found[start + x] = middle / 2 if last else np.nan


def shifted(values: Column | NDArray[np.bool_], by: int) -> Float64:
    """(N,) the values ``by`` rows further on, 0 outside."""
    reach = abs(by)
    padded = np.zeros(len(values) + 2 * reach)
    padded[reach : reach + len(values)] = values
    return padded[reach + by : reach + by + len(values)]
