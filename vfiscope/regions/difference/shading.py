"""A change of light that is not the same all over the frame: the sun moved, a lamp, a vignette."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.regions.difference.light_fit_of_pair import (
    LIGHT_COST,
    LIGHT_OUTLIER,
    LIGHT_ROUNDS,
    MAX_GAIN,
    UNCLIPPED_CODES,
    WORST_RESIDUAL,
)
from vfiscope.regions.steps import Mask
from vfiscope.types import Float64, Uint8

__all__ = ["fit_shading", "shaded"]

SHADING_SAMPLES = 20_000
SHADING_TERMS = 6
"""1, x, y, x^2, xy, y^2: too stiff to follow anything that changed in the frame."""


def fit_shading(test: Uint8, ref: Uint8, among: Mask, *, origin: int = 0) -> Float64:
    """The gain, as a polynomial of the place in the frame, that turns one plane into the other.

    Robust least squares on up to 20 000 pixels, as for the light of the whole frame (see
    :mod:`~vfiscope.regions.difference.light_fit_of_pair`): over all, or over those that are not
    clipped.

    Args:
        test: (H, W) codes.
        ref: (H, W) codes under the light of the test frame.
        among: (H, W) pixels to look at.
        origin: the code that no gain changes: 0 of luma, 128 of Cr and Cb.

    Returns:
        (6,) coefficients of the gain less 1; zeros where none lowers the mean residual.
    """
    places = np.flatnonzero(among)
    places = places[:: 1 + len(places) // SHADING_SAMPLES]
    rows, columns = np.divmod(places, ref.shape[1])
    own, there = test.ravel()[places].astype(np.float64), ref.ravel()[places].astype(np.float64)
    basis = _basis(_centred(rows, ref.shape[0]), _centred(columns, ref.shape[1]))
    terms = (there - origin)[:, None] * basis
    low, high = UNCLIPPED_CODES
    unclipped = (np.minimum(own, there) >= low) & (np.maximum(own, there) <= high)
    best: Float64 = np.zeros(SHADING_TERMS, np.float64)
    least = _cost(own, there) - LIGHT_COST
    for usable in (unclipped, np.ones_like(unclipped)):
        found = _robust(terms[usable], (own - there)[usable])
        cost = _cost(own, np.clip(there + terms @ found, 0, 255))
        if cost < least:
            best = found
            least = cost
    return best


def shaded(plane: Uint8, coefficients: Float64, *, origin: int = 0) -> Uint8:
    """A plane under that gain, rounded and clipped."""
    if not coefficients.any():
        return plane
    height, width = plane.shape
    made = np.empty_like(plane)
    columns = _centred(np.arange(width), width)
    for row, y in enumerate(_centred(np.arange(height), height)):
        gain = 1 + _basis(np.full_like(columns, y), columns) @ coefficients
        codes = origin + (plane[row] - float(origin)) * np.clip(gain, 1 / MAX_GAIN, MAX_GAIN)
        made[row] = np.clip(np.rint(codes), 0, 255)
    return made


def _robust(terms: Float64, residual: Float64) -> Float64:
    found: Float64 = np.zeros(SHADING_TERMS)
    kept = np.ones(len(residual), bool)
    for _ in range(LIGHT_ROUNDS):
        if np.count_nonzero(kept) < 10 * SHADING_TERMS:
            return np.zeros(SHADING_TERMS)
        found = np.asarray(np.linalg.lstsq(terms[kept], residual[kept], rcond=None)[0], np.float64)
        left = residual - terms @ found
        spread = SIGMA_OF_MAD * float(np.median(np.abs(left - np.median(left))))
        kept = np.abs(left) <= max(LIGHT_OUTLIER * spread, 1.0)
    return found


def _centred(places: NDArray[np.int64], length: int) -> Float64:
    """Places as -1..1."""
    return np.asarray((2 * places + 1) / length - 1, np.float64)


def _basis(y: Float64, x: Float64) -> Float64:
    """(N, 6)"""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _cost(own: Float64, there: Float64) -> float:
    return float(np.minimum(np.abs(own - there), WORST_RESIDUAL).mean()) if len(own) else 0.0
