"""A photo of a time-lapse against the photos before it: bumps of the camera, steps of the light in
each channel, and what else has changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from vfiscope.signals.photo_view import Placed, light_on_earlier, photo_on_earlier
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["PHOTO_STEPS"]


def _of(frame: SignalFrame, part: Callable[[Placed], float]) -> float:
    """A number of where the photo lies on an earlier one; NaN where it lies on none."""
    found = photo_on_earlier(frame)
    return math.nan if found is None else part(found)


def _light(frame: SignalFrame, channel: int | None = None) -> float:
    """The factor of a channel, or how many rows back it is relative to."""
    found = light_on_earlier(frame)
    if found is None:
        return math.nan
    return found.back if channel is None else float(found.light[channel])


def _signal(name: str, unit: str, text: str, part: Callable[[Placed], float]) -> Signal:
    spec = SignalSpec(name, unit, text)
    return Signal(spec, partial(_of, part=part), Sight.BEFORE | Sight.PAST, dated=True)


def _light_signal(name: str, unit: str, text: str, channel: int | None = None) -> Signal:
    spec = SignalSpec(name, unit, text)
    return Signal(spec, partial(_light, channel=channel), Sight.BEFORE | Sight.PAST, dated=True)


LIGHT_OF_PHOTOS = (
    _light_signal(
        "exposure_back",
        "frames",
        "How many rows back the earliest of six photos lies that shows the same place.",
    ),
    *(
        _light_signal(
            f"exposure_{colour}",
            "ln",
            f"Logarithm of {colour} divided by that of that photo, in place; 0.01 is 1 % brighter.",
            channel,
        )
        for channel, colour in enumerate(("red", "green", "blue"))
    ),
)
PHOTO_STEPS = (
    *LIGHT_OF_PHOTOS,
    _signal(
        "photo_back",
        "frames",
        "How many rows back the latest of six photos lies that shows the same place; NaN where none"
        " does.",
        lambda found: found.back,
    ),
    _signal(
        "bump_x",
        "px",
        "How far the content of that photo moved to the right, by points (SIFT).",
        lambda found: found.x,
    ),
    _signal("bump_y", "px", "How far it moved down.", lambda found: found.y),
    _signal("bump_rotation", "deg", "How far it turned clockwise.", lambda found: found.rotation),
    _signal("bump_scale", "1", "Factor by which it grew.", lambda found: found.scale),
    _signal(
        "bump_residual",
        "px",
        "Root mean squared distance that is left between its points.",
        lambda found: found.residual,
    ),
    _signal(
        "bump_points", "1", "Part of its points that agree on this.", lambda found: found.agreeing
    ),
    _signal(
        "exposure_spread",
        "ln",
        "Interquartile range over the photo of ln of its light by the photo of photo_back.",
        lambda found: found.spread,
    ),
    _signal(
        "changed_step",
        "1",
        "Part of the photo that differs from that photo, in place, by more than light.",
        lambda found: found.changed,
    ),
)
