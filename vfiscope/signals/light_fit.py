"""The light of a frame against that of a golden frame, and what light does not explain.

Between two frames of one scene under another light, code values of a channel are, to first order,
a gain and an offset apart: a factor of the light stays one after gamma, and haze or black level
adds. Both are fitted per channel over small cells of the frame, with weights that fall to zero for
cells that do not follow (Tukey's biweight, Beaton and Tukey 1974), so that an object cannot pull
them. Clipped cells tell nothing about the light and are left out of the fit. A cell has changed
where its colour differs from the predicted one by more than noise, and by more than eight code
values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.pixels import eight_bit_scale, floats
from vfiscope.registration.ecc import likeness
from vfiscope.types import Float64

__all__ = ["LightFit", "cells_of", "fit_light"]

LIGHT_CELLS = 96
"""Cells along the longer side."""
UNCLIPPED = (4.0, 250.0)
"""Code values between which the mean of a cell tells about the light."""
MIN_LIT_CELLS = 50
"""Fewer unclipped cells tell nothing."""
MIN_LIGHT_SPREAD = 6.0
"""Standard deviation in code values below which a gain cannot be told from an offset."""
FIT_STEPS = 12
BIWEIGHT = 4.685
"""Scales beyond which a cell has no weight."""
MIN_NOISE_CODES = 0.5
"""Least scale of the noise: a cell is a mean of rounded values."""
MIN_CHANGE_CODES = 8.0
MIN_CHANGE_SCALES = 6.0
"""A changed cell differs by more than this many code values, and scales of the noise."""
MAX_CLOSER = 0.5
"""What strays from a better line, in terms of what strays from the first one."""
MIN_LIKENESS = 0.3
"""Median local correlation below which two frames show different things, whatever the light."""


class LightFit(NamedTuple):
    """What became of the golden frame's light; NaN where the frames do not show one thing."""

    gain: Float64
    """(3,) of R, G, B."""
    offset: Float64
    """(3,) code values."""
    light: Float64
    """(3,) brightness of the golden frame's unclipped cells in this light, as a part of its own."""
    changed: NDArray[np.bool_]
    """(h, w) cells that light does not explain."""


def cells_of(pixels: NDArray[Any], bit_depth: int) -> Float64:
    """(h, w, 3) mean 8-bit code values of the cells of an (H, W, 3) frame."""
    height, width = pixels.shape[:2]
    factor = min(1.0, LIGHT_CELLS / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(floats(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float64) * eight_bit_scale(bit_depth)


def fit_light(test: Float64, golden: Float64) -> LightFit | None:
    """The light of a frame; None where too little of it is neither black nor white.

    Where no light makes the two frames alike, everything has changed, and the light is NaN.

    Args:
        test: (h, w, 3) cells of the frame.
        golden: (h, w, 3) cells of the golden frame.
    """
    low, high = UNCLIPPED
    unclipped = (test > low) & (test < high) & (golden > low) & (golden < high)
    lit = np.asarray(unclipped.all(axis=2), np.bool_)
    if lit.sum() < MIN_LIT_CELLS:
        return None
    fits = np.array([_line(golden[lit, channel], test[lit, channel]) for channel in range(3)])
    gain, offset = fits.T
    predicted = np.clip(gain * golden + offset, 0.0, 255.0)
    away = np.where(golden < high, test - predicted, np.minimum(test - predicted, 0.0))
    noise = np.maximum(MIN_NOISE_CODES, SIGMA_OF_MAD * np.median(np.abs(away[lit]), axis=0))
    usual = golden[lit].mean(axis=0)
    if not _alike(test, golden, lit):
        unknown = np.full(3, np.nan)
        return LightFit(unknown, unknown, unknown, np.ones(lit.shape, bool))
    changed = np.abs(away) > np.maximum(MIN_CHANGE_CODES, MIN_CHANGE_SCALES * noise)
    return LightFit(gain, offset, (gain * usual + offset) / usual, changed.any(axis=2))


def _alike(test: Float64, golden: Float64, lit: NDArray[np.bool_]) -> bool:
    """True if (h, w, 3) cells show the same structure in small, or none: light comes from another
    side at most."""
    own, other = (np.asarray(each.mean(axis=2), np.float32) for each in (test, golden))
    return not likeness(own, other, lit) < MIN_LIKENESS


def _line(golden: Float64, test: Float64) -> tuple[float, float]:
    """Gain and offset from (K,) golden values to those of the test.

    Where many cells stray, the line that most of them share may lie elsewhere: a flat thing in
    front of a third of the frame levels the quartiles, and yet most cells keep their ratio.
    """
    line, scale = _settled(golden, test, *_start(golden, test))
    if MIN_CHANGE_SCALES * scale > MIN_CHANGE_CODES:
        other, closer = _settled(golden, test, float(np.median(test / golden)), 0.0)
        if closer < MAX_CLOSER * scale:
            return other
    return line


def _settled(
    golden: Float64, test: Float64, gain: float, offset: float
) -> tuple[tuple[float, float], float]:
    """The line to which the weights lead from a first one, and the scale of what strays."""
    for _ in range(FIT_STEPS):
        away = test - gain * golden - offset
        scale = _scale(away)
        weights = np.square(np.maximum(0.0, 1.0 - np.square(away / (BIWEIGHT * scale))))
        if weights.sum() < MIN_LIT_CELLS / 2:
            break
        gain, offset = _weighted_line(golden, test, weights)
    return (gain, offset), _scale(test - gain * golden - offset)


def _scale(away: Float64) -> float:
    return max(MIN_NOISE_CODES, SIGMA_OF_MAD * float(np.median(np.abs(away))))


def _start(golden: Float64, test: Float64) -> tuple[float, float]:
    """The line through the quartiles: an object that covers less than a quarter hardly moves it."""
    low, middle, high = np.quantile(golden, (0.25, 0.5, 0.75))
    low_now, now, high_now = np.quantile(test, (0.25, 0.5, 0.75))
    gain = float((high_now - low_now) / (high - low)) if high > low else float(now / middle)
    return gain, float(now - gain * middle)


def _weighted_line(golden: Float64, test: Float64, weights: Float64) -> tuple[float, float]:
    total = weights.sum()
    mean, other = (weights * golden).sum() / total, (weights * test).sum() / total
    spread = (weights * np.square(golden - mean)).sum()
    if spread / total < MIN_LIGHT_SPREAD**2:
        return float(other / mean), 0.0
    gain = max(0.0, float((weights * (golden - mean) * (test - other)).sum() / spread))
    return gain, float(other - gain * mean)
