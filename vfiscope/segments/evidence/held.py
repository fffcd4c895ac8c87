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
    "clear_patterns",
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
DIP_LIMITS = (MAX_DIP, 0.4)
"""Changes below which rows are looked at for a pattern. Where motion is uneven, as of a hand-held
camera, much of what is new changes little too, and only what changes far less shows it."""
CLEAR_SHARE, CLEAR_CERTAINTY = 0.33, 9.0
"""Change of the weaker repeats of a clear pattern in parts of what goes on around them, and its
certainty. Changes that go along with motion seldom lie so by chance; where each is random by
itself, every third clip of 300 rows has such a pattern."""
MAX_CLEAR_TURN_SHARE = 0.75
"""Part of the repeats of a clear pattern at which motion may turn round: at half of them it does so
where a camera goes here and there, at all of them in a pendulum."""
MAX_UNSEEN_ROWS = 12
"""From one repeat of a pattern to the next that is seen; in between nothing moves."""
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
    weakest: float = 0.0
    """Change of the weaker of its repeats in parts of what goes on around them."""

    @property
    def is_clear(self) -> bool:
        """Whether its repeats stand out far: by much less change, many times."""
        return self.weakest < CLEAR_SHARE and self.certainty >= CLEAR_CERTAINTY

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

    def whole(self, count: int) -> tuple[int, int]:
        """Its first and last of ``count`` rows. Within a cycle of the ends of the run nothing is
        known around a row, so that it lasts to them; without order, also within the hold beside."""
        before, behind = min(self.period, DIP_REACH), max(self.period, DIP_REACH)
        if self.shortest:
            before = behind = self.period + DIP_REACH
        first = 0 if self.first <= before else self.first
        return first, count - 1 if self.last + behind >= count - 1 else self.last

    def all_repeats(self, count: int) -> list[int]:
        """Its rows of ``count`` that repeat, also those near the ends of the run."""
        first, last = self.whole(count)
        known = {*self.repeats}
        if not self.shortest:
            known |= {row for row in range(first, self.first) if row + self.period in known}
            known |= {row for row in range(self.last + 1, last + 1) if row - self.period in known}
        return sorted(known)

    @property
    def longest_hold(self) -> int:
        """Rows for which a frame is shown at most."""
        if self.has_fields:
            return 1
        rows = np.array(self.repeats)
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
        return 1 + max(map(len, runs))


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
        context, calm = context_of(columns), _calm(change_of(columns))
        found = _patterns(calm, context.signal("pace"))
        kept = [each for each in found if _moves_on(context, each) and not _turns(context, each)]
        return _lasting(kept, calm)

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


def _turns(context: Context, pattern: Pattern) -> bool:
    """Whether motion turns round in the calm rows of a pattern, which explains why they are calm;
    in what surely repeats a hand-held camera turns round by chance too."""
    turned = float(turns_round(context)[list(pattern.repeats)].mean())
    return turned >= (MAX_CLEAR_TURN_SHARE if pattern.is_clear else MAX_TURN_SHARE)


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


def clear_patterns(change: Float64) -> list[Pattern]:
    """Those that how much each row changes tells alone, whatever is known of motion."""
    calm = _calm(change)
    found = _patterns(calm, np.full(len(change), np.nan))
    return _lasting([each for each in found if each.is_clear], calm)


class _Calm(NamedTuple):
    """How calm rows are, each (N,)."""

    change: Float64
    share: Float64
    """Change in parts of what goes on around it."""
    moves: Bool
    """More goes on around it than a codec makes."""

    def dips(self, limit: float) -> Bool:
        return np.asarray(self.moves & (self.share < limit), np.bool_)


def _calm(change: Float64) -> _Calm:
    around = lowest_around(change, DIP_REACH)
    return _Calm(change, change / around, np.asarray(around > CODEC_CHANGE, np.bool_))


def _patterns(calm: _Calm, pace: Float64) -> list[Pattern]:
    free = np.ones(len(pace), bool)
    found = []
    for period in PERIODS:  # a multiple of a period is one too: the shortest is found first
        tried = [_of_period(calm, calm.dips(limit), pace, free, period) for limit in DIP_LIMITS]
        tried[1:] = [[each for each in made if each.is_clear] for made in tried[1:]]
        best = max(tried, key=lambda made: sum(each.last + 1 - each.first for each in made))
        for each in best:
            free[each.first : each.last + 1] = False
        found += best
    return sorted([*found, *_held_without_order(calm.change, calm.share, calm.moves, free)])


def _of_period(calm: _Calm, dip: Bool, pace: Float64, free: Bool, period: int) -> list[Pattern]:
    """The patterns of one cycle, whose repeats are among the rows that ``dip``."""
    kept = _steady(dip & free, period)
    made = (
        _pattern(calm, dip, pace, kept, first, last, period)
        for first, last in spans(kept, np.zeros(len(kept), bool), reach=period)
    )
    return [each for each in made if each is not None]


def _lasting(found: list[Pattern], calm: _Calm) -> list[Pattern]:
    """These patterns, the clear ones as long as their repeats dip at all: what is left of others of
    the same cycle is a part of them."""
    dip, lasting = calm.dips(MAX_DIP), list[Pattern]()
    for each in found:
        if lasting and each.first <= lasting[-1].last:
            continue
        regular = each.is_clear and not each.shortest
        lasting.append(_longer(each, dip, calm.moves) if regular else each)
    return lasting


def _longer(pattern: Pattern, dip: Bool, moves: Bool) -> Pattern:
    """As long as its rows dip in every cycle, or nothing moves for a while."""
    repeats, period = set(pattern.repeats), pattern.period
    begins, ends = pattern.repeats[0], pattern.repeats[-1]
    for row, step, end in ((begins - 1, -1, 0), (ends + 1, 1, len(dip))):
        due, seen = set(pattern.repeats), row
        while row != end and abs(row - seen) <= MAX_UNSEEN_ROWS:
            if row - step * period in due:
                if moves[row] and not dip[row]:
                    break
                due.add(row)
                if dip[row]:
                    repeats.add(row)
                    seen = row
            row += step
    kept = tuple(sorted(repeats))
    begin = max(0, kept[0] - (begins - pattern.first))
    return pattern._replace(first=begin, last=kept[-1], repeats=kept)


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
    calm: _Calm,
    dip: Bool,
    pace: Float64,
    kept: Bool,
    first: int,
    last: int,
    period: int,
) -> Pattern | None:
    change, share = calm.change, calm.share
    rows = np.arange(first, last + 1)
    repeats, others = rows[kept[rows]], rows[~kept[rows]]
    if not np.isfinite(change[others]).any() or dip[others].mean() > MAX_STRAY_SHARE:
        return None
    if _has_shorter(repeats, period):  # which was no pattern
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
    place = begin, last, period, tuple(repeats.tolist())
    return Pattern(*place, ratio, certainty, weakest=weak)


def _has_shorter(repeats: NDArray[np.intp], period: int) -> bool:
    """Whether rows that repeat in each cycle are equally far apart: they are of a shorter cycle."""
    held = np.unique(repeats % period)
    apart = np.diff(np.append(held, held[0] + period))
    return len(held) > 1 and bool((apart == apart[0]).all()) and apart[0] > 1


def _slower(repeats: Float64, others: Float64) -> float:
    """Usual motion of the rows that repeat in parts of that of the others; NaN if not known."""
    known = [each[np.isfinite(each)] for each in (repeats, others)]
    if any(2 * len(a) < len(b) for a, b in zip(known, (repeats, others), strict=True)):
        return math.nan
    slow, fast = (float(np.median(each)) for each in known)
    return slow / max(fast, MIN_STEP_PACE)
