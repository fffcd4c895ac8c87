"""Test frames out of order: a map is monotone, so frames that come in another order than in the
reference have no partner, although the reference holds what they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vfiscope.alignment.monotone_path import MAX_NOISE_MSE, MSE_ALWAYS_ALIKE, noise_of
from vfiscope.alignment.residuals import Residuals, SignatureRows
from vfiscope.types import Int64, Pairing

__all__ = ["displaced_rows", "resembling_rows", "with_displaced"]

Bool = NDArray[np.bool_]

MAX_PARTNER_NOISE = 2.0
"""Residual of a frame from the one that it shows, in parts of that of most partners, at most: one
partner in a few has more than most."""
MIN_TIMES_BETTER = 2.0
"""By how many times it is nearer to that frame than to all that would be in order: where frames
stand still, all are alike."""


def displaced_rows(table: Residuals, path: Int64, matched: Bool) -> dict[int, int]:
    """The test rows without partner that show a reference frame out of order: {test row: reference
    row}, in order.

    Args:
        table: residuals; frames outside of its band are not looked at.
        path: (N,) reference rows, -1 where unmatched.
        matched: (N,) bool, the rows with a partner.
    """
    limit = MAX_PARTNER_NOISE * noise_of(table.residuals, matched) + MSE_ALWAYS_ALIKE
    before, after = _in_order(path, matched, table.count)
    found = {}
    for row in np.flatnonzero(~matched).tolist():
        own = table.residuals[row]
        shown, columns = int(own.argmin()), table.low[row] + np.arange(len(own))
        fits_in = (columns >= before[row]) & (columns <= after[row])
        in_order = float(own[fits_in].min(initial=np.inf))
        clear = MIN_TIMES_BETTER * (own[shown] + MSE_ALWAYS_ALIKE) < in_order + MSE_ALWAYS_ALIKE
        if own[shown] <= limit and clear and not fits_in[shown]:
            found[row] = int(columns[shown])
    return found


def resembling_rows(table: Residuals) -> dict[int, int]:
    """The test rows that resemble some reference frame as closely as a codec leaves it: {test row:
    reference row}, in order."""
    nearest = table.residuals.argmin(axis=1)
    rows = np.flatnonzero(table.residuals.min(axis=1) <= MAX_NOISE_MSE)
    return {int(row): int(table.low[row] + nearest[row]) for row in rows}


def with_displaced(
    pairing: Pairing, test: SignatureRows, ref: SignatureRows, rows: dict[int, int]
) -> Pairing:
    """A map with the test rows that are out of order; what these show is not dropped."""
    if not rows:
        return pairing
    displaced = tuple((int(test.index[row]), int(ref.index[shown])) for row, shown in rows.items())
    missing = np.zeros(len(ref) + 1, bool)
    for start, stop in pairing.dropped:
        missing[:-1] |= (ref.index >= start) & (ref.index < stop)
    missing[list(rows.values())] = False
    return replace(pairing, displaced=displaced, dropped=tuple(_ranges(ref.index, missing)))


def _ranges(index: Int64, missing: Bool) -> Iterator[tuple[int, int]]:
    """The half-open ranges of ordinals of the missing rows; the last row never is."""
    edges = np.flatnonzero(np.diff(missing, prepend=False))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        yield int(index[first]), int(index[stop])


def _in_order(path: Int64, matched: Bool, count: int) -> tuple[Int64, Int64]:
    """(N,) the first and the last reference row that would be in order at each test row: the
    partners of the matched rows before and after it."""
    before = np.maximum.accumulate(np.where(matched, path, 0))
    after = np.minimum.accumulate(np.where(matched, path, count - 1)[::-1])[::-1]
    return before, np.asarray(after, np.int64)
