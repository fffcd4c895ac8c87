"""Blends: frames that are a mixture of the frames before and after, as ghosting is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vfiscope.signals.frame_flow import fetched_along, flow_between, tiny_scale
from vfiscope.signals.frame_views import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["BLEND_SIGNALS", "Blend", "blend"]

MIN_MOVED_CODES = 14.0
"""Difference of the frames before and after, in code values, where a blend shows."""
MIN_MOVED_PX = 40
"""Tiny pixels that must differ so much."""
BLEND_WEIGHTS = (0.2, 0.8)
"""Part of the frame before in a blend; beyond, it is a repeat."""
MIN_CARRIED_CODES = 1.0
"""Least residual of motion that the one of a blend is divided by."""
BLEND_MOTION_SHARE = 0.8


class Blend(NamedTuple):
    """How well a mixture of its neighbours explains a frame."""

    residual: float
    """Mean difference to the mixture, as a multiple of that to the neighbours along their
    motion."""
    gradient: float
    """Mean slope of the frame as a part of that of its neighbours."""
    motion: float
    """Pixels of the frame that content moves from the frame before to the one after (80th
    percentile)."""


def blend(frame: SignalFrame) -> Blend | None:
    """The frame against mixtures of those around it, at the places where they differ by more than
    14 code values; None where there are none around it or too few such places.

    With p and n the frames before and after, the mixture is a p + (1 - a) n with the a of 0.2 to
    0.8 that fits best. A ghost is close to it, and a moving edge far from it; slow motion is close
    to both, and therefore divided by the least of |f - p|, |f - n| and |f - (p + n) / 2| with p and
    n brought half of the way along the flow between them. Tiny frames, at most 240 px wide.
    """
    before, after = frame.before, frame.after
    if before is None or after is None:
        return None
    past, coming = before.tiny, after.tiny

    def compute() -> Blend | None:
        step = past.astype(np.float32) - coming
        moved = np.abs(step) > MIN_MOVED_CODES
        if moved.sum() < MIN_MOVED_PX:
            return None
        flow = flow_between(past, coming)
        if flow is None:
            return None
        now = frame.tiny.astype(np.float32)
        part = float((step[moved] * (now - coming)[moved]).sum() / np.square(step[moved]).sum())
        mixture = coming + np.float32(np.clip(part, *BLEND_WEIGHTS)) * step
        left = float(np.abs(now - mixture)[moved].mean())
        half = flow * np.float32(0.5)
        old, new = fetched_along(past, -half), fetched_along(coming, half)
        ways = [np.abs(now - each) for each in (old, new, (old + new) / 2)]
        least = float(np.minimum.reduce(ways)[moved].mean())
        own, *around = (float(each.slopes[moved].mean()) for each in (frame, before, after))
        usual = sum(around) / 2
        lengths = np.hypot(flow[..., 0], flow[..., 1])[moved]
        return Blend(
            left / max(MIN_CARRIED_CODES, least),
            own / usual if usual else math.nan,
            ranked(lengths, BLEND_MOTION_SHARE)[0] * tiny_scale(frame),
        )

    return frame.share("blend", compute)


def _part(name: str) -> Callable[[SignalFrame], float]:
    def compute(frame: SignalFrame) -> float:
        found = blend(frame)
        return math.nan if found is None else float(getattr(found, name))

    return compute


BLEND_SIGNALS = tuple(
    Signal(
        SignalSpec(f"blend_{name}", unit, text),
        _part(name),
        Sight.BEFORE | Sight.AFTER,
        usual=True,
    )
    for name, unit, text in (
        (
            "residual",
            "1",
            "Difference to a mixture of the frames before and after, as a multiple of that to them"
            " along their motion; near 0 for a blend.",
        ),
        (
            "gradient",
            "1",
            "Slope of luma where the frames before and after differ, as a part of theirs.",
        ),
        ("motion", "px", "How far content moves from the frame before to the frame after."),
    )
)
