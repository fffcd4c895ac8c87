"""Pixel by pixel, where the colours of a frame come from neither of the real frames around it.

Conventions:
    Pictures are (h, w, 3) float32 RGB, 8-bit code values, at most 270 pixels on the short side
    (:data:`vfiscope.metrics.interpolation.real_motion.MAX_BETWEEN_SIDE_PX`): low-pass, they need no
    more. They are blurred before colours are
    compared: blur, noise, compression and small misalignment are nothing foreign.
    A colour *fits* two others as far as each of R, G, B lies between theirs, so that a blend of
    both fits.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vfiscope.metrics.interpolation.flow import Bool, Triplet, fetch, resized, resized_flow
from vfiscope.metrics.interpolation.ghosting import ramp
from vfiscope.metrics.interpolation.real_motion import Between
from vfiscope.types import Float32

__all__ = ["foreign_colours", "level"]

LEVEL_CELL_PX = 4
"""Pixels averaged in both directions before the level is measured: finer steps than a code
value."""
COLOUR_BLUR_SIGMA = 3.0
"""Standard deviation of the blur, in pixels of the pictures."""
RAMP_FOREIGN = (12.0, 32.0)
"""Distance to the nearest fitting colour in 8-bit code values: known below, foreign above."""


def foreign_colours(
    frame: Triplet, pictures: Sequence[Float32], between: Between, phase: float
) -> Float32:
    """How foreign the colours of a frame are to the real frames around it.

    The distance of a colour is the largest over R, G, B, and the smallest to

    - the span of both neighbours in place;
    - the span of both fetched along the motion between them, which the frame itself cannot bend;
    - one neighbour fetched along the frame's own flow, where its content is visible there: the flow
      of a block that hides what lies behind it finds alike colours far away, and does not find
      back.

    Args:
        frame: the frame's flows.
        pictures: the frame, and the frames before and after, (h, w, 3) each.
        between: the motion between the frames around, at (h, w).
        phase: the frame's instant, 0 at the one before, 1 at the one after.

    Returns:
        (h, w) float32, 0 known to 1 foreign; exactly 0 where the frame repeats one of them.
    """
    test, before, after = (_soften(each) for each in pictures)
    size = test.shape[:2]
    apart = _outside(test, before, after)
    for to_before, to_after in between.expected(phase):
        np.minimum(
            apart, _outside(test, fetch(before, to_before), fetch(after, to_after)), out=apart
        )
    for other, flow, seen in (
        (before, frame.to_before, frame.in_before),
        (after, frame.to_after, frame.in_after),
    ):
        fetched = fetch(other, resized_flow(flow, size))
        alone = _outside(test, fetched, fetched)
        np.minimum(apart, alone, out=apart, where=_resized_mask(seen, size))
    return ramp(apart, RAMP_FOREIGN)


def level(pictures: Sequence[Float32]) -> float:
    """How far a frame as a whole is brighter or darker, in R, G or B, than both real frames around
    it.

    Of each channel the median difference in place from the one neighbour and from the other; where
    both have the same sign, the smaller of the two: content that moves does not move a median, and
    a frame of a fade lies between.

    Args:
        pictures: the frame, and the frames before and after, (h, w, 3) each.

    Returns:
        8-bit code values, positive where it is brighter: that of the channel in which it is
        farthest off; 0 where each channel lies between the neighbours.
    """
    height, width = pictures[0].shape[:2]
    test, *others = (
        resized(each, (-(-height // LEVEL_CELL_PX), -(-width // LEVEL_CELL_PX)))
        for each in pictures
    )
    apart = np.array([np.median(test - other, axis=(0, 1)) for other in others])
    beyond = np.where(apart.min(axis=0) > 0, apart.min(axis=0), np.minimum(apart.max(axis=0), 0))
    return float(beyond[np.abs(beyond).argmax()])


def _outside(test: Float32, one: Float32, other: Float32) -> Float32:
    """How far a colour is outside the span of two others, (h, w): the largest over R, G, B."""
    excess = np.maximum(np.minimum(one, other) - test, test - np.maximum(one, other))
    red, green, blue = cv2.split(excess)
    return np.maximum(np.maximum(np.maximum(red, green), blue), np.float32(0))


def _soften(picture: Float32) -> Float32:
    return np.asarray(
        cv2.GaussianBlur(picture, (0, 0), COLOUR_BLUR_SIGMA, borderType=cv2.BORDER_REFLECT_101),
        np.float32,
    )


def _resized_mask(mask: Bool, size: tuple[int, ...]) -> Bool:
    most: Bool = resized(mask.astype(np.float32), size) > 0.5
    return most
