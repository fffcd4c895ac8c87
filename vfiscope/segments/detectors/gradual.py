"""Dissolves and wipes: one shot that becomes another within some frames.

Both bring new colours in every frame of a stretch, evenly, and far less before and behind it. They
are told from fast motion, and apart, by a second evidence. A mixture of two shots has less contrast
than both, and changes everywhere at once: a dissolve, flagged as ``fade``. A wipe changes the
blocks on its line most, and begins and ends at once: it is flagged as ``cut`` over all its frames.
A change everywhere at once whose contrast does not fall is a dissolve between a dark and a bright
shot, unless light that changes alike everywhere explains it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detectors.confidence import confidence
from vfiscope.segments.detectors.context import context_of, medians
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.fade import fades
from vfiscope.segments.detectors.light_changes import light_changes
from vfiscope.segments.detectors.shot_cut import SHOT_SIGNALS, cut_margin
from vfiscope.segments.evidence import told
from vfiscope.segments.spans import segment_of, spans
from vfiscope.types import Float64, Segment

__all__ = ["GRADUAL_SIGNALS", "detect", "gradual_rows"]

GRADUAL_SIGNALS = (*SHOT_SIGNALS, "frame_difference", "difference_p99")
MIN_GRADUAL_ROWS, MAX_GRADUAL_ROWS = 7, 60
USUAL_ROWS = range(-60, 61, 5)
"""Rows whose median is the usual share of new colours."""
MIN_NEW_COLOURS, NEW_TIMES_USUAL = 0.015, 2.0
"""Part of the colours that are new in a frame; the same as a multiple of the usual one."""
ALL_NEW_COLOURS = 0.4
"""Sum of these parts over the stretch."""
MAX_UNEVEN = 4.0
"""Most new colours in one frame as a multiple of the median: more is a cut or a flash."""
END_SHARE = 0.4
"""Rows at either end with less than this part of the median do not belong to it."""
GRADUAL_SIDE = 6
"""Rows before and behind that are compared with the stretch."""
MIN_OVER_SIDES = 2.0
MAX_MIXED_CONTRAST = 0.93
"""Contrast within a dissolve, as a part of the lower one of both ends."""
MAX_MIXED_PEAK, MAX_EVEN_PEAK = 8.0, 4.0
"""Change of the most changed blocks of a dissolve as a multiple of the mean change; and where it is
evidence by itself."""
MIN_LIGHT_APART = 0.25
"""Spread of the logarithms of light over blocks, in parts of their median, beyond that of light."""
MIN_WIPE_PEAK = 5.0
MIN_ONSET = 2.5
"""New colours in the first and last three rows of a wipe as a multiple of those beyond."""


@dataclass(frozen=True)
class _Stretch:
    first: int
    last: int
    """The last row that brings new colours: the first whole frame of the other shot."""
    colours: float
    """Sum of the new colours."""
    over: float
    """New colours as a multiple of those of the richer side."""
    onset: float
    """The same at the less sudden end."""
    contrast: float
    """Least standard deviation of luma as a part of that of the ends."""
    peak: float
    """Change of the most changed blocks as a multiple of the mean change."""
    apart: float
    """Spread of the change of light over the blocks, in parts of it."""

    @property
    def dissolves(self) -> bool:
        mixed = self.contrast <= MAX_MIXED_CONTRAST and self.peak <= MAX_MIXED_PEAK
        return mixed or (self.peak <= MAX_EVEN_PEAK and self.apart >= MIN_LIGHT_APART)

    @property
    def wipes(self) -> bool:
        return self.peak >= MIN_WIPE_PEAK and self.onset >= MIN_ONSET

    @property
    def evidence(self) -> str:
        how = "dissolves into" if self.dissolves else "is replaced by"
        second = (
            f"contrast falls to {told(self.contrast)} of that beside them"
            if self.dissolves and self.contrast < 1
            else f"the most changed blocks change {told(self.peak)} times as much as the mean"
        )
        return (
            f"one shot {how} another within {self.last - self.first} frames: new colours come"
            f" {told(self.over)} times as fast as beside them, and {second}"
        )


def detect(columns: Columns) -> list[Segment]:
    """The dissolves and wipes of a video.

    Silent where an interpolation stores the score ``cut``.

    Args:
        columns: with the signals of :data:`GRADUAL_SIGNALS`.
    """
    context = context_of(columns)
    if not context.is_video or "cut" in columns.scores:
        return []
    colours = context.signal("histogram_step")
    return [
        segment_of(
            *(columns.frames, "histogram_step", colours, colours, (each.first, each.last - 1)),
            confidence(
                "transition", min(each.colours / ALL_NEW_COLOURS, each.over / MIN_OVER_SIDES)
            ),
            "fade" if each.dissolves else "cut",
            evidence=each.evidence,
        )
        for each in _transitions(columns)
    ]


def gradual_rows(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True in dissolves and wipes, and at the first whole frame behind them."""
    rows = np.zeros(len(columns.frames), bool)
    for each in _transitions(columns):
        rows[each.first : each.last + 1] = True
    return rows


def _transitions(columns: Columns) -> list[_Stretch]:
    """The dissolves and wipes of a run, computed once."""

    def compute() -> list[_Stretch]:
        found = [_measured(columns, *rows) for rows in _stretches(columns)]
        clear = [each for each in found if each.over >= MIN_OVER_SIDES]
        return [each for each in clear if each.dissolves or each.wipes]

    return columns.share("gradual", compute)


def _stretches(columns: Columns) -> list[tuple[int, int]]:
    """(first, last) rows of stretches of new colours that nothing else explains."""
    colours = np.nan_to_num(context_of(columns).signal("histogram_step"))
    usual = medians(colours, USUAL_ROWS)
    otherwise = _otherwise(columns)
    new = (colours >= np.maximum(MIN_NEW_COLOURS, NEW_TIMES_USUAL * usual)) & ~otherwise
    found = []
    for first, last in spans(new, np.zeros(len(new), bool), reach=2):
        inside = colours[first : last + 1]
        level = float(np.median(inside))
        held = np.flatnonzero(inside >= END_SHARE * level)
        first, last = first + int(held[0]), first + int(held[-1])
        even = float(inside.max()) <= MAX_UNEVEN * level
        length = MIN_GRADUAL_ROWS <= last - first + 1 <= MAX_GRADUAL_ROWS
        free = not otherwise[max(0, first - 2) : last + 3].any()
        if even and length and free and float(inside.sum()) >= ALL_NEW_COLOURS:
            found.append((first, last))
    return found


def _otherwise(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True in fades and flicker, and at cuts."""
    rows = light_changes(columns).flickering | (cut_margin(columns) >= 1)
    for fade in fades(columns):
        rows[fade.first : fade.last + 2] = True
    return rows


def _measured(columns: Columns, first: int, last: int) -> _Stretch:
    context = context_of(columns)
    names = ("histogram_step", "luma_std", "difference_p99", "frame_difference")
    colours, std, peak, mean = (context.signal(name) for name in names)
    light, spread = context.signal("light_step"), context.signal("light_spread")
    inside = slice(first, last + 1)
    before = _median(colours[max(0, first - GRADUAL_SIDE) : first])
    after = _median(colours[last + 1 : last + 1 + GRADUAL_SIDE])
    onset = _median(colours[first : first + 3]) / _median(colours[max(0, first - 3) : first])
    end = _median(colours[last - 2 : last + 1]) / _median(colours[last + 1 : last + 4])
    ends = min(std[max(0, first - 1)], std[min(len(std) - 1, last + 1)])
    return _Stretch(
        first,
        last,
        float(np.nansum(colours[inside])),
        _median(colours[inside]) / max(before, after),
        min(onset, end),
        float(np.nanmin(std[inside])) / max(float(ends), 1e-3),
        _median(peak[inside]) / _median(mean[inside]),
        _median(spread[inside]) / _median(np.abs(light[inside])),
    )


def _median(values: Float64) -> float:
    """That of those that are known, at least 0.001; 0.001 where none is."""
    known = values[np.isfinite(values)]
    return max(1e-3, float(np.median(known))) if len(known) else 1e-3
