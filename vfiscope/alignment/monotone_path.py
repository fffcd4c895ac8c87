"""The cheapest monotone path through a table of residuals: dynamic programming over test and
reference frames.

This is the Viterbi algorithm on a hidden Markov model. Its states are "test frame i shows reference
frame j" and "test frame i shows no reference frame, the last partner was j". Costs are negative log
likelihoods. At a rate of rho reference frames per test frame, a step from j to j + k costs
``-log((1 - CHANCE_ODD_STEP) tri(k - rho) + CHANCE_ODD_STEP odd(k))``, where tri is the triangle of
half-width 1: the two whole steps around rho are expected, and any other step means that frames were
dropped or repeated.

The table may be a band: row i holds the columns from ``low[i]`` on, and ``low`` never decreases.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import REORDERED, compiled
from vfiscope.types import Float32, Float64, Int64

__all__ = [
    "MSE_ALWAYS_ALIKE",
    "MSE_UNRELATED",
    "best_path",
    "costs",
    "distances",
    "noise_of",
]


CHANCE_ODD_STEP = 0.02
"""Probability of a step that the rate does not explain."""
COST_LONG_JUMP = 10.0
"""Cost of any step longer than those of :func:`step_costs`: a long cut."""
COST_UNMATCHED = 15.0
"""Cost of a test frame without a partner."""
COST_OUTSIDE_REFERENCE = 10.0
"""The same before the first or after the last reference frame, where no partner exists."""
MAX_COST_UNLIKE_BEST = 15.0
"""Upper bound on the cost of a frame for being unlike its best partner: a distorted frame still has
its place."""
MAX_COST_ABOVE_BEST = 30.0
"""Upper bound on the cost of a partner for fitting worse than the best one."""
FREE_NOISE_SHARE = 0.03
"""Share of the noise by which a partner may fit worse at no cost: a frame that a codec copied from
its neighbour proves nothing."""
MSE_UNRELATED = 0.5
"""Mean squared difference of signatures (correlation 0.75) above which two frames have little in
common."""
COST_UNRELATED = 10.0
"""Additional cost of a partner above that."""
MIN_NOISE_MSE = 2e-5
"""Lower bound on the noise: a fifth of a code value in a frame of medium contrast."""
MAX_NOISE_MSE = 0.05
"""Upper bound on the noise: no codec makes a larger mean squared difference."""
MSE_ALWAYS_ALIKE = 2e-4
"""Mean squared difference up to which two frames always count as alike."""


@compiled(REORDERED)
def distances(test: Float32, ref: Float32, low: Int64, width: int) -> Float32:
    """Mean squared differences of signatures. Each is summed in a fixed order, so that it does not
    depend on what else is computed.

    Args:
        test: (N, K) signatures.
        ref: (M, K) signatures.
        low: (N,) first reference row of each row of the band.
        width: columns of the band.

    Returns:
        (N, width) float32, infinite beyond the last reference row.
    """
    out = np.full((len(test), width), np.inf, np.float32)
    for i in range(len(test)):
        for b in range(min(width, len(ref) - low[i])):
            total = np.float32(0.0)
            for k in range(test.shape[1]):
                difference = test[i, k] - ref[low[i] + b, k]
                total += difference * difference
            out[i, b] = total / test.shape[1]
    return out


def noise_of(residuals: Float32, rows: NDArray[np.bool_], part: float = 0.7) -> float:
    """The usual mean squared difference of a frame from its own partner: a quantile over rows of
    their least residual, within MIN_NOISE_MSE..MAX_NOISE_MSE.

    Args:
        residuals: (N, W).
        rows: (N,) bool, the rows that count.
        part: which quantile, 0..1.
    """
    best = residuals[rows].min(axis=1)
    best = best[np.isfinite(best)]
    usual = float(np.quantile(best, part)) if len(best) else 0.0
    return min(max(usual, MIN_NOISE_MSE), MAX_NOISE_MSE)


def costs(residuals: Float32, weight: float, noise: float) -> Float32:
    """Costs of partners from their mean squared differences.

    A partner is charged for how much worse it fits than the best of its row, relative to the noise
    of the row: the row's best residual, but at least the noise of the clip. A bounded cost for how
    badly the best partner fits is added.

    Args:
        residuals: (N, W), infinite where there is no partner.
        weight: cost of a difference as large as the noise.
        noise: as returned by :func:`noise_of`.
    """
    best = residuals.min(axis=1)
    own = np.maximum(best, noise)[:, None]
    with np.errstate(invalid="ignore"):
        worse = np.maximum((residuals - best[:, None]) / own - FREE_NOISE_SHARE, 0.0)
        out = np.minimum(weight * worse, MAX_COST_ABOVE_BEST)
    out += np.minimum(3.0 * best / max(noise, MSE_ALWAYS_ALIKE), MAX_COST_UNLIKE_BEST)[:, None]
    out += np.where(residuals > MSE_UNRELATED, COST_UNRELATED, 0.0)
    out[~np.isfinite(residuals)] = np.inf
    return np.asarray(out, np.float32)


def step_costs(rate: Fraction | None) -> Float64:
    """Costs of steps of 0, 1, 2, ... to the next partner. Without a rate (None) they favour a step
    of 1 only slightly."""
    if rate is None:
        return np.array([1.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5])
    steps = np.arange(max(6, ceil(rate) + 4))
    expected = np.maximum(0.0, 1.0 - np.abs(steps - float(rate)))
    odd = 0.7 / np.maximum(1.0, np.abs(steps - float(rate))) ** 2
    odd[0] = max(odd[0], 0.5)
    return np.asarray(
        -np.log((1.0 - CHANCE_ODD_STEP) * expected + CHANCE_ODD_STEP * odd), np.float64
    )


def best_path(cost: Float32, low: Int64, count: int, rate: Fraction | None) -> tuple[Int64, float]:
    """The cheapest monotone map.

    Args:
        cost: (N, W) cost of every partner.
        low: (N,) reference row of the first column.
        count: number of reference rows.
        rate: reference frames per test frame, None where unknown.

    Returns:
        (N,) reference rows, -1 where unmatched, and the total cost.
    """
    edge = 1 if rate is None else ceil(rate)
    shown, hidden, ends = _forward(cost, low, count, step_costs(rate), edge)
    total, row, code = ends
    # Follow the states back from the cheapest end; odd codes are unmatched.
    path = np.full(len(cost), -1, np.int64)
    row, code = int(row), int(code)
    while code >= 0:
        column, unmatched = code // 2, code % 2
        back = (hidden if unmatched else shown)[row, column - low[row]]
        if not unmatched:
            path[row] = column
        row, code = row - 1, int(back)
    return path, float(total)


@compiled(REORDERED)
def _forward(
    cost: Float32, low: Int64, count: int, steps: Float64, edge: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], tuple[float, int, int]]:
    """The predecessor of each state (matched, unmatched), encoded as ``2 * column + unmatched``, -1
    for the start; and (cost, row, state) of the cheapest end.

    A match comes cheapest from one of three: as the first match, with every row before it unmatched
    (at the lower cost at the start of the reference; later columns cost slightly more, to break
    ties); by a listed step; or by a longer jump, from the cheapest state far enough behind, which
    is kept as a running minimum. An unmatched state keeps the last partner; the first column of the
    band also takes over the states of columns that the band has passed. A path may end early where
    all later rows lie beyond the end of the reference.
    """
    n, width = cost.shape
    shown, hidden = np.full((n, width), -1, np.int32), np.full((n, width), -1, np.int32)
    before, source = np.full(width, np.inf), np.full(width, -1, np.int64)
    now, none = np.full(width, np.inf), np.full(width, np.inf)
    total, end_row, end_code = n * COST_OUTSIDE_REFERENCE, n - 1, -1
    for i in range(n):
        last = low[i - 1] if i else 0
        jump, jump_from, reached = np.inf, -1, 0
        for b in range(width):
            j = low[i] + b
            none[b] = now[b] = np.inf
            if j >= count:
                continue
            before_it = COST_OUTSIDE_REFERENCE if j < edge else COST_UNMATCHED
            best, origin = i * before_it + min(0.01 * j, 5.0), -1
            for k in range(len(steps)):  # by a listed step
                c = j - k - last
                if 0 <= c < width and before[c] + steps[k] < best:
                    best, origin = before[c] + steps[k], source[c]
            while reached < width and last + reached <= j - len(steps):  # by a longer jump
                if before[reached] < jump:
                    jump, jump_from = before[reached], source[reached]
                reached += 1
            if jump + COST_LONG_JUMP < best:
                best, origin = jump + COST_LONG_JUMP, jump_from
            now[b], shown[i, b] = best + cost[i, b], origin
            for c in range(0 if b == 0 else j - last, j - last + 1):  # unmatched
                if 0 <= c < width and before[c] + COST_UNMATCHED < none[b]:
                    none[b], hidden[i, b] = before[c] + COST_UNMATCHED, source[c]
        for b in range(width):
            code = 2 * (low[i] + b)
            if low[i] + b >= count - edge and now[b] + (n - 1 - i) * COST_OUTSIDE_REFERENCE < total:
                total, end_row, end_code = now[b] + (n - 1 - i) * COST_OUTSIDE_REFERENCE, i, code
            # The next row only needs the cheaper of the two states of a column.
            before[b], source[b] = now[b], code
            if none[b] < now[b]:
                before[b], source[b] = none[b], code + 1
            if i == n - 1 and before[b] < total:
                total, end_row, end_code = before[b], i, source[b]
    return shown, hidden, (total, end_row, end_code)
