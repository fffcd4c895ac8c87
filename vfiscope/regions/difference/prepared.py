"""Differences of frames that are prepared first, or whose values are brought to 8 bits after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from vfiscope.regions.steps import Difference, FramePair

__all__ = ["after_blur", "stretched"]


def after_blur(
    pair: FramePair,
    *,
    difference: Callable[[FramePair], Difference],
    sigma: float = 1.5,
    size_of: Callable[[int], int] = lambda width: 0,
) -> Difference:
    """A difference of frames that a Gaussian has smoothed, so that noise is not structure.

    Args:
        pair: two frames.
        difference: takes the smoothed ones.
        sigma: in pixels.
        size_of: the side of the window, from the width of the frame; 0: as sigma needs.
    """
    side = size_of(pair.size[1])
    test, ref = (
        np.asarray(cv2.GaussianBlur(frame, (side, side), sigma), np.uint8)
        for frame in (pair.test, pair.ref)
    )
    return difference(replace(pair, test=test, ref=ref))


def stretched(
    pair: FramePair, *, difference: Callable[[FramePair], Difference], epsilon: float = 0.0
) -> Difference:
    """A difference whose least value becomes 0 and largest 255, in whole code values.

    The scale is that of the pair, so that noise of an unchanged pair fills the range too: for
    methods that were published so. A constant map becomes 0.

    Args:
        pair: two frames.
        difference: what is stretched; all its layers alike.
        epsilon: added to the range before it divides, in the unit of the map.
    """
    made = difference(pair)
    layers = made.values[None] if made.layers is None else made.layers
    least, most = float(layers.min()), float(layers.max())
    scale = 255 / (most - least + epsilon) if most > least else 0.0
    whole = np.trunc((layers.astype(np.float64) - least) * scale).astype(np.float32)
    return replace(made, values=whole.max(axis=0), unit="code values, stretched", layers=whole)
