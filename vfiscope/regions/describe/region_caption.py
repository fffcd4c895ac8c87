"""One sentence about a region."""

from __future__ import annotations

import math

from vfiscope.regions.describe.severity_of import times_threshold
from vfiscope.regions.describe.what_changed import Change
from vfiscope.regions.share_words import percent
from vfiscope.types import Box, place_words

__all__ = ["region_caption"]


def region_caption(
    kind: str,
    change: Change,
    box: Box,
    centre: tuple[float, float],
    size: tuple[int, int],
    *,
    share: float,
    peak: float,
    level: float,
    unit: str,
) -> str:
    """What happened where, how large it is, and how far above the threshold.

    Args:
        kind: of the region.
        change: what changed.
        box: tight extent.
        centre: (x, y) of the mask.
        size: (height, width) of the frame.
        share: area over that of the frame.
        peak, level: largest value and threshold, in the unit.
        unit: of the map.
    """
    where = place_words(*centre, size)
    return (
        f"{_event(kind, change)} {where} (x {box.x}, y {box.y}, {box.w}x{box.h} px,"
        f" {percent(share)} of the frame): {_height(peak, level, unit)}."
    )


def _height(peak: float, level: float, unit: str) -> str:
    """A method may have other rules beside its threshold, such as peaks and clusters."""
    times = times_threshold(peak, level)
    if math.isnan(times):
        return f"peak {peak:.3g} {unit}"
    other = "" if times >= 1 else " (marked by another rule of the method)"
    return f"{times:.1f} times the threshold{other}"


def _event(kind: str, change: Change) -> str:
    if not change.name:
        return "Something is not as in the normal frames"
    old, new = (_tone(change, index) for index in (0, 1))
    if kind == "moved" and change.move is not None:
        return f"Something moved by {_shift(*change.move)}"
    events = {
        "added": f"Something {new} was added",
        "missing": f"Something {old} is missing",
        "scratch": f"A {new} scratch or line appeared",
        "spot": f"A {new} spot appeared",
        "damage": _damage(change),
        "colour": f"Something {_became(change)}",
    }
    return events.get(kind, f"Something changed here ({_result(change)})").replace(
        "A orange", "An orange"
    )


def _tone(change: Change, index: int) -> str:
    """How the thing of one frame looks against what the other shows in its place."""
    if change.colour > abs(change.lighter):
        return change.looks[index]
    return "bright" if (change.lighter > 0) == bool(index) else "dark"


def _damage(change: Change) -> str:
    if change.name.startswith("texture"):
        return f"Something was damaged ({_result(change)})"
    return f"The outline of something changed ({_result(change)})"


def _result(change: Change) -> str:
    texture = {"texture_lost": "texture lost", "texture_gained": "texture gained"}
    if change.name in texture:
        return texture[change.name]
    return _became(change).removeprefix("became ").removeprefix("changed its ")


def _became(change: Change) -> str:
    if change.name in {"brighter", "darker"}:
        return f"became {change.name}"
    old, new = change.looks
    return "changed its colour" if old == new else f"changed its colour from {old} to {new}"


def _shift(x: float, y: float) -> str:
    across = f"{abs(x):.0f} px {'right' if x > 0 else 'left'}" if round(x) else ""
    along = f"{abs(y):.0f} px {'down' if y > 0 else 'up'}" if round(y) else ""
    return " and ".join(word for word in (across, along) if word)
