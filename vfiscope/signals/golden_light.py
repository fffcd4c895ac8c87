"""Light and change against the golden frame: what became of its light, and where more has changed
than that."""

from __future__ import annotations

import math
from functools import partial

from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["CHANGED_AREA", "LIGHTS", "changed_area", "light"]

LIGHT_CHANNELS = ("red", "green", "blue")


def light(frame: SignalFrame, channel: int) -> float:
    """Brightness of a channel as a part of that in the golden frame, by a gain and an offset that
    are fitted robustly (:mod:`vfiscope.signals.light_fit`); NaN where too much is black or
    white."""
    return math.nan if frame.light is None else float(frame.light.light[channel])


def changed_area(frame: SignalFrame) -> float:
    """Part of the frame, 0..1, whose colours differ from the golden frame's in this light; NaN as
    above."""
    return math.nan if frame.light is None else float(frame.light.changed.mean())


LIGHTS = tuple(
    Signal(
        SignalSpec(
            f"light_{name}", "1", f"Brightness in {name} as a part of that of the golden frame."
        ),
        partial(light, channel=channel),
        Sight.GOLDEN,
        usual=True,
    )
    for channel, name in enumerate(LIGHT_CHANNELS)
)
CHANGED_AREA = Signal(
    SignalSpec(
        "changed_area",
        "1",
        "Part of the frame that differs from the golden frame by more than light.",
    ),
    changed_area,
    Sight.GOLDEN,
    usual=True,
)
