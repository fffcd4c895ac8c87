"""Fades: contrast that vanishes into an even frame, or comes out of one, within some frames.

With s the standard deviation of luma, ln(s + 1) falls or rises by 0.015 or more in each of four
rows at least (one row may rest), and in all by half of the contrast at least, not counting the
largest step, so that a cut to black is no fade. The even end is dark or bright, and what is left of
the structure stays while it fades. A fade out and a fade in close behind it are one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.spans import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.signals.cut_step import MAX_FADE_STRUCTURE, MIN_FADE_STEP
from vfiscope.types import Float64, Segment

__all__ = ["FADE_SIGNALS", "Fade", "detect", "fades"]

FADE_SIGNALS = ("luma_std", "luma_mean", "shot_step")
MIN_FADE_ROWS = 4
MIN_FADE = 0.5
"""Change of ln(s + 1) without its largest step."""
MAX_EVEN_STD = 15.0
"""Standard deviation of luma at the even end, in code values."""
MAX_FADE_HOLD = 8
"""Rows between a fade out and the fade in that belongs to it."""


@dataclass(frozen=True)
class Fade:
    """Rows [first, last], both included."""

    first: int
    last: int
    out: bool
    """Whether it begins with a fade out."""
    back: bool
    """Whether it ends with a fade in."""
    size: float
    """Change of ln(s + 1), without its largest step; of two the smaller one."""
    to: float
    """Mean luma of the most even row."""


def detect(columns: Columns) -> list[Segment]:
    """The fades of a video.

    Args:
        columns: with the signals of :data:`FADE_SIGNALS`.
    """
    std = context_of(columns).signal("luma_std")
    return [
        segment_of(
            *(columns.frames, "luma_std", std, -std, (fade.first, fade.last)),
            confidence("fade", fade.size / MIN_FADE),
            "fade",
            evidence=_said(std, fade),
        )
        for fade in fades(columns)
    ]


def fades(columns: Columns) -> list[Fade]:
    """Those of a run, computed once; none where it is no video."""
    return columns.share("fades", lambda: _found(columns))


def _said(std: Float64, fade: Fade) -> str:
    way = {(True, True): "out and in", (True, False): "out", (False, True): "in"}
    inside = std[fade.first : fade.last + 1]
    return (
        f"contrast fades {way[fade.out, fade.back]} within {fade.last - fade.first + 1} frames: the"
        f" standard deviation of luma is {told(inside.max())} at most and {told(inside.min())} at"
        f" least, where mean luma is {told(fade.to)}"
    )


def _found(columns: Columns) -> list[Fade]:
    context = context_of(columns)
    if not context.is_video:
        return []
    std, mean = context.signal("luma_std"), context.signal("luma_mean")
    structure = context.signal("shot_step")
    step = np.diff(np.log1p(std), prepend=np.nan)
    ways = [_one_way(std, mean, structure, step * sign, sign < 0) for sign in (-1, 1)]
    found: list[Fade] = []
    for fade in sorted((each for way in ways for each in way), key=lambda each: each.first):
        one = found.pop() if found and _returns(found[-1], fade) else None
        if one is not None:
            to = one.to if std[one.last] < std[fade.first] else fade.to
            fade = Fade(one.first, fade.last, True, True, min(one.size, fade.size), to)
        found.append(fade)
    return found


def _returns(one: Fade, other: Fade) -> bool:
    """True for a fade out and a fade in close behind it."""
    near = other.first - one.last <= MAX_FADE_HOLD
    return near and one.out and not one.back and other.back


def _one_way(
    std: Float64, mean: Float64, structure: Float64, step: Float64, out: bool
) -> list[Fade]:
    """Those in which contrast goes one way; ``step`` is positive there."""
    found = []
    for first, last in spans(step >= MIN_FADE_STEP, np.zeros(len(step), bool), reach=2):
        if last - first + 1 < MIN_FADE_ROWS:
            continue
        steps = np.nan_to_num(step[first : last + 1])
        size = float(steps.sum() - steps.max())
        # The row before a rise is the even one; the last row of a rise is whole again.
        even = last if out else first - 1
        lasting = structure[first : last + 1][std[first : last + 1] > MAX_EVEN_STD / 3]
        known = lasting[np.isfinite(lasting)]
        stays = len(known) == 0 or float(np.median(known)) <= MAX_FADE_STRUCTURE
        if size >= MIN_FADE and std[even] <= MAX_EVEN_STD and stays:
            end = last if out else last - 1
            found.append(Fade(first, end, out, not out, size, float(mean[even])))
    return found
