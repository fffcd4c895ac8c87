"""A threshold from the bulk of the map itself, which may say that nothing changed."""

from __future__ import annotations

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.regions.steps import Cut, Difference
from vfiscope.regions.threshold import above

__all__ = ["above_bulk"]


def above_bulk(difference: Difference, *, least: float, deviations: float = 12.0) -> Cut:
    """The median of the map plus some robust standard deviations, and not less than a floor.

    Most of the frame is taken as unchanged: its values are what compression, light and small shifts
    make of equal things. Distances of features have a longer tail than a normal distribution, so
    the deviations are many. Strong noise where a part of the frame is saturated exceeds it: that
    part has none.

    Args:
        difference: the map; its cells where it has any, else the pixels that can be decided.
        least: the floor, in the unit of the map.
        deviations: standard deviations, from the median absolute deviation.
    """
    values = difference.cells
    values = difference.values[difference.valid] if values is None else values
    if not values.size:
        return above(difference, float("inf"))
    middle = float(np.median(values))
    spread = SIGMA_OF_MAD * float(np.median(np.abs(values - middle)))
    return above(difference, max(least, middle + deviations * spread))
