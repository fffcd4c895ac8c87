"""Differences to the frame before that a small change does not drown in."""

from __future__ import annotations

import math

import cv2

from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["DIFFERENCE_P99", "DIFFERENCE_RMS", "difference_p99", "difference_rms"]

MOST_CHANGED_SHARE = 0.99


def difference_p99(frame: SignalFrame) -> float:
    """Mean absolute difference of luma to the frame in the row before in the most changed blocks,
    in 8-bit code values: the 99th percentile over blocks of 16 x 16 of the frame scaled down to at
    most 480 px of width. 0 where nothing moves.

    Most of a frame often stands still, and the mean over it hides whether the rest moved.
    """
    blocks = frame.blocks
    return math.nan if blocks is None else ranked(blocks, MOST_CHANGED_SHARE)[0]


def difference_rms(frame: SignalFrame) -> float:
    """Root of the mean squared difference of luma to the frame in the row before, in 8-bit code
    values, of frames scaled down to at most 480 px of width."""
    if frame.before is None:
        return math.nan
    now, then = frame.small, frame.before.small
    return float(cv2.norm(now, then, cv2.NORM_L2)) / math.sqrt(now.size)


DIFFERENCE_P99 = Signal(
    SignalSpec(
        "difference_p99",
        "code",
        "Mean absolute difference of luma to the frame before in the most changed blocks (99th"
        " percentile).",
    ),
    difference_p99,
    Sight.BEFORE,
    usual=True,
)
DIFFERENCE_RMS = Signal(
    SignalSpec(
        "difference_rms", "code", "Root mean squared difference of luma to the frame before."
    ),
    difference_rms,
    Sight.BEFORE,
    usual=True,
)
