"""The structural similarity of every pixel, as a difference."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import luma_bytes
from vfiscope.regions.steps import Difference, FramePair
from vfiscope.types import Float64

__all__ = ["ssim_of_pixels", "structure_difference"]

Window = Literal["uniform", "gaussian"]
WHITE_CODE = 255.0
STABILITY = ((0.01 * WHITE_CODE) ** 2, (0.03 * WHITE_CODE) ** 2)


def structure_difference(
    pair: FramePair, *, colour: bool = True, window: Window = "uniform", clip: bool = True
) -> Difference:
    """1 - SSIM of every pixel.

    Args:
        pair: two frames.
        colour: compare R, G and B and take the largest; the three are the layers. False: luma.
        window: see :func:`ssim_of_pixels`.
        clip: 0..1, where a negative SSIM counts as 0. False: 0..2.
    """
    similarity = [
        ssim_of_pixels(test, ref, window=window) for test, ref in channels(pair, colour=colour)
    ]
    most = 1 if clip else 2
    layers = np.stack([np.clip(1 - each, 0, most).astype(np.float32) for each in similarity])
    return Difference(layers.max(axis=0), "1 - SSIM", pair.decidable, layers=layers)


def channels(pair: FramePair, *, colour: bool) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """(H, W) test and ref of R, G and B, or of the luma of BT.601 rounded to whole code values."""
    if not colour:
        return [(_grey(pair.test), _grey(pair.ref))]
    return [
        (np.ascontiguousarray(pair.test[..., each]), np.ascontiguousarray(pair.ref[..., each]))
        for each in range(3)
    ]


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return luma_bytes(frame)[..., None]


def ssim_of_pixels(
    test: NDArray[np.uint8], ref: NDArray[np.uint8], *, window: Window = "uniform"
) -> Float64:
    """SSIM (Wang et al. 2004) of every pixel, -1..1.

    The map of ``skimage.metrics.structural_similarity(full=True)`` with its defaults: K1 0.01, K2
    0.03, 8-bit range, sample covariance, frames mirrored at their borders. Those of identical
    pixels are exactly 1.

    Args:
        test: (H, W), of any size.
        ref: the same.
        window: uniform, 7 x 7; or gaussian, sigma 1.5 in 11 x 11.

    Returns:
        (H, W) float64.
    """
    size = 7 if window == "uniform" else 11
    sample = size**2 / (size**2 - 1)

    def mean(values: Float64) -> Float64:
        border = cv2.BORDER_REFLECT
        if window == "uniform":
            return np.asarray(cv2.blur(values, (size, size), borderType=border), np.float64)
        return np.asarray(
            cv2.GaussianBlur(values, (size, size), 1.5, borderType=border), np.float64
        )

    a, b = test.astype(np.float64), ref.astype(np.float64)
    mean_a, mean_b = mean(a), mean(b)
    spread = sample * (mean(a * a) - mean_a**2) + sample * (mean(b * b) - mean_b**2)
    shared = sample * (mean(a * b) - mean_a * mean_b)
    light, texture = STABILITY
    similar = (2 * mean_a * mean_b + light) * (2 * shared + texture)
    return np.asarray(similar / ((mean_a**2 + mean_b**2 + light) * (spread + texture)))
