"""Pairs without noise, as of screens: what differs in them at all was drawn otherwise."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.difference.light_fit_of_pair import local_range
from vfiscope.regions.steps import Difference, FramePair, Mask
from vfiscope.types import Uint8

__all__ = ["is_lossless", "lossless_difference"]

TEXTURED_RANGE = 24
"""Codes around a pixel from which noise, light or a shift would change it."""
FEWEST_TEXTURED = 256
IDENTICAL_SHARE = 0.9
"""Of the textured pixels."""
CLEAR_CODES = 14.0
"""Code values of R, G or B by which a pixel clearly differs."""


def is_lossless(pair: FramePair) -> bool:
    """Whether nearly all textured pixels are the same to the bit, and the others differ clearly.

    Compression, noise, light and shifts reach every textured pixel. A codec that leaves still parts
    of a video as they are leaves many small differences where it codes something: where more
    pixels differ slightly than clearly, the pair is not lossless.
    """
    if pair.registration is not None and pair.registration.accepted:
        return False
    apart, shown = _apart(pair), pair.decidable
    clear = np.count_nonzero((apart > CLEAR_CODES) & shown)
    if not 0 < clear >= np.count_nonzero((apart > 0) & shown) - clear:
        return False
    textured = shown & _textured(pair)
    count = np.count_nonzero(textured)
    same = np.count_nonzero(textured & (apart == 0))
    return bool(count >= FEWEST_TEXTURED and same >= IDENTICAL_SHARE * count)


def lossless_difference(pair: FramePair, *, scale: float = 1.0) -> Difference:
    """The largest difference of R, G and B as a ratio to what differs clearly.

    Args:
        pair: as of :func:`is_lossless`.
        scale: of the threshold.
    """
    ratio = _apart(pair).astype(np.float32) / np.float32(scale * CLEAR_CODES)
    return Difference(ratio, "ratio", pair.decidable, rim=(ratio > 0) & pair.decidable, reach=1)


def _apart(pair: FramePair) -> Uint8:
    return np.asarray(cv2.absdiff(pair.test, pair.ref).max(axis=2), np.uint8)


def _textured(pair: FramePair) -> Mask:
    """(H, W) pixels beside an edge in one of the frames, of any channel."""
    spread = [local_range(np.ascontiguousarray(each), 1) for each in (pair.test, pair.ref)]
    return np.asarray(np.maximum(*spread).max(axis=2) >= TEXTURED_RANGE)
