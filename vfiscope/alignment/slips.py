"""Slips of a cadence: test frames that were repeated or lost, so that all later ones are late or
early.

The cadence says which source frame each original shows, as long as nothing slips. A path through
the test follows it: a step from one test frame to the next moves on by one place, by none where a
frame was repeated, by more where frames were lost. Each original on the path that is not like its
source frame costs up to 1, and each slip more than two of those, so that a few damaged originals
make no slip, and a slip is followed only where later originals confirm it; a freeze and a gap of
any length are one slip each. The cheapest path is found by dynamic programming. Only originals
speak: what fills the gaps may be anything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vfiscope.alignment.monotone_path import MIN_NOISE_MSE, distances
from vfiscope.types import Float32, Float64, Int64

__all__ = ["MIN_WRONG", "Followed", "follow_slips"]

Bool = NDArray[np.bool_]

COST_SLIP = 2.5
"""Cost of a slip, in originals that are unlike their source frames."""
COST_SEEN_SLIP = 1.5
"""The same where the frames beside the slip show it: a repeated frame equals the one before."""
COST_SLIP_MORE = 0.02
"""Cost of each further frame of a slip, so that of equals the shortest counts: lost, or of a
freeze, which costs no less than a slip that is not seen, so that a freeze every few frames makes no
cadence."""
COST_OTHER_START = 1.0
"""Cost of beginning at another place than the steady cadence does."""
COST_FAR_OUTSIDE = 0.5
"""Cost of a frame that lies a source frame or more outside of the source."""
MIN_WRONG = 0.5
"""Degree of unlikeness from which an original counts as unlike its source frame."""
MIN_WAY = 0.25
"""Least change from a source frame to the next that is reckoned with, in parts of the usual one."""
NOISE_QUANTILE = 0.25
"""Quantile of the least differences of the cycles: many cycles may hold no original where slips are
many or the cadence is another one."""
MIN_SLIP_NOISE_MSE = 2e-6
"""Lower bound on the noise of a source: a small part of a code value."""
SLIP_REACH_FRAMES, MAX_SLIP_REACH_FRAMES = 24, 120
"""Test frames by which a frame may be early or late in all, beyond the difference of the lengths of
test and source, and in any case."""


class Followed(NamedTuple):
    """A cadence with its slips."""

    steps: Int64
    """(N,) source position of each test frame, in units of 1 / b."""
    late: Int64
    """(N,) test frames by which it is later than the cadence of the first one has it: grows where
    frames are repeated, falls where they are lost."""
    wrong: Float64
    """(N,) 0..1 how unlike its source frame an original is; NaN where there is none."""
    cost: float
    """Cost of the path in parts of its originals: 0 where all are alike and nothing slips."""


def follow_slips(
    test: tuple[Float32, Bool], source: tuple[Float32, Bool], steady: Int64, b: int, a: int
) -> Followed:
    """Follow a cadence of b test frames to a source frames through its slips.

    Args:
        test: (N, K) signatures of the test frames, and (N,) which of them are unreadable.
        source: the same of the M source frames.
        steady: (N,) position of each test frame without slips, in units of 1 / b source frame.
        b: units from one source frame to the next.
        a: units from one test frame to the next.
    """
    reach = _reach(len(steady), len(source[0]), b, a)
    wrong = _wrong(test, source, steady, b, reach * a)
    shifts = np.arange(-reach, reach + 1)
    places = steady[:, np.newaxis] - shifts * a
    here = np.take_along_axis(wrong.table, wrong.columns(places, b), axis=1)
    here[places % b != 0] = np.nan
    last = (len(source[0]) - 1) * b
    far = (places <= -b) | (places >= last + b)
    here[(places < 0) | (places > last)] = np.nan
    cost = np.nan_to_num(here) + COST_FAR_OUTSIDE * far
    slips = _slip_costs(test[0], wrong.noise)
    path, total = _cheapest(cost, slips, reach)
    path = np.minimum(_frozen_throughout(path, slips.equal), 2 * reach)
    rows = np.arange(len(steady))
    own, late = here[rows, path], shifts[path]
    total -= COST_FAR_OUTSIDE * int(far[rows, path].sum())
    shown_anew = np.diff(late, prepend=late[0]) <= 0
    known = int((np.isfinite(own) & shown_anew).sum())
    return Followed(places[rows, path], late - late[0], own, total / max(known, 1))


def _reach(n: int, m: int, b: int, a: int) -> int:
    """Test frames by which a frame may be early or late."""
    surplus = abs(n - ((m - 1) * b // a + 1))
    return min(SLIP_REACH_FRAMES + surplus, MAX_SLIP_REACH_FRAMES)


class _Wrong(NamedTuple):
    """Degrees of unlikeness in a band of the source."""

    table: Float64
    """(N, W) 0..1, NaN where a frame is unreadable."""
    low: Int64
    """(N,) source row of the first column."""
    noise: float
    """Mean squared difference of an original from its source frame."""

    def columns(self, places: Int64, b: int) -> Int64:
        """The column of each place, clipped to the band."""
        last = self.table.shape[1] - 1
        return np.asarray(np.clip(places // b - self.low[:, np.newaxis], 0, last), np.int64)


class _SlipCosts(NamedTuple):
    """What slips cost at each of N rows."""

    repeated: Float64
    """Of a frame that repeats the one before."""
    freezes: Float64
    """Of one with which a freeze begins, however long."""
    stays: Float64
    """Of one more frame of a freeze."""
    lost: Float64
    """Of one before which frames are missing."""
    equal: Bool
    """Whether it equals the frame before."""


def _wrong(
    test: tuple[Float32, Bool], source: tuple[Float32, Bool], steady: Int64, b: int, reach: int
) -> _Wrong:
    """How unlike each source frame near its place each test frame is.

    The unit is the difference that one test frame of displacement makes, which is the b-th part of
    the way to the next source frame, or three times the noise where that is larger. Where nothing
    moves no displacement can be seen, and a part of the clip's usual motion is the unit.
    """
    m, beside = len(source[0]), reach // b + 2
    width = min(2 * beside + 1, m)
    low = np.clip(steady // b - beside, 0, m - width)
    residuals = distances(test[0], source[0], low, width).astype(np.float64)
    columns = low[:, np.newaxis] + np.arange(width)
    residuals[test[1][:, np.newaxis] | source[1][columns]] = np.nan
    noise = _noise(residuals, b)
    way = np.asarray(np.mean(np.diff(source[0], axis=0) ** 2, axis=1, dtype=np.float64))
    way = np.maximum(np.r_[way, 0], np.r_[0, way])
    way = np.maximum(way, MIN_WAY * np.median(way))
    unit = np.maximum(way / b**2, max(3 * noise, MIN_NOISE_MSE))
    return _Wrong(np.clip((residuals - 2 * noise) / unit[columns], 0, 1), low, noise)


def _noise(residuals: Float64, b: int) -> float:
    """The usual difference of an original from its source frame: a low quantile over cycles of the
    least difference in each, since a cycle of b test frames holds an original wherever it begins.
    """
    best = np.where(np.isnan(residuals), np.inf, residuals).min(axis=1)
    least = sliding_window_view(best, min(b, len(best))).min(axis=1)
    least = least[np.isfinite(least)]
    usual = float(np.quantile(least, NOISE_QUANTILE)) if len(least) else 0.0
    return max(usual, MIN_SLIP_NOISE_MSE)


def _slip_costs(test: Float32, noise: float) -> _SlipCosts:
    """What slips cost at each row.

    A repeat is cheaper the more the frame equals the one before; a loss where the frame is farther
    from the one before than the frames around are from each other.
    """
    steps = np.diff(test, axis=0, prepend=test[:1])
    change = np.asarray(np.mean(steps**2, axis=1, dtype=np.float64))
    beside = (np.r_[change[1:], change[-1:]] + np.r_[change[:1], change[:-1]]) / 2
    equal = change < 2 * noise
    repeated = COST_SLIP - COST_SEEN_SLIP * equal.astype(np.float64)
    share = np.clip(change / np.maximum(change + beside, noise) - 0.5, 0, 0.5)
    return _SlipCosts(
        repeated,
        freezes=repeated + COST_SEEN_SLIP,
        stays=np.where(equal, COST_SLIP_MORE, COST_SLIP),
        lost=np.asarray(COST_SLIP - COST_SEEN_SLIP * share, np.float64),
        equal=equal,
    )


def _cheapest(cost: Float64, slips: _SlipCosts, reach: int) -> tuple[NDArray[np.intp], float]:
    """The cheapest path: the column of each row, and its cost.

    Column ``reach + d`` stands for frames that are d test frames late. From row to row d stays, or
    grows by 1 where a frame is repeated, or falls by any number where frames are lost. A path that
    is within a freeze is kept beside the best of all, because it goes on at little cost.
    """
    n, width = cost.shape
    came, columns = np.zeros((n, width), np.int16), np.arange(width)
    freezes, goes_on = np.zeros((2, n, width), bool)
    total = cost[0] + COST_OTHER_START * (columns != reach)
    frozen = np.full(width, np.inf)
    for row in range(1, n):
        begins, lasts = total + slips.freezes[row], frozen + slips.stays[row]
        goes_on[row, 1:] = (lasts < begins)[:-1]
        frozen = np.r_[np.inf, np.minimum(begins, lasts)[:-1]] + cost[row]
        total, came[row] = _moved_on(total, slips.repeated[row], slips.lost[row])
        total = total + cost[row]
        freezes[row] = frozen < total
        total = np.minimum(frozen, total)
    path = np.empty(n, np.intp)
    path[-1] = np.argmin(total)
    in_freeze = freezes[-1, path[-1]]
    for row in range(n - 1, 0, -1):
        here = path[row]
        path[row - 1] = here - 1 if in_freeze else came[row, here]
        in_freeze = (in_freeze and goes_on[row, here]) or freezes[row - 1, path[row - 1]]
    return path, float(total.min())


def _frozen_throughout(path: NDArray[np.intp], equal: Bool) -> NDArray[np.intp]:
    """The path with freezes from their first repeat to their last.

    Where a freeze replaces frames, so that a loss right behind it makes up for it, no original may
    lie in its first or last frames, and to move on there costs nothing; but they are repeats too.
    """
    path, steps = path.copy(), np.diff(path, prepend=path[:1])
    frozen, repeats = steps == 1, equal & (steps >= 0) & (steps <= 1)
    for end in np.flatnonzero(steps < 0).tolist():
        begin = end
        while begin > 1 and (repeats[begin - 1] or frozen[begin - 1]):
            begin -= 1
        if frozen[begin:end].any():
            path[begin:end] = path[begin - 1] + np.arange(1, end - begin + 1)
    return path


def _moved_on(total: Float64, repeated: float, lost: float) -> tuple[Float64, NDArray[np.intp]]:
    """(W,) the least cost of coming to each column from itself, from the one to its left where the
    frame is repeated, or from one to its right where frames are lost; and whence."""
    width = len(total)
    columns = np.arange(width)
    # The cheapest column to the right of each, counting what each further lost frame costs.
    priced = total + COST_SLIP_MORE * columns
    best = np.minimum.accumulate(priced[::-1])[::-1]
    first = np.where(priced == best, columns, width)
    source = np.minimum.accumulate(first[::-1])[::-1]
    after, after_from = np.r_[best[1:], np.inf], np.r_[source[1:], 0]
    after = after - COST_SLIP_MORE * (columns + 1) + lost
    before = np.r_[np.inf, total[:-1]] + repeated
    came = columns
    for other, whence in ((before, columns - 1), (after, after_from)):
        came = np.where(other < total, whence, came)
        total = np.minimum(total, other)
    return total, came
