"""Cuts between the two real frames around a test frame.

A cut is detected on luma at a small size of its own, by three signs that must hold together,
because each has other causes too: a flash changes brightness, fast motion defeats flow.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vfiscope.metrics.interpolation.flow import (
    MIN_FLOW_SIDE_PX,
    estimate,
    fetch,
    luma,
    neighbours,
    row_by_row,
    visible,
    working_size,
)
from vfiscope.types import Float32, Neighbours, Pairs

__all__ = ["is_cut"]


CUT_SIDE = 144
"""Largest short side in pixels of the frames on which cuts are detected."""
HISTOGRAM_BINS = 32
CUT_HISTOGRAM = 0.08
"""Least share of the pixels that change their luma bin at a cut."""
CUT_AGREEMENT = 0.6
"""Greatest share of the pixels that are visible in the other frame by their flow at a cut."""
CUT_CORRELATION = 0.75
"""Greatest correlation at a cut of one frame with the other fetched along the flow."""


def is_cut(pairs: Pairs) -> NDArray[np.bool_]:
    """Rows whose frames before and after are unrelated: their brightness distributions differ, flow
    finds the content of neither in the other, and what it does find looks different.

    Returns:
        (N,) bool; False where the frames are too small for flow.

    Raises:
        UsageError: the pairs have no neighbouring frames.
    """
    around = neighbours(pairs)

    def compute() -> NDArray[np.bool_]:
        return np.array(row_by_row(lambda row: _unrelated(around, row), len(pairs)), bool)

    return pairs.share("is_cut", compute)


def _unrelated(around: Neighbours, row: int) -> bool:
    if min(around.before.size) < MIN_FLOW_SIDE_PX:
        return False
    size = working_size(*around.before.size, CUT_SIDE)
    before, after = luma(around.before, row, size), luma(around.after, row, size)
    counts = [np.histogram(plane, HISTOGRAM_BINS, (0, 256))[0] for plane in (before, after)]
    if np.abs(counts[0] - counts[1]).sum() <= 2 * CUT_HISTOGRAM * before.size:
        return False
    forth, back = estimate(before, after), estimate(after, before)
    agreement = (visible(forth, back).mean() + visible(back, forth).mean()) / 2
    alike = min(_correlation(before, fetch(after, forth)), _correlation(after, fetch(before, back)))
    return bool(agreement < CUT_AGREEMENT and alike < CUT_CORRELATION)


def _correlation(plane: Float32, other: Float32) -> float:
    """Pearson's correlation; 0 where one of the two is flat."""
    one, two = (each.astype(np.float64) - each.mean(dtype=np.float64) for each in (plane, other))
    scale = math.sqrt(float((one * one).sum()) * float((two * two).sum()))
    return float((one * two).sum()) / scale if scale > 0 else 0.0
