"""Pixel by pixel, colours of a frame that come from neither of the real frames around it.

Conventions:
    Frames are (h, w, 3) float32 RGB, 8-bit code values, at most 270 pixels on the short side
    (:data:`vfiscope.metrics.interpolation.real_motion.MAX_BETWEEN_SIDE_PX`): they are blurred
    before colours are compared, so a larger size would add nothing. The blur keeps noise,
    compression and small misalignment from counting as foreign. A colour *fits* two others as far
    as each of R, G, B lies between theirs, so that a blend of both fits.
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
"""Side in pixels of the cells that are averaged before the level is measured, which gives steps
finer than a code value."""
COLOUR_BLUR_SIGMA = 3.0
"""Standard deviation of the blur, in pixels of the reduced frames."""
RAMP_FOREIGN = (12.0, 32.0)
"""Distance to the nearest fitting colour in 8-bit code values: not foreign up to the first value,
foreign from the second on."""


def foreign_colours(
    frame: Triplet, trio: Sequence[Float32], between: Between, phase: float
) -> Float32:
    """Degree to which the colours of a frame are foreign to the real frames around it.

    The distance of a colour is the largest over R, G and B, and the smallest over these candidates:

    - the span of both neighbours in place;
    - the span of both fetched along the motion between them, which the frame cannot influence;
    - one neighbour fetched along the frame's own flow, where its content is visible there. (The
      flow of a foreign block finds similar colours far away, but does not lead back to it.)

    Args:
        frame: the flows of the frame.
        trio: RGB of the frame and of the frames before and after, (h, w, 3) each.
        between: the motion between the real frames, at (h, w).
        phase: the instant of the frame, 0 at the frame before, 1 at the one after.

    Returns:
        (h, w) float32, 0 not foreign to 1 foreign; exactly 0 where the frame repeats one of them.
    """
    test, before, after = (_soften(each) for each in trio)
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


def level(trio: Sequence[Float32]) -> float:
    """How much brighter or darker a frame as a whole is, in R, G or B, than both real frames around
    it.

    For each channel, the median differences in place from the two neighbours are taken; where both
    have the same sign, the smaller one counts. Moving content does not shift a median, and a frame
    of a fade lies between its neighbours.

    Args:
        trio: RGB of the frame and of the frames before and after, (h, w, 3) each.

    Returns:
        8-bit code values of the channel that is farthest off, positive where the frame is brighter;
        0 where each channel lies between the neighbours.
    """
    height, width = trio[0].shape[:2]
    test, *others = (
        resized(each, (-(-height // LEVEL_CELL_PX), -(-width // LEVEL_CELL_PX))) for each in trio
    )
    apart = np.array([np.median(test - other, axis=(0, 1)) for other in others])
    beyond = np.where(apart.min(axis=0) > 0, apart.min(axis=0), np.minimum(apart.max(axis=0), 0))
    return float(beyond[np.abs(beyond).argmax()])


def _outside(test: Float32, one: Float32, other: Float32) -> Float32:
    """Distance of a colour from the span of two others, (h, w): the largest over R, G, B."""
    excess = np.maximum(np.minimum(one, other) - test, test - np.maximum(one, other))
    red, green, blue = cv2.split(excess)
    return np.maximum(np.maximum(np.maximum(red, green), blue), np.float32(0))


def _soften(frame: Float32) -> Float32:
    return np.asarray(
        cv2.GaussianBlur(frame, (0, 0), COLOUR_BLUR_SIGMA, borderType=cv2.BORDER_REFLECT_101),
        np.float32,
    )


def _resized_mask(mask: Bool, size: tuple[int, ...]) -> Bool:
    most: Bool = resized(mask.astype(np.float32), size) > 0.5
    return most
