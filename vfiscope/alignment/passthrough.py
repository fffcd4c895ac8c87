"""Whether the scores of a clip hint at frames that were passed through: by how regularly they are
better.

A hint and no more: the better a method is, the less its frames stand out, so that nothing may be
decided by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float64

__all__ = ["find_passthrough"]

PASSTHROUGH_CYCLES = range(2, 9)
MIN_PASSTHROUGH_CYCLES = 4
"""Whole cycles that a clip must hold: fewer are no regularity."""
MAX_BADNESS_RATIO = 0.25
"""Part of its neighbours' badness that a frame taken for an original has at most."""
MIN_BETTER_SHARE = 0.9
"""Part of the predicted passed frames that must be so much better."""


def find_passthrough(badness: Float64) -> tuple[int, int] | None:
    """The cycle in which frames are better than both of their neighbours.

    A frame that was passed through is as good as its encoding, one that was synthesised worse. With
    a multiplier of m every m-th frame is better; the smallest m that fits is taken, and its
    multiples fit as well.

    Args:
        badness: (N,) 0 for a perfect frame, more for a worse one, as a mean squared error; NaN
            where unknown.

    Returns:
        Multiplier (2 to 8) and the first passed row; None where no such cycle is seen.
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
    """Part of the known rows of one place in the cycle that are better than both neighbours."""
    rows = known[first::multiplier]
    return float(better[first::multiplier][rows].mean()) if rows.any() else 0.0
