"""Frames that show nothing: all of one colour."""

from __future__ import annotations

import numpy as np

from vfiscope.regions.steps import FramePair
from vfiscope.types import Float64, Uint8

__all__ = ["of_one_colour"]

FLAT_CODES, FLAT_PIXELS = 8, 0.99
"""A frame is of one colour where so many of its pixels are within so many codes of the median."""
UNLIKE_CODES, MIN_UNLIKE_PIXELS = 20, 0.5
"""And shows nothing of another frame of which so many pixels are farther from that colour."""
LOOKED_AT_ACROSS = 120
"""Pixels that are looked at along the shorter side."""
MAX_BLACK, MIN_WHITE = 24, 231


def of_one_colour(pair: FramePair) -> str:
    """ "the test frame is black", or white, or of one colour, or the same of the reference: where
    that is so and most of the other frame is not of this colour. Else empty.

    A frame of one colour beside another is light, and one without the only thing on the same
    ground is a change.
    """
    step = max(1, min(pair.size) // LOOKED_AT_ACROSS)
    test, ref = (each[::step, ::step].reshape(-1, 3) for each in (pair.test, pair.ref))
    for name, one, other in (("test frame", test, ref), ("reference", ref, test)):
        colour = _median(one)
        unlike = _away(other, colour) > UNLIKE_CODES
        if _flat(one) and not _flat(other) and unlike.mean() > MIN_UNLIKE_PIXELS:
            return f"the {name} is {_word(float(colour.min()), float(colour.max()))}"
    return ""


def _flat(pixels: Uint8) -> bool:
    return bool((_away(pixels, _median(pixels)) <= FLAT_CODES).mean() >= FLAT_PIXELS)


def _median(pixels: Uint8) -> Float64:
    return np.asarray(np.median(pixels, axis=0), np.float64)


def _away(pixels: Uint8, colour: Float64) -> Float64:
    """(N,) codes of the channel that lies farthest from a colour."""
    return np.asarray(np.abs(pixels - colour).max(axis=1))


def _word(low: float, high: float) -> str:
    if high <= MAX_BLACK:
        return "black"
    return "white" if low >= MIN_WHITE else "of one colour"
