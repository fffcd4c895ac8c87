"""Blends of the structural and the absolute difference, in 8-bit code values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.difference.structure import channels, ssim_of_pixels
from vfiscope.regions.steps import Difference, FramePair

__all__ = ["blended"]


def blended(
    pair: FramePair,
    *,
    weights: Sequence[float],
    colour: bool = True,
    wrap: bool = False,
    limit: float = math.inf,
) -> Difference:
    """weight * 255 (1 - SSIM) + (1 - weight) * absolute difference for each weight, rounded.

    Args:
        pair: two frames.
        weights: 0..1; each makes a layer, and the values are the largest layer.
        colour: look at R, G and B and take the larger difference. False: luma.
        wrap: take 255 (1 - SSIM) modulo 256, as TrackShift's cast to 8 bits did, so that pixels
            whose SSIM is below 0 count as similar. False: at most 255.
        limit: the structural difference counts up to so many times the absolute one, because
            SSIM of nearly flat areas compares noise.
    """
    structure, absolute = (np.zeros(pair.size, np.uint8) for _ in range(2))
    for test, ref in channels(pair, colour=colour):  # one by one: they are 8 bytes a pixel
        apart = np.asarray(cv2.absdiff(test, ref), np.uint8)
        codes = 255 * (1 - ssim_of_pixels(test, ref))
        codes = np.mod(np.trunc(codes), 256) if wrap else np.clip(codes, 0, 255)
        if limit < math.inf:
            codes = np.minimum(codes, limit * apart.astype(np.float64))
        np.maximum(structure, codes.astype(np.uint8), out=structure)
        np.maximum(absolute, apart, out=absolute)
    layers = np.stack([_blend(structure, absolute, weight) for weight in weights])
    values = layers.max(axis=0).astype(np.float32)
    return Difference(values, "code values", pair.decidable, layers=layers)


def _blend(
    structure: NDArray[np.uint8], absolute: NDArray[np.uint8], weight: float
) -> NDArray[np.uint8]:
    """Rounded and limited to 0..255, as OpenCV does."""
    return np.asarray(cv2.addWeighted(structure, weight, absolute, 1 - weight, 0))
