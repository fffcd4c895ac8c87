"""A hint from scores alone at frames that were passed through: they are better in regular cycles.

It is only a hint: the better an interpolation method is, the less the originals stand out. No
decision may rest on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float64

__all__ = ["find_passthrough"]

PASSTHROUGH_CYCLES = range(2, 9)
MIN_PASSTHROUGH_CYCLES = 4
"""Whole cycles that a clip must hold: fewer do not show regularity."""
MAX_BADNESS_RATIO = 0.25
"""Greatest badness of a supposed original, as a share of that of its neighbours."""
MIN_BETTER_SHARE = 0.9
"""Share of the predicted originals that must be that much better."""


def find_passthrough(badness: Float64) -> tuple[int, int] | None:
    """The cycle in which frames are better than both of their neighbours.

    A frame that was passed through is as good as its encoding; a synthesised one is worse. With a
    multiplier of m every m-th frame is better. Multiples of m fit as well, so the smallest is
    returned.

    Args:
        badness: (N,) 0 for a perfect frame, more for a worse one, as a mean squared error; NaN
            where unknown.

    Returns:
        Multiplier (2 to 8) and the first passed row; None where no such cycle is found.
    """
    values = np.asarray(badness, np.float64)
    beside = np.fmin(np.r_[np.nan, values[:-1]], np.r_[values[1:], np.nan])
    known = np.isfinite(values) & np.isfinite(beside)
    better = known & (values < MAX_BADNESS_RATIO * beside)
    for multiplier in PASSTHROUGH_CYCLES:
        if known.sum() < MIN_PASSTHROUGH_CYCLES * multiplier:
            return None
        shares = [_share(better, known, first, multiplier) for first in range(multiplier)]
        first = int(np.argmax(shares))
        others = np.delete(shares, first)
        if shares[first] >= MIN_BETTER_SHARE and others.max() <= 1 - MIN_BETTER_SHARE:
            return multiplier, first
    return None


def _share(
    better: NDArray[np.bool_], known: NDArray[np.bool_], first: int, multiplier: int
) -> float:
    """Share of the known rows at one place in the cycle that are better than both neighbours."""
    rows = known[first::multiplier]
    return float(better[first::multiplier][rows].mean()) if rows.any() else 0.0
