"""A look at the pixels before features are computed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vfiscope.regions.steps import Difference, FramePair

__all__ = ["unless_equal"]

UNSEEN_CODES = 2.0
"""Mean difference in code values that nobody sees: rounding, and compression at high quality."""
LOOKED_AT_PX = 7
"""Side of the square that it is averaged over."""


def unless_equal(
    pair: FramePair, *, difference: Callable[[FramePair], Difference], unit: str
) -> Difference:
    """A map of zeros where the frames are equal but for rounding, else the map of another step.

    Equal means: nowhere does the mean absolute difference over 7 x 7 pixels reach 2 code values.
    (FrameShift's fast filter asked for a mean square over the whole frame that no small change can
    have, before the frames were registered, and did not use the answer.)

    Args:
        pair: the frames, registered.
        difference: computes the map.
        unit: of that map.
    """
    apart = cv2.absdiff(pair.test, pair.ref).max(axis=2).astype(np.float32)
    apart[~pair.decidable] = 0
    if cv2.blur(apart, (LOOKED_AT_PX, LOOKED_AT_PX)).max() >= UNSEEN_CODES:
        return difference(pair)
    return Difference(np.zeros(pair.size, np.float32), unit, pair.decidable)
