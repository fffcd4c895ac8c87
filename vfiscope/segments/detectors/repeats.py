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
REPEAT_SIGNALS = (*CHANGE_SIGNALS, "light_step", "light_share", "pace", "luma_std")
LIT_SHARE, LIT_STEP = 0.8, 0.01
"""Part of the frame whose brightness goes the same way, and a step of its logarithm: light changes
there, whether or not something moves."""
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
MAX_REPEAT_PACE = 0.5
"""Motion of a repeat in usual steps: what is blurred changes little too, but moves on."""
MIN_REPEAT_STD = 3.0
"""Standard deviation of luma below which a frame shows nothing that could stand still."""
LOGIT_OF_REPEAT = (4.0, 1.5, 6.8)
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
    return columns.share("patterns", lambda: _patterns(change_of(columns)))


def repeats_of(columns: Columns) -> list[Repeat]:
    """The runs of rows outside of patterns that may repeat the row before them, in order."""

    def compute() -> list[Repeat]:
        change = change_of(columns).copy()
        for pattern in patterns_of(columns):
            change[pattern.first : pattern.last + 1] = np.nan
        context = context_of(columns)
        step, share = context.signal("light_step"), context.signal("light_share")
        lit = (share > LIT_SHARE) & (np.abs(step) > LIT_STEP)
        pace, spread = context.signal("pace"), context.signal("luma_std")
        return [
            repeat
            for repeat in _repeats(change, np.isfinite(change) & ~lit)
            if not pace[repeat.first] > MAX_REPEAT_PACE and spread[repeat.first] > MIN_REPEAT_STD
        ]

    return columns.share("repeats", compute)


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


def _repeats(change: Float64, moves: Bool) -> list[Repeat]:
    found: list[Repeat] = []
    taken = np.zeros(len(change), bool)
    nothing = np.zeros(len(change), bool)
    for reach in SURROUNDINGS:
        around = _around(change, reach)
        for share in LULLS:
            for first, last in spans((change < share * around) & ~taken, nothing):
                if last - first >= reach or not 0 < first <= last < len(change) - 1:
                    continue
                made = _repeat(change, moves, first, last)
                if made is not None:
                    found.append(made)
                    taken[first : last + 1] = True
    return sorted(found)


def _repeat(change: Float64, moves: Bool, first: int, last: int) -> Repeat | None:
    sides = slice(max(0, first - SIDE_ROWS), first), slice(last + 1, last + 1 + SIDE_ROWS)
    before, after = (change[side][moves[side]] for side in sides)
    if not len(before) or not len(after):
        return None
    usual = min(float(np.median(before)), float(np.median(after)))
    inside = float(change[first : last + 1].max())
    made = Repeat(first, last, inside, usual, float(min(before[-1], after[0])))
    return made if usual > LEAST_USUAL and made.ratio < LULLS[0] else None
