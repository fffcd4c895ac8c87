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
    known, rows = wrong.copy(), np.flatnonzero(judged)
    places = np.flatnonzero(odd[rows] & ~wrong[rows])
    for step, order in ((-1, places), (1, places[::-1])):
        for place in order.tolist():
            if 0 <= place + step < len(rows):
                row, beside = rows[place], rows[place + step]
                known[row] |= known[beside] and off[row] >= MIN_STILL_OFF * off[beside] > 0
    return np.asarray(odd & known & (~wrong | clear))
