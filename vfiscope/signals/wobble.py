"""Wobble: places that go somewhere else and come back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import from_before, to_next
from vfiscope.signals.ranks import nth_largest
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["WOBBLE", "wobble"]

WOBBLING_BLOCKS = 8
"""The block with the so-many-th largest value counts: flow errs in a few."""


def wobble(frame: SignalFrame) -> float:
    """How far places of the frame are out of their way: the 8th largest over blocks of |a - b| / 2
    - |a + b| / 2, with a the motion of a block since the frame in the row before and b that until
    the next frame, both beyond the median of all blocks. Below 0 where all goes on.

    What goes on has a = b, and what starts, stops or passes by has one of them only: both leave
    nothing. Blocks are 8 x 8 of frames scaled down to at most 240 px of width, and so are the
    pixels. NaN where a neighbour is missing, and for frames of fewer blocks.
    """
    coming, going = from_before(frame), to_next(frame)
    if coming is None or going is None:
        return math.nan
    off = np.empty(coming.blocks.shape[:2], np.float32)
    if off.size < WOBBLING_BLOCKS:
        return math.nan
    off_the_way(coming.blocks, coming.usual, going.blocks, going.usual, off)
    return nth_largest(off, WOBBLING_BLOCKS)


@compiled()
def off_the_way(coming: Any, usual: Any, going: Any, usual_on: Any, off: Any) -> None:
    """Fill (h, w) float32 with |a - b| / 2 - |a + b| / 2, where a and b are flows (h, w, 2) less
    those of the frame as a whole."""
    for i in range(off.shape[0]):
        for j in range(off.shape[1]):
            a, b = coming[i, j, 0] - usual[0], going[i, j, 0] - usual_on[0]
            c, d = coming[i, j, 1] - usual[1], going[i, j, 1] - usual_on[1]
            out = (a - b) * (a - b) + (c - d) * (c - d)
            along = (a + b) * (a + b) + (c + d) * (c + d)
            off[i, j] = (np.sqrt(out) - np.sqrt(along)) / 2


WOBBLE = Signal(
    SignalSpec(
        "wobble",
        "px",
        "How far the places that leave their way and come back are off it, at 240 px of width.",
    ),
    wobble,
    Sight.BEFORE | Sight.AFTER | Sight.PAST,
    usual=True,
)
