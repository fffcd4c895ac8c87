"""Runs of frames that show the frame before them again, outside of patterns: what the detectors of
repeats, freezes and drops share."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.columns import Columns
from vfiscope.segments.evidence.context import Context, context_of
from vfiscope.segments.evidence.held import (
    CHANGE_SIGNALS,
    LEAST_CHANGE,
    MIN_STEP_PACE,
    Bool,
    Pattern,
    change_of,
    clear_patterns,
    lowest_around,
    only_light,
    patterns_of,
    turns_round,
)
from vfiscope.types import Float64

__all__ = [
    "MIN_REPEAT_STD",
    "REPEAT_SIGNALS",
    "Repeat",
    "evenly",
    "repeated_rows",
    "repeats_of",
    "rows_in_cadence",
    "shown_again",
]

REPEAT_SIGNALS = (
    *CHANGE_SIGNALS,
    *("frame_difference", "luma_mean", "luma_std", "pace", "structure_step", "histogram_step"),
)
EVEN_SIGNALS = ("difference_p99", "frame_difference")
SURROUNDINGS = (2, 4, 8, 16, 32, 64, 128)
"""Rows on either side: a freeze is as long as that at most."""
LULLS = (0.6, 0.3, 0.15, 0.7)
"""Changes in parts of the most within these rows, below which a row may be a repeat; the last one
where the others found none."""
MAX_LULL = 0.7
SIDE_ROWS = 6
MAX_TURN_ROWS, TURN_SHARE = 3, 0.35
"""Rows in which motion turns round, and by how much more than the run the rows beside it let
expect, in parts of theirs."""
MAX_SPREAD_STEP = 0.02
"""Step of the spread of luma, in parts of it, in a dissolve."""
MIN_NEW_STRUCTURE, MIN_NEW_HISTOGRAM = 0.28, 0.08
"""Steps of structure and colours with which another shot begins. Behind a freeze the structure
jumps too."""
MIN_REPEAT_STD = 3.0
"""Standard deviation of luma below which a frame shows nothing that could stand still."""
SLOPE_OF_RATIO, SLOPE_OF_CHANGE, SLOPE_OF_PACE, EVEN_REPEAT = 2.5, 1.0, 4.0, 6.2
"""Logit by the logarithms of the ratio and of the usual change, and by the usual motion; and where
it is even."""
CODED_CHANGE, CODED_SHARE, SLOPE_OF_CODED = 5.0, 0.1, 3.0
"""Code values, and part of the usual change, that a codec puts between a frame and its repeat at
most: a frame that is half new changes by more where much moves."""
UNKNOWN_PACE, EVEN_PACE, UNSEEN_PACE = 0.4, 0.8, 0.1
"""Motion that counts where none is known: beside a repeat, where little moves there; where frames
change evenly; and in a repeat."""
MIN_EVEN = 0.5
"""The least change beside a repeat in parts of the most, where frames change evenly."""
LEAST_USUAL, LOGIT_AT_LEAST, SLOPE_OF_SMALL = 2.0, 0.3, 2.0
"""Code values below which nothing moves that could stand still; the logit there at most, and its
slope: below 4 code values a codec alone makes frames alike."""
LONG_RUN, LONG_QUANTILE, ARRIVED_SHARE = 3, 0.75, 0.3
"""Rows from which on a run may be renewed by the codec here and there, and may begin late; then it
changes by that part of what was before."""
MIN_END_ROWS, MAX_END_SHARE, MIN_END_EDGE = 4, 0.15, 0.6
"""Of a run at the start or end of a clip or beside another shot: its least length, its greatest
change in parts of the usual one, and the least change beside it: what stands still by itself starts
slowly."""
MIN_END_USUAL, MIN_END_PACE = 4.0, 0.6


class Repeat(NamedTuple):
    """A run of rows that change much less than those before and after it."""

    first: int
    last: int
    inside: float
    """The most that they change."""
    usual: float
    """What rows before and after it usually change, on the calmer side."""
    edge: float
    """The change of the row before and of the one after, the smaller one."""
    stopped: float
    """Motion of the rows before and after it, in usual steps and each at most 1, less its own."""
    ends: bool = False
    """It lies at the start or end of the clip or beside another shot, so that one side tells."""

    @property
    def ratio(self) -> float:
        """What the run changes in parts of what goes on around it."""
        return self.inside / min(self.usual, self.edge)

    @property
    def is_sharp(self) -> bool:
        """Whether even motion stops at once, which is told by one side too."""
        stops = self.inside < MAX_END_SHARE * self.usual and self.edge > MIN_END_EDGE * self.usual
        return stops and self.usual > MIN_END_USUAL and self.stopped > MIN_END_PACE

    @property
    def margin(self) -> float:
        """How clearly the run repeats the frame before it, 1 where that is just probable: by how
        little it changes, by how much the others do, and by how evenly they move. Fitted on the
        tuning half of ``benchmarks/faults.py``, whose repeats a codec changes by up to 5 code
        values."""
        logit = SLOPE_OF_CHANGE * math.log(self.usual) - SLOPE_OF_RATIO * math.log(self.ratio)
        logit += SLOPE_OF_PACE * self.stopped - EVEN_REPEAT
        coded = SLOPE_OF_CODED * math.log(
            (CODED_CHANGE + CODED_SHARE * self.usual) / max(self.inside, LEAST_CHANGE)
        )
        small = LOGIT_AT_LEAST + SLOPE_OF_SMALL * math.log(self.usual / LEAST_USUAL)
        return math.exp(min(logit, coded, small))


def repeats_of(columns: Columns) -> list[Repeat]:
    """The runs of rows outside of patterns that may repeat the row before them, in order."""

    def compute() -> list[Repeat]:
        change = change_of(columns).copy()
        for pattern in patterns_of(columns):
            change[pattern.first : pattern.last + 1] = np.nan
        context = context_of(columns)
        pace, spread = context.signal("pace"), context.signal("luma_std")
        begins = context.signal("structure_step") > MIN_NEW_STRUCTURE
        begins &= context.signal("histogram_step") > MIN_NEW_HISTOGRAM
        turns = turns_round(context)
        rows = Rows(change, only_light(context) | _passes(context), begins, np.abs(pace))
        return [
            repeat
            for repeat in sorted([*_repeats(rows), *_at_the_ends(rows)])
            if spread[repeat.first] > MIN_REPEAT_STD
            and not (
                repeat.last - repeat.first < MAX_TURN_ROWS
                and turns[repeat.first : repeat.last + 1].any()
            )
        ]

    return columns.share("repeats", compute)


def rows_in_cadence(context: Context, *, of_fields: bool = False) -> Bool:
    """(N,) True in a regular pattern of repeats, or in those of fields alone: of runs that hold all
    signals, else nowhere."""
    rows = np.zeros(len(context.columns.frames), np.bool_)
    for pattern in _patterns_if_known(context):
        first, last = pattern.whole(len(rows))
        rows[first : last + 1] |= pattern.has_fields or not of_fields
    return rows


def shown_again(context: Context) -> Bool:
    """(N,) True for rows that show the frame before them again in a pattern: of runs that hold all
    signals, else nowhere. What moves there is no motion of what is shown."""
    columns = context.columns
    return columns.share("shown_again", lambda: _again(context, _patterns_if_known(context)))


def repeated_rows(context: Context) -> Bool:
    """(N,) True for rows that show the frame before them again, in a pattern or by themselves: of
    runs that hold all signals, else nowhere."""
    rows = shown_again(context).copy()
    if all(name in context.columns.signals for name in REPEAT_SIGNALS):
        for repeat in repeats_of(context.columns):
            rows[repeat.first : repeat.last + 1] |= repeat.margin >= 1
    return rows


def _again(context: Context, patterns: list[Pattern]) -> Bool:
    rows = np.zeros(len(context.columns.frames), np.bool_)
    for pattern in patterns:
        if not pattern.has_fields:
            rows[pattern.all_repeats(len(rows))] = True
    rows[:1] = False
    return rows


def evenly(context: Context, name: str) -> Float64:
    """(N,) a signal of what is new in each frame, spread evenly over all frames that show it: in a
    clear pattern of repeats all comes with the first of these. No motion is asked for, which takes
    most of the time of a scan."""

    def clear() -> Bool:
        most, mean = (context.signal(each) + LEAST_CHANGE for each in EVEN_SIGNALS)
        return _again(context, clear_patterns(np.sqrt(most * mean)))

    def compute() -> Float64:
        values, again = context.signal(name), context.columns.share("clearly_again", clear)
        if not again.any():
            return values
        first = np.flatnonzero(~again)
        times = np.diff(first, append=len(values))
        return np.asarray(np.repeat(values[first] / times, times), np.float64)

    return context.columns.share(f"evenly {name}", compute)


def _patterns_if_known(context: Context) -> list[Pattern]:
    known = all(name in context.columns.signals for name in REPEAT_SIGNALS)
    return patterns_of(context.columns) if known else []


def _passes(context: Context) -> Bool:
    """(N,) rows in a dissolve or another transition, where the whole frame changes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.abs(np.diff(np.log(context.signal("luma_std")), prepend=np.nan))
    other = context.signal("histogram_step") > MIN_NEW_HISTOGRAM
    return np.asarray((spread > MAX_SPREAD_STEP) | other, np.bool_)


class Rows(NamedTuple):
    """What is looked at to find repeats, each (N,)."""

    change: Float64
    lit: Bool
    """Light differs there, or a transition passes."""
    begins: Bool
    """Another shot begins there."""
    pace: Float64
    """Motion in usual steps, whatever its direction."""

    @property
    def turned(self) -> Rows:
        """The last one first."""
        return Rows(self.change[::-1], self.lit[::-1], self.begins[::-1], self.pace[::-1])

    def steady(self, *sides: slice, unknown: float = UNKNOWN_PACE) -> float:
        """Motion of the rows of these sides, each at most 1, or ``unknown``."""
        moved = np.concatenate([self.pace[side] for side in sides])
        known = np.isfinite(moved)
        total = float(np.minimum(moved[known], 1).sum()) + unknown * int((~known).sum())
        return total / len(moved) if len(moved) else unknown


def _repeats(rows: Rows) -> list[Repeat]:
    found: dict[tuple[int, int], Repeat | None] = {}
    for reach in SURROUNDINGS:
        around = lowest_around(rows.change, reach)
        for share in LULLS:
            lulls = _lulls(rows.change, rows.change < share * around, reach)
            for first, last in {*lulls} - {*found}:
                found[first, last] = _repeat(rows, first, last)
    kept: list[Repeat] = []
    taken = np.zeros(len(rows.change), bool)
    made = [each for each in found.values() if each is not None]
    for each in sorted(made, key=lambda each: (-each.margin, each)):
        if not taken[each.first : each.last + 1].any():
            taken[each.first : each.last + 1] = True
            kept.append(each)
    return kept


def _at_the_ends(rows: Rows) -> list[Repeat]:
    """Runs from the second frame on, and up to the last one, beside which much moves at once."""
    count, found = len(rows.change), []
    for looked, backwards in ((rows, False), (rows.turned, True)):
        start = 0 if backwards else 1
        change = looked.change[start:]
        starts = np.flatnonzero(~(change < LEAST_USUAL))
        length = int(starts[0]) if len(starts) else 0
        side = slice(start + length, start + length + SIDE_ROWS)
        beside = looked.change[side]
        if length < MIN_END_ROWS or len(beside) < SIDE_ROWS or not np.isfinite(beside).all():
            continue
        if looked.begins[side].any() or looked.lit[side].any():
            continue
        usual = float(np.sort(beside)[SIDE_ROWS // 4])
        inside = float(change[:length].max())
        first = count - length if backwards else start
        moved = usual, float(beside[0]), looked.steady(side)
        made = Repeat(first, first + length - 1, inside, *moved, True)
        if made.is_sharp:
            found.append(made)
    return found


def _lulls(change: Float64, calm: Bool, reach: int) -> list[tuple[int, int]]:
    """The runs of calm rows, shorter than ``reach``, that begin and end at once: the rows beside
    them change much more."""
    turns = np.diff(calm.astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1) - 1
    short = (last - first < reach) & (first > 0) & (last < len(change) - 1)
    first, last = first[short], last[short]
    if not len(first):
        return []
    inside = np.maximum.reduceat(change, np.c_[first, last + 1].ravel())[::2]
    edge = np.fmin(_arriving(change, first, last), change[last + 1])
    clear = (inside < MAX_LULL * edge) & (edge > LEAST_USUAL)
    clear &= ~_turning(change, first, last, inside)
    return list(zip(first[clear].tolist(), last[clear].tolist(), strict=True))


def _turning(
    change: Float64, first: NDArray[np.intp], last: NDArray[np.intp], inside: Float64
) -> Bool:
    """(M,) True where the rows before each run and those behind it change less and less towards
    it, so that it goes on as they do: motion that turns round, as of a pendulum."""
    before, after = change[first - 1], change[last + 1]
    expected = np.fmax(
        2 * before - change[np.fmax(first - 2, 0)],
        2 * after - change[np.fmin(last + 2, len(change) - 1)],
    )
    short = last - first < MAX_TURN_ROWS
    return np.asarray(short & (expected <= inside + TURN_SHARE * np.fmin(before, after)), np.bool_)


def _arriving(
    change: Float64, first: NDArray[np.intp], last: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(M,) the change of the row before each run. A codec may need two frames to arrive at a long
    one: then that of the row before this, if the run changes by much less at once."""
    before, earlier = change[first - 1], change[np.fmax(first - 2, 0)]
    two = (last - first + 1 >= LONG_RUN) & (change[first] < ARRIVED_SHARE * earlier)
    return np.where(two, np.fmax(before, earlier), before)


def _repeat(rows: Rows, first: int, last: int) -> Repeat | None:
    change, begins = rows.change, rows.begins
    usable = np.isfinite(change) & ~rows.lit
    before = slice(max(0, first - SIDE_ROWS), first)
    after = slice(last + 1, last + 1 + SIDE_ROWS)
    starts, stops = begins[before].nonzero()[0], begins[after].nonzero()[0]
    if len(starts):  # of its shot only
        before = slice(before.start + int(starts[-1]) + 1, first)
    if len(stops):
        after = slice(after.start, after.start + int(stops[0]))
    sides = [change[side][usable[side]] for side in (before, after)]
    long = last - first >= SIDE_ROWS
    known = [side for side in sides if len(side) >= (SIDE_ROWS // 2 if long else 1)]
    ends = _arriving(change, np.array([first]), np.array([last]))[0], change[last + 1]
    edges = [float(each) for each in ends if np.isfinite(each)]
    if not known or not edges:
        return None
    one_sided = long and len(known) < 2
    # Where each step was followed, colours that come are those of what moves, and no transition.
    beside_it = rows.pace[before if known[0] is sides[0] else after]
    followed = len(beside_it) == SIDE_ROWS and bool((beside_it >= MIN_END_PACE).all())
    usual = min(float(np.sort(side)[len(side) // 4]) for side in known)
    own = change[first : last + 1]
    renewed = len(own) > LONG_RUN and not one_sided
    inside = float(np.sort(own)[int(LONG_QUANTILE * (len(own) - 1)) if renewed else -1])
    beside, seen = np.concatenate(known), rows.pace[first : last + 1]
    even = float(beside.min()) > MIN_EVEN * float(beside.max())
    steady = rows.steady(before, after, unknown=EVEN_PACE if even else UNKNOWN_PACE)
    seen = np.sort(seen[np.isfinite(seen)])
    stopped = steady - (min(float(seen[len(seen) // 2]), 1.0) if len(seen) else UNSEEN_PACE)
    made = Repeat(first, last, inside, usual, min(edges), stopped, one_sided)
    moves = (
        usual > LEAST_USUAL
        and steady > MIN_STEP_PACE
        and (not one_sided or (made.is_sharp and (len(known[0]) == SIDE_ROWS or followed)))
    )
    return made if moves and made.ratio < MAX_LULL else None
