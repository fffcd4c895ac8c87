"""How severe a change is, 1 to 5."""

from __future__ import annotations

import math

from vfiscope.types import Region

__all__ = ["severity_of", "times_threshold", "weight"]

AREA_STEPS = (0.01, 0.02, 0.05, 0.10)
"""Shares of the frame (FrameShift 3's)."""
PEAK_STEPS = (3.0, 6.0)
"""Multiples of the threshold: clearly above it, and far above it."""


def times_threshold(peak: float, level: float) -> float:
    """How many times the threshold a peak is; NaN where the threshold is no number to compare
    with."""
    return peak / level if math.isfinite(level) and level > 0 else math.nan


def severity_of(share: float, times: float) -> int:
    """1 for any change, one more for each of 1, 2, 5 and 10 % of the frame that it exceeds, and for
    each of 3 and 6 times the threshold that its peak reaches; at most 5.

    Args:
        share: area over that of the frame, 0..1.
        times: peak over threshold, both in the unit of the map; NaN does not count.
    """
    steps = sum(share > step for step in AREA_STEPS) + sum(times >= step for step in PEAK_STEPS)
    return min(5, 1 + steps)


def weight(region: Region) -> tuple[float, float]:
    """What counts where the most severe region comes first: of one severity, the largest."""
    return region.severity, region.area
