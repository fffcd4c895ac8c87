"""How much of a frame says anything about light: on black, a gain changes nothing."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.steps import Light, Mask
from vfiscope.types import Uint8

__all__ = ["agreed_gain", "lit_widely"]

SEEN_LIT_CODES = 24
"""Code from which light is seen; below it a gain moves less than noise does."""
LIGHT_BLOCKS = 6
"""Blocks along the short side."""
LIT_OF_BLOCK, LIT_SPREAD = 0.5, 0.5
"""Of the pixels of a block that is lit, and of the blocks: a few things on black cannot tell a
change of light from one of their own."""
AGREE_CODES, AGREE_SHARE = 8, 0.1
"""Within which a pixel agrees on a gain: so many codes, or this share of its own."""
MIN_AGREE = 0.9
"""Of the lit pixels. One thing that stays as bright as it was refutes a change of the light."""
MAX_AGREED_GAIN = 4.0
COLOURED_CODES = 8


def lit_widely(test: Uint8, ref: Uint8, shown: Mask) -> bool:
    """Whether what is lit, in one of two planes of luma, is spread over half of the frame.

    Args:
        test: (H, W) codes.
        ref: (H, W) codes.
        shown: (H, W) pixels to look at; blocks without any are left out.
    """
    height, width = test.shape
    side = max(1.0, min(height, width) / LIGHT_BLOCKS)
    blocks = max(1, round(width / side)), max(1, round(height / side))
    lit = shown & (np.maximum(test, ref) > SEEN_LIT_CODES)
    share, seen = (
        cv2.resize(each.astype(np.float32), blocks, interpolation=cv2.INTER_AREA)
        for each in (lit, shown)
    )
    looked_at = seen > 0
    if not looked_at.any():
        return True
    counted = (share >= LIT_OF_BLOCK * seen)[looked_at]
    return float(counted.mean()) >= LIT_SPREAD


def agreed_gain(test: Uint8, ref: Uint8, among: Mask, *, origin: int = 0) -> Light | None:
    """The gain about a code that nearly all that is lit agrees on; None where there is none. Luma
    has an offset too where black moved, as behind bars beside the scene.

    Args:
        test: (H, W) codes.
        ref: (H, W) codes.
        among: (H, W) pixels to look at.
        origin: the code that no gain changes: 0 of luma, 128 of Cr and Cb.
    """
    own, there = (each[among].astype(np.float32) - origin for each in (test, ref))
    lit = np.maximum(np.abs(own), np.abs(there)) > (COLOURED_CODES if origin else SEEN_LIT_CODES)
    black = float(np.median((own - there)[~lit])) if not origin and not lit.all() else 0.0
    own, there = own[lit] - np.float32(black), there[lit]
    if not there.any():
        return None
    gain = float(np.clip(np.median(own[there != 0] / there[there != 0]), 0, MAX_AGREED_GAIN))
    left = np.abs(own - np.float32(gain) * there)
    agree = left <= np.maximum(AGREE_CODES, AGREE_SHARE * np.abs(own))
    return Light(gain, origin * (1 - gain) + black) if agree.mean() >= MIN_AGREE else None
