"""``frameshift-legacy``: FrameShift's first pipeline as published.

Half the difference of luma, half 1 - SSIM, one level, contours by size. It sees no change of colour
in one luma. Its registration is ``--register`` here.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from vfiscope.regions.clean import closed, in_turn, opened
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.structure import channels, ssim_of_pixels
from vfiscope.regions.propose.contours import contours
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Difference, FramePair, Method
from vfiscope.regions.threshold import fixed

__all__ = ["frameshift_legacy"]

PUBLISHED_LEVEL = 0.15
MIN_POLYGON = 100.0
"""Pixels."""


def frameshift_legacy(settings: Settings) -> Method:
    """The method ``frameshift-legacy``, whatever the settings."""
    clean = (
        partial(closed, size=5, round_=True),
        partial(opened, size=5, round_=True),
    )
    return Method(
        difference=luma_and_structure,
        threshold=partial(fixed, level=PUBLISHED_LEVEL),
        clean=partial(in_turn, steps=clean),
        propose=partial(contours, above_polygon=MIN_POLYGON, largest_first=True),
        describe=describe,
        keeps_order=True,
    )


def luma_and_structure(pair: FramePair) -> Difference:
    """The mean of the absolute difference of luma, 0..1, and 1 - SSIM of it, 0..2."""
    ((test, ref),) = channels(pair, colour=False)
    luma = np.asarray(cv2.absdiff(test, ref)).reshape(pair.size) / 255
    values = (luma + 1 - ssim_of_pixels(test, ref)) / 2
    return Difference(
        values.astype(np.float32), "mean of luma difference and 1 - SSIM", pair.decidable
    )
