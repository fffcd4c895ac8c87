"""How strong colours are in one frame against another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.steps import Mask
from vfiscope.types import Uint8

__all__ = ["GREY_CODE", "WEAK_COLOUR", "colour_strength"]

GREY_CODE = 128
COLOURFUL_CODES = 8
"""Distance from grey, in Cr and Cb, from which a pixel has a colour."""
MIN_COLOURFUL_SHARE = 0.25
"""Of the pixels: colours of less are those of a few things, of which one may have lost its own."""
STRENGTH_ERROR = 0.25
MIN_FADED_ALIKE = 0.8
"""Of the colourful pixels, that must lie within this share of their distance from grey, or within
half of what makes a colour, of where the strength puts them."""
WEAK_COLOUR = 0.5
"""Strength below which a fit of Cr and Cb by themselves cannot follow."""
STRENGTH_STRIDE = 3
GREY_WITHIN, GREY_SHARE, MIN_TINTED_SHARE = 1.5, 0.99, 0.5
"""Codes from grey that rounding and compression leave; the part of a frame without colour that is
so near, and of a frame in colour that is not: a camera tints what is pale too, and grey things
beside a thing that alone lost its colour keep this tint."""
MIN_SEEN_SHARE = 0.01
"""Of the pixels, that must have a colour for a loss of colour to be seen."""


def colour_strength(planes: Sequence[tuple[Uint8, Uint8]], shown: Mask) -> float | None:
    """By which factor the colours of a frame are those of another, all alike, about grey.

    Args:
        planes: Cr and Cb, each of test and reference, (H, W) codes.
        shown: (H, W) pixels to look at, every third in each direction.

    Returns:
        From 0 (all colour was lost) to infinity (a grey frame has become a coloured one); None
        where less than a quarter of the pixels has a colour, or these do not agree. Pale colours
        too were lost where a frame has no tint anywhere, and the other has one nearly everywhere.
    """
    pick = np.s_[::STRENGTH_STRIDE, ::STRENGTH_STRIDE]
    taken = shown[pick]
    own, there = (
        np.stack([each[side][pick][taken].astype(np.float32) - GREY_CODE for each in planes])
        for side in (0, 1)
    )
    forth, back = _factor(own, there), _factor(there, own)
    if forth is None and back == 0:
        return np.inf
    return forth


def _factor(own: NDArray[np.float32], there: NDArray[np.float32]) -> float | None:
    """The factor from one to the other, (2, N) each."""
    far = np.hypot(*there)
    colourful = far >= COLOURFUL_CODES
    if _all_lost(np.hypot(*own), far):
        return 0.0
    if not colourful.size or colourful.mean() < MIN_COLOURFUL_SHARE:
        return None
    own, there, far = own[:, colourful], there[:, colourful], far[colourful]
    factor = float(np.median((own * there).sum(axis=0) / np.square(far)))
    error = np.hypot(*(own - np.float32(factor) * there))
    agree = error <= np.maximum(STRENGTH_ERROR * far, COLOURFUL_CODES / 2)
    return max(factor, 0.0) if agree.mean() >= MIN_FADED_ALIKE else None


def _all_lost(own: NDArray[np.float32], there: NDArray[np.float32]) -> bool:
    """Whether a frame has no colour at all, of which another has some nearly everywhere; distances
    from grey, (N,) each."""
    if not own.size or (there >= COLOURFUL_CODES).mean() < MIN_SEEN_SHARE:
        return False
    grey, tinted = (own <= GREY_WITHIN).mean(), (there > GREY_WITHIN).mean()
    return bool(grey >= GREY_SHARE and tinted >= MIN_TINTED_SHARE)
