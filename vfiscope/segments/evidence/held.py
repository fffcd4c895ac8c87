"""Patterns in which frames are shown again, as pulldown and animation on twos make them, and how
much each frame changes: what detectors of repeats, drops and cadences share."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.columns import Columns
from vfiscope.segments.evidence.context import Context, context_of, highest_near
from vfiscope.segments.rules import spans
from vfiscope.types import Float64

__all__ = [
    "CHANGE_SIGNALS",
    "DIP_REACH",
    "LEAST_CHANGE",
    "MIN_CERTAINTY",
    "MIN_STEP_PACE",
    "TURN_SIGNALS",
    "Bool",
    "Pattern",
    "change_of",
    "lowest_around",
    "only_light",
    "patterns_of",
    "turns_round",
]

Bool = NDArray[np.bool_]

CHANGE_SIGNALS = ("difference_p99", "difference_rms")
TURN_SIGNALS = ("heading",)
MAX_TURNED, MAX_TURN_SHARE = -0.2, 0.1
"""Cosine of the motion before and behind a row below which it turns round there, and part of the
repeats of a pattern of which that may be true."""
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
SLOWER, STILL_PACE, STILL_GAIN, MANY_REPEATS = 0.85, 0.6, 2.0, 6
"""Motion of the repeats of a pattern in parts of that of the other rows: at most; and where it is
evidence of its own, which counts by so much for so many."""
PERIODS = range(2, 13)
MIN_PATTERN_ROWS, MIN_SAME_CYCLES = 12, 4
MAX_STRAY_SHARE = 0.2
"""Part of the other rows of a pattern that may be as calm by chance."""
MAX_HELD_SHARE, MIN_SHOWN_SHARE = 0.1, 0.5
"""Change of a row in parts of what goes on around it: at most of one that is held without order,
far less than motion that is slow for a while leaves, and at least of nearly all the others."""
MAX_HELD_ROWS, MIN_HELD_PART, MIN_HOLDS = 4, 0.4, 8
"""Rows for which a drawing is shown at most, part of the rows that repeat at least, and drawings
that are shown twice or more: single repeats are faults."""
LEAST_SHARE, WEAK_QUANTILE = 0.01, 0.75
CODEC_CHANGE = 2.5
"""Code values by which frames may differ because they are coded differently well."""
MIN_CERTAINTY = 4.5
"""Sum of the logarithms by which repeats stand out."""
FIELD_RATIO = 0.5
"""Change of the calm rows in parts of the others, above which one field of two is new."""
MIN_STEP_PACE = 0.15
"""Motion of the other rows of a pattern, in usual steps."""


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
    shortest: int = 0
    """Where frames are held for differing times, the shortest one, and ``period`` is the longest; 0
    in a regular pattern."""

    @property
    def held_phases(self) -> list[int]:
        """The places in a cycle that repeat."""
        return sorted({row % self.period for row in self.repeats})

    @property
    def has_fields(self) -> bool:
        """Whether its calm rows show a new field beside an old one, as 3:2 pulldown does: several
        of a cycle, with others between them, which change by half as much."""
        held = self.held_phases
        apart = (after - before for before, after in pairwise([*held, held[0] + self.period]))
        return self.ratio > FIELD_RATIO and len(held) > 1 and all(rows > 1 for rows in apart)


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
        turns = turns_round(context)
        return [
            each
            for each in found
            if _moves_on(context, each) and turns[list(each.repeats)].mean() < MAX_TURN_SHARE
        ]

    return columns.share("patterns", compute)


def only_light(context: Context) -> Bool:
    """(N,) rows that differ from the one before by their brightness."""
    step = np.abs(np.diff(context.signal("luma_mean"), prepend=np.nan))
    return np.asarray(step > LIGHT_SHARE * context.signal("frame_difference"), np.bool_)


def turns_round(context: Context) -> Bool:
    """(N,) rows at which motion turns round, and moves as little as in a repeat; nowhere in runs
    that do not hold the signal :data:`TURN_SIGNALS`."""
    known = context.columns.signals.get(*TURN_SIGNALS)
    if known is None:
        return np.zeros(len(context.columns.frames), np.bool_)
    return np.asarray(np.asarray(known) < MAX_TURNED, np.bool_)


def _moves_on(context: Context, pattern: Pattern) -> bool:
    """Whether the rows of a pattern that do not repeat are steps, as far as that is known: of a
    blinking text the motion is none, and of a light that goes on and off it does not matter."""
    rows = np.setdiff1d(np.arange(pattern.first, pattern.last + 1), pattern.repeats)
    if 2 * only_light(context)[rows].sum() > len(rows):
        return False
    pace = context.signal("pace")[rows]
    known = pace[np.isfinite(pace)]
    return 2 * len(known) < len(rows) or float(np.median(np.abs(known))) > MIN_STEP_PACE


def lowest_around(change: Float64, reach: int) -> Float64:
    """(N,) the most within ``reach`` rows before and within as many after, the smaller one; -inf
    where nothing is known on one side."""
    padded = np.full(len(change) + 2 * reach, -np.inf)
    padded[reach : reach + len(change)] = np.nan_to_num(change, nan=-np.inf)
    highest = highest_near(padded, reach - 1, 0)  # of the last rows
    before, after = highest[reach - 1 :], highest[2 * reach :]
    return np.asarray(np.minimum(before[: len(change)], after[: len(change)]), np.float64)


def _patterns(change: Float64, pace: Float64) -> list[Pattern]:
    around = lowest_around(change, DIP_REACH)
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
    return sorted([*found, *_held_without_order(change, share, around > CODEC_CHANGE, free)])


def _held_without_order(change: Float64, share: Float64, moves: Bool, free: Bool) -> list[Pattern]:
    """Stretches of drawings that are shown for one to four frames each, as an animator sees fit."""
    held = (share < MAX_HELD_SHARE) & moves & free
    shown = (share >= MIN_SHOWN_SHARE) & moves & free
    found = []
    for first, last in spans(shown, np.zeros(len(shown), bool), reach=MAX_HELD_ROWS):
        rows = np.arange(first, last + 1)
        repeats, shows = rows[held[rows]], rows[shown[rows]]
        times = np.diff(shows)
        odd = len(rows) - len(repeats) - len(shows)
        few = len(repeats) < MIN_HELD_PART * len(rows) or (times > 1).sum() < MIN_HOLDS
        if few or odd > MAX_STRAY_SHARE * len(shows) or times.min() == times.max():
            continue
        ratio = float(np.median(change[repeats]) / np.median(change[shows]))
        certainty = -len(repeats) * math.log(ratio + LEAST_SHARE)
        lengths = int(times.max()), int(times.min())
        place = first, last, lengths[0], tuple(repeats.tolist())
        found.append(Pattern(*place, ratio, certainty, lengths[1]))
    return found


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
    elif len(repeats) >= MANY_REPEATS and len(rows) >= 2 * MIN_PATTERN_ROWS:
        certainty *= STILL_GAIN
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
