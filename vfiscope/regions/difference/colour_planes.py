"""The planes that two frames are compared in: smoothed luma, and colour where there is any."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vfiscope.regions.steps import FramePair
from vfiscope.types import Uint8

__all__ = ["colour_planes", "is_grey"]

PLANE_SIGMAS = (1.0, 2.0, 2.0)
"""Pixels, of the Gaussian that smooths Y', Cr and Cb: files hold colour at half the size of luma,
so its noise is twice as wide."""


def colour_planes(pair: FramePair) -> list[tuple[Uint8, Uint8]]:
    """The planes of test and reference, each (H, W): smoothed Y', Cr and Cb; only Y' where both
    frames are grey."""
    if is_grey(pair.test) and is_grey(pair.ref):
        return [(_smoothed(pair.test[..., 0], 0), _smoothed(pair.ref[..., 0], 0))]
    return list(zip(_three(pair.test), _three(pair.ref), strict=True))


def is_grey(pixels: Uint8) -> bool:
    """Whether R, G and B of (H, W, 3) pixels are equal everywhere."""
    for step in (16, 1):
        red, green, blue = (pixels[::step, ::step, channel] for channel in range(3))
        if not (np.array_equal(red, green) and np.array_equal(red, blue)):
            return False
    return True


def _three(pixels: Uint8) -> Sequence[Uint8]:
    planes = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    return [_smoothed(np.asarray(plane, np.uint8), index) for index, plane in enumerate(planes)]


def _smoothed(plane: Uint8, index: int) -> Uint8:
    plane = np.ascontiguousarray(plane)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), PLANE_SIGMAS[index]), np.uint8)
