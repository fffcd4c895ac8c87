"""Colour shares: how much of a photo is red, green or blue, and where that lies."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.signals.photo_view import photo_view
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import Float32, SignalSpec

__all__ = ["COLOUR_SHARES", "ColourShare", "colour_share"]

MIN_COLOUR_CODES = 6.0
"""How far, in code values, the channel of a coloured pixel exceeds both others at least."""
LEAD_SHARE = 0.5
BALANCE_CODES = (4, 250)
"""Code values between which a pixel tells about the white balance."""
MAX_BALANCE = 0.15
"""Largest logarithm by which channels are balanced: more is what the scene looks like."""


class ColourShare(NamedTuple):
    """The pixels of a colour."""

    share: float
    """Part of the photo, 0..1."""
    x: float
    """Their centre of mass in pixels of the photo; NaN where there are none."""
    y: float


def colour_share(frame: SignalFrame, channel: int) -> ColourShare:
    """The pixels whose channel exceeds the other two by more than 6 code values, and by more than
    half of what such pixels usually do: that is where a leaf ends, although codecs smear colour.

    The medians of red and of blue as parts of green are brought to 1 first, by 16 % at most, so
    that white balance that drifts turns no grey pixel green. Of photos reduced to at most 640 px.
    """
    wins = frame.share("colour_wins", lambda: _wins(frame))[channel]
    count = int(wins.sum())
    if not count:
        return ColourShare(0.0, math.nan, math.nan)
    height, width = wins.shape
    x = float(wins.sum(axis=0) @ np.arange(width)) / count
    y = float(wins.sum(axis=1) @ np.arange(height)) / count
    enlarged = photo_view(frame).enlarged
    place = enlarged @ np.array([x, y, 1.0])
    return ColourShare(count / wins.size, float(place[0]), float(place[1]))


def _wins(frame: SignalFrame) -> list[NDArray[np.bool_]]:
    """(h, w) masks of the pixels of each colour."""
    pixels = photo_view(frame).pixels.astype(np.float32)
    low, high = BALANCE_CODES
    lit = pixels[((pixels > low) & (pixels < high)).all(axis=2)]
    if len(lit):
        balance = np.median(np.log(lit / lit[:, 1:2]), axis=0)
        pixels = pixels / np.exp(np.clip(balance, -MAX_BALANCE, MAX_BALANCE)).astype(np.float32)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    leads = (
        red - np.maximum(green, blue),
        green - np.maximum(red, blue),
        blue - np.maximum(red, green),
    )
    return [_coloured(lead) for lead in leads]


def _coloured(lead: Float32) -> NDArray[np.bool_]:
    coloured = lead > MIN_COLOUR_CODES
    if not coloured.any():
        return coloured
    return np.asarray(lead > max(MIN_COLOUR_CODES, LEAD_SHARE * float(np.median(lead[coloured]))))


def _signal(name: str, unit: str, text: str, part: Callable[[SignalFrame], float]) -> Signal:
    return Signal(SignalSpec(name, unit, text), part, dated=True)


def _part(frame: SignalFrame, channel: int, name: str) -> float:
    return float(getattr(colour_share(frame, channel), name))


COLOUR_SHARES = tuple(
    _signal(f"{colour}_{name}", unit, text, partial(_part, channel=channel, name=name))
    for channel, colour in enumerate(("red", "green", "blue"))
    for name, unit, text in (
        ("share", "1", f"Part of the photo that is {colour}: more so than the photo as a whole."),
        ("x", "px", f"Where the {colour} pixels lie: their centre from the left."),
        ("y", "px", f"Where the {colour} pixels lie: their centre from the top."),
    )
)
