"""Colour balance: red and blue of a frame as a whole, in terms of its green."""

from __future__ import annotations

import math
from functools import partial

from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["COLOUR_BALANCE", "colour_balance"]

MIN_BALANCED_CODES = 2.0
"""Mean of green, in 8-bit code values, below which a frame is black and has no colour."""


def colour_balance(frame: SignalFrame, channel: int) -> float:
    """Mean of a channel (0 red, 2 blue) divided by that of green; NaN for a black frame.

    A factor of the light changes neither. It is what white balance by a grey world (Buchsbaum 1980)
    would bring to 1.
    """
    means = frame.channel_means
    if means[1] * 255 / frame.white < MIN_BALANCED_CODES:
        return math.nan
    return float(means[channel] / means[1])


COLOUR_BALANCE = tuple(
    Signal(
        SignalSpec(f"{name}_balance", "1", f"Mean {name} of all pixels divided by mean green."),
        partial(colour_balance, channel=channel),
        usual=True,
    )
    for name, channel in (("red", 0), ("blue", 2))
)
