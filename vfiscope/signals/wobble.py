"""Wobble: places that go somewhere else and come back."""

from __future__ import annotations

import math

import numpy as np

from vfiscope.signals.frame_flow import block_flow, from_before, to_next
from vfiscope.signals.frame_views import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, SignalSpec

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
    steps = [block_flow(from_before(frame)), block_flow(to_next(frame))]
    coming, going = (None if each is None else _by_itself(each) for each in steps)
    if coming is None or going is None or coming.size // 2 < WOBBLING_BLOCKS:
        return math.nan
    out = np.square(coming - going).sum(axis=-1)
    along = np.square(coming + going).sum(axis=-1)
    apart = (np.sqrt(out) - np.sqrt(along)).ravel() / 2
    place = apart.size - WOBBLING_BLOCKS
    return float(np.partition(apart, place)[place])


def _by_itself(flow: Float32) -> Float32:
    """(h, w, 2) flow of blocks without that of the frame as a whole."""
    whole = [ranked(flow[..., axis], 0.5)[0] for axis in (0, 1)]
    return np.asarray(flow - np.array(whole, np.float32), np.float32)


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
