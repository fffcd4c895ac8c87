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

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.fade import fades
from vfiscope.segments.detectors.shot_cut import SHOT_SIGNALS, cut_margin
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of, medians, shifted
from vfiscope.segments.evidence.light_changes import light_changes
from vfiscope.segments.evidence.repeats import evenly
from vfiscope.segments.spans import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["GRADUAL_SIGNALS", "detect", "gradual_rows"]

GRADUAL_SIGNALS = (*SHOT_SIGNALS, "frame_difference", "difference_p99")
STEPS = ("histogram_step", "difference_p99", "frame_difference", "light_step", "light_spread")
"""What comes with each frame."""
MIN_GRADUAL_ROWS, MAX_GRADUAL_ROWS = 7, 60
USUAL_ROWS = range(-60, 61, 5)
"""Rows whose median is the usual share of new colours."""
MIN_NEW_COLOURS, NEW_TIMES_USUAL = 0.015, 2.0
"""Part of the colours that are new in a frame; the same as a multiple of the usual one, or of that
of the calmer side."""
ALL_NEW_COLOURS = 0.4
"""Sum of these parts over the stretch."""
SOME_NEW_COLOURS = ALL_NEW_COLOURS / 2
"""Below which the sum is surely too small, however it is rounded."""
ALL_WIPED_COLOURS = 0.55
"""The same of a wipe, behind which nothing is left of the shot before."""
MAX_UNEVEN, MAX_LONE = 4.0, 2.0
"""Most new colours in one frame as a multiple of the median, and of those of the frame beside it
that has more: what is above both is a cut or a flash."""
END_SHARE = 0.4
"""Rows at either end with less than this part of the median do not belong to it."""
MAX_FAINT_ROWS = 4
"""Rows at either end whose colours are hardly new, and that change as much as the others."""
MIN_SWEPT = 0.55
"""Root of the product of new colours and of the change of the most changed blocks, in code values:
on the line of a wipe both are high at once."""
MIN_SIDE_ROWS = 3
"""Rows on either side from which it can be told how suddenly a wipe begins and ends."""
GRADUAL_SIDE = 6
"""Rows before and behind that are compared with the stretch."""
MIN_OVER_SIDES = 2.0
MIN_OVER_RESTLESS = (1.5, 3.0)
"""The same of a stretch between a restless and a calm shot: over the richer side, and the geometric
mean over both."""
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
    over_both: float
    """The geometric mean of both sides' multiples."""
    onset: float
    """The same at the less sudden end; 0 where the clip begins or ends there."""
    onset_both: float
    contrast: float
    """Least standard deviation of luma as a part of that of the ends."""
    peak: float
    """Change of the most changed blocks as a multiple of the mean change."""
    apart: float
    """Spread of the change of light over the blocks, in parts of it."""

    @property
    def is_clear(self) -> bool:
        one, both = MIN_OVER_RESTLESS
        return self.over >= MIN_OVER_SIDES or (self.over >= one and self.over_both >= both)

    @property
    def mixes(self) -> bool:
        return self.contrast <= MAX_MIXED_CONTRAST and self.peak <= MAX_MIXED_PEAK

    @property
    def dissolves(self) -> bool:
        return self.mixes or (self.peak <= MAX_EVEN_PEAK and self.apart >= MIN_LIGHT_APART)

    @property
    def wipes(self) -> bool:
        one, both = MIN_OVER_RESTLESS
        sudden = self.onset >= one and self.onset_both >= both
        other = self.colours >= ALL_WIPED_COLOURS
        return other and self.peak >= MIN_WIPE_PEAK and (self.onset >= MIN_ONSET or sudden)

    @property
    def evidence(self) -> str:
        how = "dissolves into" if self.dissolves else "is replaced by"
        second = (
            f"contrast falls to {told(self.contrast)} of that beside them"
            if self.mixes
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
        context = context_of(columns)
        colours = np.nan_to_num(evenly(context, "histogram_step"))
        swept = np.sqrt(colours * np.nan_to_num(evenly(context, "difference_p99")))
        found: list[_Stretch] = []
        for change, least in ((colours, MIN_NEW_COLOURS), (swept, MIN_SWEPT)):
            sides = [medians(change, rows) for rows in (range(-60, 0, 5), range(5, 61, 5))]
            for usual in (medians(change, USUAL_ROWS), np.fmin(*sides)):
                new = change >= np.maximum(least, NEW_TIMES_USUAL * np.nan_to_num(usual))
                for rows in _stretches(columns, change, new):
                    each = _measured(columns, *rows, change)
                    told_so = each.wipes or (each.dissolves and change is colours)
                    apart = all(each.last < one.first or each.first > one.last for one in found)
                    if each.is_clear and told_so and apart:
                        found.append(each)
        return sorted(found, key=lambda each: each.first)

    return columns.share("gradual", compute)


def _stretches(columns: Columns, change: Float64, new: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, last) rows of stretches in which more changes than usual, as ``new`` says, and that
    nothing else explains."""
    colours = np.nan_to_num(evenly(context_of(columns), "histogram_step"))
    otherwise = _otherwise(columns)
    new = new & ~otherwise
    seen = np.append(0.0, np.cumsum(colours))
    found = []
    for first, last in spans(new, np.zeros(len(new), bool), reach=2):
        # Quick to know, and so of most of them.
        if last - first + 1 < MIN_GRADUAL_ROWS or seen[last + 1] - seen[first] < SOME_NEW_COLOURS:
            continue
        inside = change[first : last + 1]
        level = float(np.median(inside))
        held = np.flatnonzero(inside >= END_SHARE * level)
        first, last = first + int(held[0]), first + int(held[-1])
        most = int(inside.argmax())
        beside = max(shifted(inside, -1)[most], shifted(inside, 1)[most])
        even = inside[most] <= max(MAX_UNEVEN * level, MAX_LONE * beside)
        length = MIN_GRADUAL_ROWS <= last - first + 1 <= MAX_GRADUAL_ROWS
        free = not otherwise[max(0, first - 2) : last + 3].any()
        if even and length and free and float(colours[first : last + 1].sum()) >= ALL_NEW_COLOURS:
            found.append(_extended(columns, first, last))
    return found


def _extended(columns: Columns, first: int, last: int) -> tuple[int, int]:
    """The stretch with the rows at its ends that change as much, though in colours that are hardly
    new: a dissolve begins and ends so."""
    mean = evenly(context_of(columns), "frame_difference")
    most = END_SHARE * _median(mean[first : last + 1])
    for _ in range(MAX_FAINT_ROWS):
        beyond = _median(mean[max(0, first - 1 - GRADUAL_SIDE) : max(0, first - 1)])
        if first > 1 and mean[first - 1] >= max(most, MIN_ONSET * beyond):
            first -= 1
        beyond = _median(mean[last + 2 : last + 2 + GRADUAL_SIDE])
        if last + 2 < len(mean) and mean[last + 1] >= max(most, MIN_ONSET * beyond):
            last += 1
    return first, last


def _otherwise(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True in fades and flicker, and at cuts; computed once."""

    def compute() -> NDArray[np.bool_]:
        rows = light_changes(columns).flickering | (cut_margin(columns) >= 1)
        for fade in fades(columns):
            rows[fade.first : fade.last + 2] = True
        return rows

    return columns.share("not_gradual", compute)


def _measured(columns: Columns, first: int, last: int, change: Float64) -> _Stretch:
    context = context_of(columns)
    colours, peak, mean, light, spread = (evenly(context, name) for name in STEPS)
    std = context.signal("luma_std")
    inside = slice(first, last + 1)
    before = _median(change[max(0, first - GRADUAL_SIDE) : first])
    after = _median(change[last + 1 : last + 1 + GRADUAL_SIDE])
    level = _median(change[inside])
    both_known = first > MIN_SIDE_ROWS and last < len(change) - MIN_SIDE_ROWS
    onset = _median(change[first : first + 3]) / _median(change[max(0, first - 3) : first])
    end = _median(change[last - 2 : last + 1]) / _median(change[last + 1 : last + 4])
    ends = min(std[max(0, first - 1)], std[min(len(std) - 1, last + 1)])
    return _Stretch(
        first,
        last,
        float(np.nansum(colours[inside])),
        level / max(before, after),
        level / float(np.sqrt(before * after)),
        min(onset, end) if both_known else 0.0,
        float(np.sqrt(onset * end)),
        float(np.nanmin(std[inside])) / max(float(ends), 1e-3),
        _median(peak[inside]) / _median(mean[inside]),
        _median(spread[inside]) / _median(np.abs(light[inside])),
    )


def _median(values: Float64) -> float:
    """That of those that are known, at least 0.001; 0.001 where none is."""
    known = np.sort(values[np.isfinite(values)])
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2 if len(known) else 0.0
    return max(1e-3, float(middle))
