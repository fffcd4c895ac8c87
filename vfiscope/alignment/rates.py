"""The rate of a map: reference frames per test frame, and how evenly a path keeps to it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from vfiscope.types import Float64, Int64

__all__ = ["KNOWN_RATES", "cadence_around", "filled", "slope_of", "steadiness"]

CADENCE_REACH_ROWS = 12
"""Rows to either side of a row from which the cadence around it is estimated."""
KNOWN_RATES = (
    *(
        Fraction(*rate)
        for rate in ((1, 1), (1, 2), (2, 1), (24, 25), (25, 24), (4, 5), (5, 4), (5, 6), (6, 5))
    ),
    *(
        Fraction(*rate)
        for rate in ((2, 5), (5, 2), (1, 3), (3, 1), (1, 4), (4, 1), (12, 25), (25, 12), (5, 12))
    ),
    *(
        Fraction(*rate)
        for rate in ((12, 5), (2, 3), (3, 2), (3, 4), (4, 3), (1000, 1001), (1001, 1000))
    ),
)
"""Common ratios of frame rates in conversions, as reference frames per test frame."""


def slope_of(path: Int64) -> tuple[float, float]:
    """Reference rows per test row, as the median over spans of half the clip, and its error."""
    rows = np.flatnonzero(path >= 0)
    half = len(rows) // 2
    if half < 2:
        return 1.0, 0.0
    slopes = (path[rows[half:]] - path[rows[:-half]]) / (rows[half:] - rows[:-half])
    return float(np.median(slopes)), 3.0 / half


def steadiness(path: Int64, rate: Fraction) -> float:
    """Share of rows that keep to the cadence of a rate around them, averaged over the clip."""
    return float(cadence_around(path, rate)[1].mean()) if (path >= 0).any() else 0.0


def cadence_around(path: Int64, rate: Fraction) -> tuple[Float64, Float64]:
    """(N,) the partner that the even cadence around each row predicts, and the share of the rows
    around it that keep to that cadence."""
    even = float(rate) * np.arange(len(path))
    lead = np.pad(filled(path) - even, CADENCE_REACH_ROWS, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(lead, 2 * CADENCE_REACH_ROWS + 1)
    usual = np.nanmedian(around, axis=1)
    keeping = (np.abs(around - usual[:, None]) <= 1.0).sum(axis=1)
    return even + usual, keeping / np.isfinite(around).sum(axis=1)


def filled(path: Int64) -> Int64:
    """The path with each unmatched row at the last partner before it, or else at the first one."""
    known = np.flatnonzero(path >= 0)
    place = np.searchsorted(known, np.arange(len(path)), side="right") - 1
    return path[known[np.maximum(place, 0)]]
