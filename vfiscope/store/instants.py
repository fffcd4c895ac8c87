"""Frames that show an instant beyond both real frames around them, as in a freeze or in a stretch
that is played backwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float64

__all__ = ["beyond_neighbours"]

MIN_STILL_OFF = 0.5
"""Displacement of such a frame, at least, in terms of that of a late or early one beside it."""

Bool = NDArray[np.bool_]


def beyond_neighbours(wrong: Bool, odd: Bool, clear: Bool, off: Float64, judged: Bool) -> Bool:
    """(N,) rows of other faults that are rather late (or early).

    Those are a late frame of foreign colours and usual light; and a faulty one beside a late one,
    or beside such a one, that is displaced the same way and not much less: the further off it is,
    the less of it can be followed, and the more of it is in neither neighbour.

    Args:
        wrong: (N,) late rows.
        odd: (N,) rows with another fault.
        clear: (N,) rows of foreign colours and usual light.
        off: (N,) how far the content of a row is displaced that way.
        judged: (N,) rows that are judged; others between them do not count.
    """
    rows = np.flatnonzero(judged)
    known, may, way = wrong[rows], (odd & ~wrong)[rows], off[rows]
    known = _passed_on(known, may, way)
    known = _passed_on(known[::-1], may[::-1], way[::-1])[::-1]
    among = wrong.copy()
    among[rows] = known
    return np.asarray(odd & among & (~wrong | clear))


def _passed_on(known: Bool, may: Bool, off: Float64) -> Bool:
    """Known rows, and those that may be behind one of them, each not much less off than the row
    before it."""
    before, order = np.append(0.0, off[:-1]), np.arange(len(off))
    linked = may & (before > 0) & (off >= MIN_STILL_OFF * before)
    last_known = np.maximum.accumulate(np.where(known, order, -1))
    last_break = np.maximum.accumulate(np.where(linked, -1, order))
    return np.asarray((last_known >= 0) & (last_known >= last_break))
