"""Rows that show the frame before them again, and the patterns in which they come: what the
detectors of repeats, freezes, drops and cadences share."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors.context import chance, context_of
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
    *("frame_difference", "luma_mean", "luma_std", "pace", "structure_step"),
)
LIGHT_SHARE = 0.5
"""Part of the mean difference that one of the mean luma makes up, above which light changes there,
whether or not something moves."""
LEAST_CHANGE = 0.05
"""Code values added to a change, so that none at all is a number too."""
DIP_REACH = 3
MAX_DIP = 0.72
"""Change of a row in parts of what goes on within three rows on either side, below which it may be
part of a pattern. Where one field of two is new, it is about 0.6."""
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
LULLS = (0.6, 0.3, 0.15)
"""Changes in parts of the most within these rows, below which a row may be a repeat."""
SIDE_ROWS = 6
MIN_NEW_STRUCTURE = 0.28
"""Step of the structure with which another shot begins."""
MAX_REPEAT_PACE = 0.5
"""Motion of a repeat in usual steps: what is blurred changes little too, but moves on."""
MIN_STEP_PACE = 0.15
"""Motion of the other rows of a pattern, in usual steps."""
MIN_REPEAT_STD = 3.0
"""Standard deviation of luma below which a frame shows nothing that could stand still."""
LOGIT_OF_REPEAT = (3.7, 2.0, 6.2)
"""Slopes by the logarithms of the ratio and of the usual change, and where it is even."""
LEAST_USUAL = 1.0
"""Code values below which nothing moves that could stand still."""


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

    @property
    def ratio(self) -> float:
        """What the run changes in parts of what goes on around it."""
        return self.inside / min(self.usual, self.edge)

    @property
    def confidence(self) -> float:
        """How probable it is that the run repeats the frame before it, which a codec changes a
        little; fitted on the tuning half of ``benchmarks/faults.py``."""
        slope, motion, even = LOGIT_OF_REPEAT
        return chance(motion * math.log(self.usual) - slope * math.log(self.ratio), even, 1)


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
        pace = context_of(columns).signal("pace")
        return [each for each in _patterns(change_of(columns)) if _moves_on(pace, each)]

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
        return [
            repeat
            for repeat in _repeats(change, _only_light(columns), begins)
            if not pace[repeat.first] > MAX_REPEAT_PACE and spread[repeat.first] > MIN_REPEAT_STD
        ]

    return columns.share("repeats", compute)


def _only_light(columns: Columns) -> Bool:
    """(N,) rows that differ from the one before by their brightness."""
    context = context_of(columns)
    step = np.abs(np.diff(context.signal("luma_mean"), prepend=np.nan))
    return np.asarray(step > LIGHT_SHARE * context.signal("frame_difference"), np.bool_)


def _moves_on(pace: Float64, pattern: Pattern) -> bool:
    """Whether the rows of a pattern that do not repeat are steps, as far as that is known: of a
    blinking text the motion is none."""
    rows = np.setdiff1d(np.arange(pattern.first, pattern.last + 1), pattern.repeats)
    known = pace[rows][np.isfinite(pace[rows])]
    return 2 * len(known) < len(rows) or float(np.median(np.abs(known))) > MIN_STEP_PACE


def _around(change: Float64, reach: int) -> Float64:
    """(N,) the most within ``reach`` rows before and within as many after, the smaller one; -inf
    where nothing is known on one side."""
    padded = np.full(len(change) + 2 * reach, -np.inf)
    padded[reach : reach + len(change)] = np.nan_to_num(change, nan=-np.inf)
    highest = maximum_filter1d(padded, reach, origin=(reach - 1) // 2)  # of the last rows
    before, after = highest[reach - 1 :], highest[2 * reach :]
    return np.asarray(np.minimum(before[: len(change)], after[: len(change)]), np.float64)


def _patterns(change: Float64) -> list[Pattern]:
    around = _around(change, DIP_REACH)
    share = change / around
    dip = (share < MAX_DIP) & (around > CODEC_CHANGE)
    free = np.ones(len(change), bool)
    found = []
    for period in PERIODS:  # a multiple of a period is one too: the shortest is found first
        kept = _steady(dip & free, period)
        for first, last in spans(kept, np.zeros(len(kept), bool), reach=period):
            made = _pattern(change, dip, share, kept, first, last, period)
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
    change: Float64, dip: Bool, share: Float64, kept: Bool, first: int, last: int, period: int
) -> Pattern | None:
    rows = np.arange(first, last + 1)
    repeats, others = rows[kept[rows]], rows[~kept[rows]]
    if not np.isfinite(change[others]).any() or dip[others].mean() > MAX_STRAY_SHARE:
        return None
    usual = float(np.nanmedian(change[others]))
    # The weaker ones among them count for all: a pattern is alike in every cycle.
    weight = -len(repeats) * float(np.log(np.quantile(share[repeats], WEAK_QUANTILE) + LEAST_SHARE))
    # A codec's own cycle of good and bad frames shows where little moves.
    certainty = weight / (1 + CODEC_CHANGE / usual)
    if usual < CODEC_CHANGE or certainty < MIN_CERTAINTY:
        return None
    ratio = float(np.median(change[repeats]) / usual)
    # The first frame of a cycle is shown before it is repeated.
    shown = int(np.diff(repeats).max())
    begin = max(0, first - shown + 1)
    return Pattern(begin, last, period, tuple(repeats.tolist()), ratio, certainty)


def _repeats(change: Float64, lit: Bool, begins: Bool) -> list[Repeat]:
    found: list[Repeat] = []
    taken = np.zeros(len(change), bool)
    tried: set[tuple[int, int]] = set()
    for reach in SURROUNDINGS:
        around = _around(change, reach)
        for share in LULLS:
            lulls = _lulls(change, (change < share * around) & ~taken, reach)
            for first, last in sorted({*lulls} - tried):
                tried.add((first, last))
                made = _repeat(change, lit, begins, first, last)
                if made is not None:
                    found.append(made)
                    taken[first : last + 1] = True
    return sorted(found)


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
    edge = np.fmin(change[first - 1], change[last + 1])
    clear = (inside < LULLS[0] * edge) & (edge > LEAST_USUAL)
    return list(zip(first[clear].tolist(), last[clear].tolist(), strict=True))


def _repeat(change: Float64, lit: Bool, begins: Bool, first: int, last: int) -> Repeat | None:
    usable = np.isfinite(change) & ~lit
    before = slice(max(0, first - SIDE_ROWS), first)
    after = slice(last + 1, last + 1 + SIDE_ROWS)
    starts, stops = begins[before].nonzero()[0], begins[after].nonzero()[0]
    if len(starts):  # of its shot only
        before = slice(before.start + int(starts[-1]) + 1, first)
    if len(stops):
        after = slice(after.start, after.start + int(stops[0]))
    sides = [change[side][usable[side]] for side in (before, after)]
    known = [side for side in sides if len(side)]
    edges = [float(change[row]) for row in (first - 1, last + 1) if np.isfinite(change[row])]
    if not known or not edges or (len(known) < 2 and last - first >= SIDE_ROWS):
        return None
    usual = min(float(np.sort(side)[len(side) // 4]) for side in known)
    made = Repeat(first, last, float(change[first : last + 1].max()), usual, min(edges))
    return made if usual > LEAST_USUAL and made.ratio < LULLS[0] else None
