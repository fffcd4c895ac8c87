"""Steps of the light against a golden frame, in brightness or in colour."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain

from vfiscope.jit import map_rows
from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.low_score import low_scores
from vfiscope.segments.wording import told
from vfiscope.types import MetricSpec, Segment

__all__ = ["LIGHT_SIGNALS", "detect"]

LIGHT_SIGNALS = ("light_red", "light_green", "light_blue")
MIN_LIGHT_STEP = 0.05


def detect(columns: Columns) -> list[Segment]:
    """The frames whose light is clearly another than that of the clip or of the frames around them,
    by the same rule as low scores; a slow drift is the clip's own level.

    Where several channels step at once, the clearest of them is named.

    Args:
        columns: with the signals ``light_red``, ``light_green`` and ``light_blue``.
    """

    def judged(channel: int) -> list[Segment]:
        name = LIGHT_SIGNALS[channel]
        light = columns.signals[name]
        return low_scores(columns.frames, light, _spec(name), partial(_said, name))

    found = chain.from_iterable(map_rows(judged, len(LIGHT_SIGNALS)))
    kept: list[Segment] = []
    for segment in sorted(found, key=lambda each: -each.confidence):
        if all(segment.stop <= each.start or each.stop <= segment.start for each in kept):
            kept.append(replace(segment, kind="exposure"))
    return sorted(kept, key=lambda each: each.start)


def _said(name: str, light: float, frame: int) -> str:
    channel = name.removeprefix("light_")
    return f"{channel} of frame {frame} is {told(light)} times as bright as in the golden frame"


def _spec(name: str) -> MetricSpec:
    """Both sides of 1 are another light."""
    about = "Brightness as a part of that of the golden frame."
    return MetricSpec(name, "1", 0.0, float("inf"), False, 1.0, MIN_LIGHT_STEP, about)
