"""Steps of the light: brighter or darker than the frame before, as a factor of the whole frame."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_views import block_means
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float32, SignalSpec

__all__ = ["LIGHT_STEPS", "LightStep", "light_step"]

LIT_CODES = (16.0, 235.0)
"""Means of a block between which its light can be told."""
MIN_LIT_BLOCKS = 4
MIN_LIT_SHARE = 0.04
"""Least number and part of the blocks that must lie between them in both frames."""


class LightStep(NamedTuple):
    """How the light of a frame changed since the frame before."""

    step: float
    """Median over blocks of ln(mean luma / mean luma in the frame before): 0.1 is 10 % brighter."""
    spread: float
    """Interquartile range of those logarithms: small where light changed alike everywhere, large
    where content moved."""
    share: float
    """Part of those blocks, 0..1, that went the same way by more than half of the step; 0 where
    there is no step."""


def light_step(frame: SignalFrame) -> LightStep | None:
    """The step of the light; None where it can be told in too few blocks.

    The blocks are 16 x 16 px of the frame scaled down to at most 480 px of width, those neither
    dark nor bright in both frames. Medians do not see what moves in less than half of the frame.
    """
    before = frame.before
    if before is None:
        return None

    now, then = _luma_blocks(frame), _luma_blocks(before)
    ratios = np.empty(now.size)
    count = log_ratios(now, then, ratios)
    if count < max(MIN_LIT_BLOCKS, MIN_LIT_SHARE * now.size):
        return None
    low, step, high = ranked(ratios[:count], 0.25, 0.5, 0.75)
    return LightStep(step, high - low, along_with(ratios[:count], step) / count)


@compiled()
def along_with(ratios: Any, step: float) -> int:
    """How many of (N,) go the same way as a step by more than half of it; none where it is 0."""
    count, way = 0, np.sign(step)
    for i in range(ratios.shape[0]):
        count += ratios[i] * way > abs(step) / 2
    return count


@compiled()
def log_ratios(now: Any, then: Any, ratios: Any) -> int:
    """Fill the first of (h * w,) float64 with the logarithms of (h, w) means of blocks divided by
    those of the frame before, where both can be told; returns how many these are."""
    count, (low, high) = 0, LIT_CODES
    for i in range(now.shape[0]):
        for j in range(now.shape[1]):
            if low < now[i, j] < high and low < then[i, j] < high:
                ratios[count] = math.log(now[i, j] / np.float64(then[i, j]))
                count += 1
    return count


def _luma_blocks(frame: SignalFrame) -> Float32:
    return frame.share("luma_blocks", lambda: block_means(frame.small))


LIGHT_STEPS = tuple(
    Signal(
        SignalSpec(f"light_{name}", unit, text), part_of(light_step, name), Sight.BEFORE, usual=True
    )
    for name, unit, text in (
        (
            "step",
            "ln",
            "Median over blocks of the logarithm of luma divided by that of the frame before.",
        ),
        ("spread", "ln", "Interquartile range of those logarithms."),
        ("share", "1", "Part of the blocks that went the same way."),
    )
)
