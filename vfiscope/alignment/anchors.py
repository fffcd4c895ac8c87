"""Anchors: test frames whose place in the source is certain, and lines through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vfiscope.alignment.lattice import Side
from vfiscope.alignment.monotone_path import MIN_NOISE_MSE, MSE_UNRELATED, distances
from vfiscope.types import Int64

__all__ = ["Anchors", "Line", "find_anchors"]

MAX_ANCHOR_FRAMES, MIN_ELSEWHERE_FRAMES = 96, 3
"""Test frames that are compared with the whole source, and the distance in source frames beyond
which a resemblance counts as elsewhere."""
MAX_CLEAR_RATIO = 0.25
"""Share of the least difference elsewhere below which the place of an anchor is certain."""


class Line(NamedTuple):
    """Source position of test frame i: ``start + slope * i``, with an error for each term."""

    slope: float
    start: float
    slope_error: float
    start_error: float

    def overlap(self, n: int, m: int) -> float:
        """Test frames of n that lie within m source frames."""
        end = min(float(m), self.start + self.slope * n)
        return min(max(0.0, end - max(0.0, self.start)) / max(self.slope, 1e-9), n)


@dataclass(frozen=True, eq=False)
class Anchors:
    """Test rows and the source row of each."""

    rows: Int64
    places: Int64

    def line(self) -> Line | None:
        """The Theil-Sen line through them; None where there are too few of them."""
        rows, places = self.rows, self.places
        if len(rows) < 3 or np.ptp(rows) < 2:
            return None
        i, j = np.triu_indices(len(rows), 1)
        span = rows[j] - rows[i]
        long = span >= np.ptp(rows) / 2
        return self.through(float(np.median((places[j] - places[i])[long] / span[long])))

    def through(self, slope: float) -> Line:
        """The line of this slope through most of three or more of them."""
        starts = self.places - slope * self.rows
        start = float(np.median(starts))
        spread = 1.0 + 2.0 * float(np.median(np.abs(starts - start)))
        return Line(slope, start, 2.0 * spread / float(np.ptp(self.rows)), spread)


def find_anchors(test: Side, source: Side) -> Anchors | None:
    """Those among some test frames; None if none of these resembles any source frame."""
    rows = np.flatnonzero(~test.blank)
    rows = rows[:: max(1, len(rows) // MAX_ANCHOR_FRAMES)]
    table = distances(
        test.signatures[rows], source.signatures, np.zeros(len(rows), np.int64), len(source.index)
    )
    table[:, source.blank] = np.inf
    if not (table < MSE_UNRELATED).any():
        return None
    best = table.argmin(axis=1)
    own = table.min(axis=1)
    away = np.abs(np.arange(table.shape[1]) - best[:, None]) > MIN_ELSEWHERE_FRAMES
    elsewhere = np.where(away, table, np.inf).min(axis=1)
    sure = (own < MSE_UNRELATED) & (own + MIN_NOISE_MSE < MAX_CLEAR_RATIO * elsewhere)
    return Anchors(rows[sure], best[sure])
