"""Rows that show the frame before them again, and the patterns in which they come: what the
detectors of repeats, freezes, drops and cadences share."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors.context import Context, chance, context_of
from vfiscope.segments.rules import spans
from vfiscope.types import Float64

__all__ = [
    "DIP_REACH",
    "REPEAT_SIGNALS",
    "Pattern",
    "Repeat",
    "change_of",
    "patterns_of",
    "repeats_of",
]

Bool = NDArray[np.bool_]

CHANGE_SIGNALS = ("difference_p99", "difference_rms")
REPEAT_SIGNALS = (
    *CHANGE_SIGNALS,
    *("frame_difference", "luma_mean", "luma_std", "pace", "structure_step", "histogram_step"),
)
LIGHT_SHARE = 0.5
"""Part of the mean difference that one of the mean luma makes up, above which light changes there,
whether or not something moves."""
LEAST_CHANGE = 0.05
"""Code values added to a change, so that none at all is a number too."""
DIP_REACH = 3
MAX_DIP, MAX_UNSEEN_DIP = 0.78, 0.72
"""Change of a row in parts of what goes on within three rows on either side, below which it may be
part of a pattern; less where no motion is seen that slows down there. Where one field of two is
new, it is 0.6 to 0.75."""
SLOWER, STILL_PACE = 0.85, 0.5
"""Motion of the repeats of a pattern in parts of that of the other rows: at most, and where no
codec explains them."""
PERIODS = range(2, 13)
MIN_PATTERN_ROWS, MIN_SAME_CYCLES = 12, 4
MAX_STRAY_SHARE = 0.2
"""Part of the other rows of a pattern that may be as calm by chance."""
LEAST_SHARE, WEAK_QUANTILE = 0.01, 0.75
CODEC_CHANGE = 2.5
"""Code values by which frames may differ because they are coded differently well."""
MIN_CERTAINTY = 4.5
"""Sum of the logarithms by which repeats stand out."""
SURROUNDINGS = (2, 4, 8, 16, 32, 64, 128)
"""Rows on either side: a freeze is as long as that at most."""
LULLS = (0.6, 0.3, 0.15, 0.7)
"""Changes in parts of the most within these rows, below which a row may be a repeat; the last one
where the others found none."""
MAX_RATIO = 0.7
SIDE_ROWS = 6
MAX_SPREAD_STEP = 0.02
"""Step of the spread of luma, in parts of it, in a dissolve."""
MIN_NEW_STRUCTURE, MIN_NEW_HISTOGRAM = 0.28, 0.08
"""Steps of structure and colours with which another shot begins. Behind a freeze the structure
jumps too."""
MAX_REPEAT_PACE = 0.5
"""Motion of a repeat in usual steps: what is blurred changes little too, but moves on."""
MIN_STEP_PACE = 0.15
"""Motion of the other rows of a pattern, in usual steps."""
MIN_REPEAT_STD = 3.0
"""Standard deviation of luma below which a frame shows nothing that could stand still."""
SLOPE_OF_RATIO, SLOPE_OF_CHANGE, SLOPE_OF_PACE, EVEN_REPEAT = 2.5, 1.0, 4.0, 6.2
"""Logit by the logarithms of the ratio and of the usual change, and by the usual motion; and where
it is even."""
CODED_CHANGE, CODED_SHARE, SLOPE_OF_CODED = 5.0, 0.1, 3.0
"""Code values, and part of the usual change, that a codec puts between a frame and its repeat at
most: a frame that is half new changes by more where much moves."""
UNKNOWN_PACE, UNSEEN_PACE = 0.4, 0.1
"""Motion that counts where none is known, beside a repeat and in it: little moves there."""
LEAST_USUAL = 2.0
"""Code values below which nothing moves that could stand still."""
LONG_RUN, LONG_QUANTILE, ARRIVED_SHARE = 3, 0.75, 0.3
"""Rows from which on a run may be renewed by the codec here and there, and may begin late; then it
changes by that part of what was before."""
MIN_END_ROWS, MAX_END_SHARE, MIN_END_EDGE = 4, 0.15, 0.6
"""Of a run at the start or end of a clip: its least length, its greatest change in parts of the
usual one, and the least change beside it: what stands still by itself starts slowly."""
MIN_END_USUAL, MIN_END_PACE, END_CONFIDENCE = 4.0, 0.7, 0.7


class Pattern(NamedTuple):
    """A stretch in which some rows of every cycle show the frame before them again."""

    first: int
    last: int
    period: int
    """Rows of a cycle."""
    repeats: tuple[int, ...]
    """The rows that repeat."""
    ratio: float
    """Usual change of these rows in parts of that of the others."""
    certainty: float
    """How far they stand out, all together: a sum of logarithms."""


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
    """It lies at the start or end of the clip, so that one side tells."""

    @property
    def ratio(self) -> float:
        """What the run changes in parts of what goes on around it."""
        return self.inside / min(self.usual, self.edge)

    @property
    def confidence(self) -> float:
        """How probable it is that the run repeats the frame before it: by how little it changes, by
        how much the others do, and by how evenly they move. Fitted on the tuning half of
        ``benchmarks/faults.py``, whose repeats are changed by up to 5 code values by a codec."""
        logit = SLOPE_OF_CHANGE * math.log(self.usual) - SLOPE_OF_RATIO * math.log(self.ratio)
        logit += SLOPE_OF_PACE * self.stopped - EVEN_REPEAT
        coded = SLOPE_OF_CODED * math.log(
            (CODED_CHANGE + CODED_SHARE * self.usual) / max(self.inside, LEAST_CHANGE)
        )
        sure = chance(min(logit, coded), 0, 1)
        return min(sure, END_CONFIDENCE) if self.ends else sure


def change_of(columns: Columns) -> Float64:
    """(N,) change since the row before, in code values: the geometric mean of its root mean square
    and of that of the most changed blocks."""

    def compute() -> Float64:
        most, rms = (context_of(columns).signal(name) for name in CHANGE_SIGNALS)
        return np.asarray(np.sqrt((most + LEAST_CHANGE) * (rms + LEAST_CHANGE)), np.float64)

    return columns.share("change", compute)


def patterns_of(columns: Columns) -> list[Pattern]:
    """The stretches with a pattern of repeats, in order."""

    def compute() -> list[Pattern]:
        context = context_of(columns)
        found = _patterns(change_of(columns), context.signal("pace"))
        return [each for each in found if _moves_on(context, each)]

    return columns.share("patterns", compute)


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
        rows = Rows(change, only_light(context) | _passes(context), begins, pace)
        return [
            repeat
            for repeat in sorted([*_repeats(rows), *_at_the_ends(rows)])
            if spread[repeat.first] > MIN_REPEAT_STD
        ]

    return columns.share("repeats", compute)


def only_light(context: Context) -> Bool:
    """(N,) rows that differ from the one before by their brightness."""
    step = np.abs(np.diff(context.signal("luma_mean"), prepend=np.nan))
    return np.asarray(step > LIGHT_SHARE * context.signal("frame_difference"), np.bool_)


def _passes(context: Context) -> Bool:
    """(N,) rows in a dissolve or another transition, where the whole frame changes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.abs(np.diff(np.log(context.signal("luma_std")), prepend=np.nan))
    other = context.signal("histogram_step") > MIN_NEW_HISTOGRAM
    return np.asarray((spread > MAX_SPREAD_STEP) | other, np.bool_)


def _moves_on(context: Context, pattern: Pattern) -> bool:
    """Whether the rows of a pattern that do not repeat are steps, as far as that is known: of a
    blinking text the motion is none, and of a light that goes on and off it does not matter."""
    rows = np.setdiff1d(np.arange(pattern.first, pattern.last + 1), pattern.repeats)
    if 2 * only_light(context)[rows].sum() > len(rows):
        return False
    pace = context.signal("pace")[rows]
    known = pace[np.isfinite(pace)]
    return 2 * len(known) < len(rows) or float(np.median(np.abs(known))) > MIN_STEP_PACE


def _around(change: Float64, reach: int) -> Float64:
    """(N,) the most within ``reach`` rows before and within as many after, the smaller one; -inf
    where nothing is known on one side."""
    padded = np.full(len(change) + 2 * reach, -np.inf)
    padded[reach : reach + len(change)] = np.nan_to_num(change, nan=-np.inf)
    highest = maximum_filter1d(padded, reach, origin=(reach - 1) // 2)  # of the last rows
    before, after = highest[reach - 1 :], highest[2 * reach :]
    return np.asarray(np.minimum(before[: len(change)], after[: len(change)]), np.float64)


def _patterns(change: Float64, pace: Float64) -> list[Pattern]:
    around = _around(change, DIP_REACH)
    share = change / around
    dip = (share < MAX_DIP) & (around > CODEC_CHANGE)
    free = np.ones(len(change), bool)
    found = []
    for period in PERIODS:  # a multiple of a period is one too: the shortest is found first
        kept = _steady(dip & free, period)
        for first, last in spans(kept, np.zeros(len(kept), bool), reach=period):
            made = _pattern(change, dip, share, pace, kept, first, last, period)
            if made is not None:
                found.append(made)
                free[made.first : made.last + 1] = False
    return sorted(found)


def _steady(dip: Bool, period: int) -> Bool:
    """(N,) the dips that come again in the same row of several cycles running."""
    cycles = max(MIN_SAME_CYCLES, -(-MIN_PATTERN_ROWS // period))
    count = len(dip) - (cycles - 1) * period
    kept = np.zeros(len(dip), bool)
    if count > 0:
        shifts = range(0, cycles * period, period)
        begins = np.logical_and.reduce([dip[shift : shift + count] for shift in shifts])
        for shift in shifts:
            kept[shift : shift + count] |= begins
    return kept


def _pattern(
    change: Float64,
    dip: Bool,
    share: Float64,
    pace: Float64,
    kept: Bool,
    first: int,
    last: int,
    period: int,
) -> Pattern | None:
    rows = np.arange(first, last + 1)
    repeats, others = rows[kept[rows]], rows[~kept[rows]]
    if not np.isfinite(change[others]).any() or dip[others].mean() > MAX_STRAY_SHARE:
        return None
    usual = float(np.nanmedian(change[others]))
    # The weaker ones among them count for all: a pattern is alike in every cycle.
    weak = float(np.quantile(share[repeats], WEAK_QUANTILE))
    slower = _slower(np.abs(pace[repeats]), np.abs(pace[others]))
    certainty = -len(repeats) * math.log(weak + LEAST_SHARE)
    if not slower < STILL_PACE:  # a codec's own cycle of good and bad frames shows like that
        certainty /= 1 + CODEC_CHANGE / usual
    doubtful = slower > SLOWER or (np.isnan(slower) and weak > MAX_UNSEEN_DIP)
    if usual < CODEC_CHANGE or certainty < MIN_CERTAINTY or doubtful:
        return None
    ratio = float(np.median(change[repeats]) / usual)
    # The first frame of a cycle is shown before it is repeated.
    shown = int(np.diff(repeats).max())
    begin = max(0, first - shown + 1)
    return Pattern(begin, last, period, tuple(repeats.tolist()), ratio, certainty)


def _slower(repeats: Float64, others: Float64) -> float:
    """Usual motion of the rows that repeat in parts of that of the others; NaN if not known."""
    known = [each[np.isfinite(each)] for each in (repeats, others)]
    if any(2 * len(a) < len(b) for a, b in zip(known, (repeats, others), strict=True)):
        return math.nan
    slow, fast = (float(np.median(each)) for each in known)
    return slow / max(fast, MIN_STEP_PACE)


class Rows(NamedTuple):
    """What is looked at to find repeats, each (N,)."""

    change: Float64
    lit: Bool
    """Light differs there, or a transition passes."""
    begins: Bool
    """Another shot begins there."""
    pace: Float64

    def steady(self, *sides: slice) -> float:
        """Motion of the rows of these sides, each at most 1."""
        pace = np.concatenate([self.pace[side] for side in sides])
        moved = np.nan_to_num(np.clip(np.abs(pace), 0, 1), nan=UNKNOWN_PACE)
        return float(moved.mean()) if len(moved) else UNKNOWN_PACE


def _repeats(rows: Rows) -> list[Repeat]:
    found: dict[tuple[int, int], Repeat | None] = {}
    for reach in SURROUNDINGS:
        around = _around(rows.change, reach)
        for share in LULLS:
            lulls = _lulls(rows.change, rows.change < share * around, reach)
            for first, last in {*lulls} - {*found}:
                found[first, last] = _repeat(rows, first, last)
    kept: list[Repeat] = []
    taken = np.zeros(len(rows.change), bool)
    made = [each for each in found.values() if each is not None]
    for each in sorted(made, key=lambda each: (-each.confidence, each)):
        if not taken[each.first : each.last + 1].any():
            taken[each.first : each.last + 1] = True
            kept.append(each)
    return kept


def _at_the_ends(rows: Rows) -> list[Repeat]:
    """Runs from the second frame on, and up to the last one, beside which much moves at once."""
    count, found = len(rows.change), []
    turned = Rows(rows.change[::-1], rows.lit[::-1], rows.begins[::-1], rows.pace[::-1])
    for looked, backwards in ((rows, False), (turned, True)):
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
        steady = looked.steady(side)
        sharp = inside < MAX_END_SHARE * usual and beside[0] > MIN_END_EDGE * usual
        if sharp and usual > MIN_END_USUAL and steady > MIN_END_PACE:
            first = count - length if backwards else start
            edge = float(beside[0])
            found.append(Repeat(first, first + length - 1, inside, usual, edge, steady, True))
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
    clear = (inside < MAX_RATIO * edge) & (edge > LEAST_USUAL)
    return list(zip(first[clear].tolist(), last[clear].tolist(), strict=True))


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
    known = [side for side in sides if len(side)]
    ends = _arriving(change, np.array([first]), np.array([last]))[0], change[last + 1]
    edges = [float(each) for each in ends if np.isfinite(each)]
    if not known or not edges or (len(known) < 2 and last - first >= SIDE_ROWS):
        return None
    usual = min(float(np.sort(side)[len(side) // 4]) for side in known)
    own = change[first : last + 1]
    inside = float(np.quantile(own, LONG_QUANTILE) if len(own) > LONG_RUN else own.max())
    steady, own_pace = rows.steady(before, after), np.abs(rows.pace[first : last + 1])
    seen = own_pace[np.isfinite(own_pace)]
    stopped = steady - (min(float(np.median(seen)), 1.0) if len(seen) else UNSEEN_PACE)
    made = Repeat(first, last, inside, usual, min(edges), stopped)
    moves = usual > LEAST_USUAL and steady > MIN_STEP_PACE
    return made if moves and made.ratio < MAX_RATIO else None
