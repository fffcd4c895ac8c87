"""The cheapest monotone path through a table of residuals: dynamic programming over test and
reference frames.

A hidden Markov model. Its states are "test frame i shows reference frame j" and "test frame i shows
none, the last partner was j". Costs are negative logarithms of likelihoods. With rho reference
frames to a test frame, a step from j to j + k costs ``-log((1 - CHANCE_ODD_STEP) tri(k - rho) +
CHANCE_ODD_STEP odd(k))``, where tri is the triangle of half-width 1: between the two whole steps
around rho there is no surprise, and any other step is a frame that was dropped or repeated.

The table may be a band: row i holds the columns from ``low[i]`` on, and ``low`` never falls.
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
    "step_costs",
]


CHANCE_ODD_STEP = 0.02
"""Chance of a step that the rate does not explain."""
COST_LONG_JUMP = 10.0
"""Cost of any step beyond those listed: a long cut."""
COST_UNMATCHED = 15.0
"""Cost of a test frame without partner."""
COST_OUTSIDE_REFERENCE = 10.0
"""The same before the first or after the last reference frame, where none is missed."""
MAX_COST_UNLIKE_BEST = 15.0
"""The most that a frame pays for being unlike its best partner: a distorted frame is still shown in
its place."""
MAX_COST_ABOVE_BEST = 30.0
"""The most that it pays for being less like this partner than like its best one."""
FREE_NOISE_SHARE = 0.03
"""Part of the noise by which a partner may be worse at no cost: a codec that repeats itself is no
evidence."""
MSE_UNRELATED = 0.5
"""Mean squared difference of signatures (correlation 0.75) beyond which pictures have little in
common."""
COST_UNRELATED = 10.0
"""Cost of that, on top."""
MIN_NOISE_MSE = 2e-5
"""Mean squared difference that proves nothing: a fifth of a code value in a picture of middling
contrast."""
MAX_NOISE_MSE = 0.05
"""Mean squared difference that no codec makes: what is larger is another picture."""
MSE_ALWAYS_ALIKE = 2e-4
"""Mean squared difference up to which a picture is never called unlike."""


@compiled(REORDERED)
def distances(test: Float32, ref: Float32, low: Int64, width: int) -> Float32:
    """Mean squared differences of signatures, each added up in the same order whatever else is
    computed.

    Args:
        test: (N, K) signatures.
        ref: (M, K) signatures.
        low: (N,) first reference row of each row of the band.
        width: columns of the band.

    Returns:
        (N, width) float32, infinite where there is no such reference.
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
    """The mean squared difference that a frame has from its own partner: what seven in ten of some
    rows stay below.

    Args:
        residuals: (N, W).
        rows: (N,) those that count.
        part: another part of the rows.
    """
    best = residuals[rows].min(axis=1)
    best = best[np.isfinite(best)]
    usual = float(np.quantile(best, part)) if len(best) else 0.0
    return min(max(usual, MIN_NOISE_MSE), MAX_NOISE_MSE)


def costs(residuals: Float32, weight: float, noise: float) -> Float32:
    """Costs of partners from their mean squared differences.

    What counts is by how much a partner is worse than the row's best, against the noise of the row:
    its best, but at least that of the clip. To that comes a bounded cost for how bad the best one
    is.

    Args:
        residuals: (N, W), infinite where there is no partner.
        weight: cost of a difference as large as the noise.
        noise: as :func:`noise_of` gives it.
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
    """Costs of the steps 0, 1, 2, ... to the next partner; None where the rate is not known yet."""
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
        rate: reference frames to a test frame, None where unknown.

    Returns:
        (N,) reference rows, -1 where unmatched, and the cost of the whole.
    """
    edge = 1 if rate is None else ceil(rate)
    shown, hidden, ends = _forward(cost, low, count, step_costs(rate), edge)
    total, row, code = ends
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
    """Where each state came from, as ``2 * column + unmatched`` or -1 for the beginning, and (cost,
    row, state) of the end. A state without partner that the band leaves behind moves to the band's
    first column."""
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
            # If it is the first match, all before it lay outside of the reference, or had none.
            before_it = COST_OUTSIDE_REFERENCE if j < edge else COST_UNMATCHED
            best, origin = i * before_it + min(0.01 * j, 5.0), -1
            for k in range(len(steps)):
                c = j - k - last
                if 0 <= c < width and before[c] + steps[k] < best:
                    best, origin = before[c] + steps[k], source[c]
            while reached < width and last + reached <= j - len(steps):
                if before[reached] < jump:
                    jump, jump_from = before[reached], source[reached]
                reached += 1
            if jump + COST_LONG_JUMP < best:
                best, origin = jump + COST_LONG_JUMP, jump_from
            now[b], shown[i, b] = best + cost[i, b], origin
            for c in range(0 if b == 0 else j - last, j - last + 1):
                if 0 <= c < width and before[c] + COST_UNMATCHED < none[b]:
                    none[b], hidden[i, b] = before[c] + COST_UNMATCHED, source[c]
        for b in range(width):
            code = 2 * (low[i] + b)
            if low[i] + b >= count - edge and now[b] + (n - 1 - i) * COST_OUTSIDE_REFERENCE < total:
                total, end_row, end_code = now[b] + (n - 1 - i) * COST_OUTSIDE_REFERENCE, i, code
            before[b], source[b] = now[b], code
            if none[b] < now[b]:
                before[b], source[b] = none[b], code + 1
            if i == n - 1 and before[b] < total:
                total, end_row, end_code = before[b], i, source[b]
    return shown, hidden, (total, end_row, end_code)
