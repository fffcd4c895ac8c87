"""The noise between two planes where nothing changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.steps import Mask
from vfiscope.types import Uint8

__all__ = ["noise_level"]

NOISE_RANGES = (4, 8)
"""Codes around a pixel that is neither clipped nor at an edge."""
NOISE_SHARE = 0.8
LAPLACE_RATIO = float(np.log(1 / (1 - NOISE_SHARE)) / np.log(2))
"""Of the 80 % quantile to the median where absolute values fall off exponentially."""
ROUNDING_CODES = 0.5
FEWEST_NOISE_PIXELS = 100
MAX_NOISE_CODES = 8.0
"""In drawings only the rims of changes themselves lie in these ranges."""


def noise_level(raw: Uint8, spread: Uint8, valid: Mask) -> float:
    """Codes that 80 % of the differences in nearly flat parts stay below, at most 8.

    Compression leaves differences that fall off about exponentially. Where the 80 % quantile lies
    higher than that shape allows for the median, more than a fifth of these parts have changed: in
    drawings, nearly flat parts are only found beside edges. What the median allows is then taken.

    Args:
        raw: (H, W) absolute differences.
        spread: (H, W) the range of codes around each pixel.
        valid: (H, W) pixels to look at.
    """
    pick = np.s_[::2, ::2]
    raw, spread, valid = raw[pick], spread[pick], valid[pick]
    low, high = NOISE_RANGES
    among = valid & (spread >= low) & (spread <= high)
    if np.count_nonzero(among) < FEWEST_NOISE_PIXELS:
        if not valid.any():
            return 0.0
        among = valid & (spread <= np.median(spread[valid]))
    counts = np.bincount(raw[among], minlength=256)
    shape = LAPLACE_RATIO * _quantile(counts, 0.5) + ROUNDING_CODES
    return min(MAX_NOISE_CODES, shape, _quantile(counts, NOISE_SHARE))


def _quantile(counts: NDArray[np.int64], share: float) -> float:
    """A quantile of whole codes, each of which stands for half a code on both sides."""
    passed = np.cumsum(counts)
    return float(np.interp(share * passed[-1], [0, *passed], np.arange(257) - 0.5).clip(0))
