"""What several video detectors ask of a run, computed once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.columns import Column, Columns
from vfiscope.types import Float64

__all__ = ["Context", "chance", "context_of", "medians", "shifted"]

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


def chance(margin: float, even: float, width: float) -> float:
    """A probability for a margin: 0.5 at ``even``, and the logistic function of what it is beyond
    that, in parts of ``width``."""
    return float(1 / (1 + np.exp(-np.clip((margin - even) / width, -50, 50))))


def medians(
    values: Column, offsets: Sequence[int] | range, rows: NDArray[np.intp] | None = None
) -> Float64:
    """(N,) the median of the values at these offsets from each row, without those that are NaN or
    lie outside; NaN where none is left. Only of some ``rows``: (M,)."""
    count, reach = len(values), max(map(abs, offsets))
    padded = np.full(count + 2 * reach, np.nan)
    padded[reach : reach + count] = values
    rows = np.arange(count) if rows is None else rows
    columns = [padded[reach + offset + rows] for offset in offsets]
    ordered = np.sort(np.stack(columns, axis=1), axis=1)  # NaN comes last
    known = np.isfinite(ordered).sum(axis=1)
    each = np.arange(len(rows))
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    high = np.minimum(high, ordered.shape[1] - 1)
    return np.asarray(np.where(known > 0, (ordered[each, low] + ordered[each, high]) / 2, np.nan))


def shifted(values: Column, by: int) -> Float64:
    """(N,) the values ``by`` rows further on, 0 outside."""
    reach = abs(by)
    padded = np.zeros(len(values) + 2 * reach)
    padded[reach : reach + len(values)] = values
    return padded[reach + by : reach + by + len(values)]
