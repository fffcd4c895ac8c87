"""Thresholds from the largest values of normal frames."""

from __future__ import annotations

import math

import numpy as np

from vfiscope.regions.settings import Sensitivity
from vfiscope.types import Float32

__all__ = ["FLAGGED_NORMAL", "level_above"]

FLAGGED_NORMAL = {"low": 1e-3, "medium": 1e-2, "high": 5e-2}
"""Part of normal frames that a threshold may flag."""
EULER = 0.5772156649


def level_above(maxima: Float32, sensitivity: Sensitivity) -> float:
    """The level that the largest value of another normal frame exceeds with a small probability,
    and that of none of these does.

    The largest of many values has an extreme-value distribution; that of type I (Gumbel) is fitted
    by its moments, and the level is its quantile, but not less than the largest value seen.

    Args:
        maxima: (n,) the largest value of each normal frame, as of a frame that the model has not
            seen.
        sensitivity: chooses the probability, :data:`FLAGGED_NORMAL`.
    """
    values = maxima.astype(np.float64)
    scale = float(values.std(ddof=1)) * math.sqrt(6) / math.pi if len(values) > 1 else 0.0
    within = -math.log1p(-FLAGGED_NORMAL[sensitivity])
    return max(float(values.mean()) - EULER * scale - scale * math.log(within), float(values.max()))
