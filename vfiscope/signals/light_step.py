"""Steps of the light: brighter or darker than the frame before, as a factor of the whole frame."""

from __future__ import annotations

import math

import numpy as np

from vfiscope.signals.frame_views import block_means, ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, Float64, SignalSpec

__all__ = ["LIGHT_STEPS", "light_share", "light_spread", "light_step"]

LIT_CODES = (16.0, 235.0)
"""Means of a block between which its light can be told."""
MIN_LIT_BLOCKS = 4
MIN_LIT_SHARE = 0.04
"""Least number and part of the blocks that must lie between them in both frames."""


def light_step(frame: SignalFrame) -> float:
    """Median over blocks of ln(mean luma / mean luma in the frame before): 0.1 is 10 % brighter.

    The blocks are 16 x 16 px of the frame scaled down to at most 480 px of width, those neither
    dark nor bright in both frames; NaN where there are too few. As a median it does not see what
    moves in less than half of the frame.
    """
    ratios = _log_ratios(frame)
    return math.nan if ratios is None else ranked(ratios, 0.5)[0]


def light_spread(frame: SignalFrame) -> float:
    """Interquartile range of those logarithms over the blocks: small where light changed alike
    everywhere, large where content moved."""
    ratios = _log_ratios(frame)
    if ratios is None:
        return math.nan
    low, high = ranked(ratios, 0.25, 0.75)
    return high - low


def light_share(frame: SignalFrame) -> float:
    """Part of those blocks, 0..1, that went the same way by more than half of the step; 0 where
    there is no step."""
    ratios = _log_ratios(frame)
    if ratios is None:
        return math.nan
    step = ranked(ratios, 0.5)[0]
    return float((ratios * np.sign(step) > abs(step) / 2).mean())


def _log_ratios(frame: SignalFrame) -> Float64 | None:
    """(K,) of the blocks whose light can be told; None where there are too few."""
    before = frame.before
    if before is None:
        return None

    def compute() -> Float64 | None:
        now, then = _luma_blocks(frame), _luma_blocks(before)
        low, high = LIT_CODES
        lit = (now > low) & (now < high) & (then > low) & (then < high)
        if lit.sum() < max(MIN_LIT_BLOCKS, MIN_LIT_SHARE * lit.size):
            return None
        return np.asarray(np.log(now[lit].astype(np.float64) / then[lit]), np.float64)

    return frame.share("log_ratios", compute)


def _luma_blocks(frame: SignalFrame) -> Float32:
    return frame.share("luma_blocks", lambda: block_means(frame.small))


LIGHT_STEPS = tuple(
    Signal(SignalSpec(name, unit, text), compute, Sight.BEFORE, usual=True)
    for name, unit, text, compute in (
        (
            "light_step",
            "ln",
            "Median over blocks of the logarithm of luma divided by that of the frame before.",
            light_step,
        ),
        ("light_spread", "ln", "Interquartile range of those logarithms.", light_spread),
        ("light_share", "1", "Part of the blocks that went the same way.", light_share),
    )
)
