"""How far each value of a curve lies beyond its level: that of the whole clip, that of the rows
around it, and that of the rows before or behind it. The rule and its reasons:
:mod:`vfiscope.segments.detectors.low_score`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vfiscope.config import FLAG_ENTER, SIGMA_OF_MAD
from vfiscope.jit import compiled
from vfiscope.types import Float64

__all__ = ["Departures", "departures"]

Rows = NDArray[np.intp]

NEIGHBOURHOOD_ROWS = 49
"""Rows in a neighbourhood: damage of up to 24 rows stands out from it."""
SIDE_CYCLES = 8
"""Rows before and after, in cycles: damage of up to 4 cycles stands out from them."""


@dataclass(frozen=True, eq=False)
class Departures:
    """Of N rows, each by the view from which it departs most."""

    excess: Float64
    """(N,) departure from the level in parts of ``enter``; NaN where the row has no value."""
    level: Float64
    """(N,) the level, as badness."""
    enter: Float64
    """(N,) the least departure that is flagged."""
    view: NDArray[np.intp]
    """(N,) 0 for the level of the clip, 1 for the rows around, 2 for those before or behind."""


def departures(badness: Float64, cycle: int, floor: float) -> Departures:
    """The departures of one curve.

    Args:
        badness: (N,) values of which more is worse, NaN where there is none; one at least is
            finite.
        cycle: rows of an alternation; the level is that of the worst row of each cycle.
        floor: the least departure that counts.
    """
    # A window with a missing value still has a worst frame; only one with no value is dropped.
    finite = np.where(np.isfinite(badness), badness, -np.inf)
    worst = sliding_window_view(finite, cycle).max(axis=1)
    known = np.flatnonzero(np.isfinite(worst))
    worst = worst[known]
    level, scale = _levels(worst)
    enter = max(floor, FLAG_ENTER * scale)
    found = Departures(
        excess=_ratio(badness - level, enter),
        level=np.full(len(badness), level),
        enter=np.full(len(badness), enter),
        view=np.zeros(len(badness), np.intp),
    )
    for number, view in enumerate((_neighbourhood, _sides), start=1):
        near, spread = view(worst, known, len(badness), cycle)
        enough = np.maximum(floor, FLAG_ENTER * spread)
        beyond = _ratio(badness - near, enough)
        # NaN where the clip is too short for the view: no comparison with it is true.
        more = (badness > level) & (beyond > found.excess)
        parts = (beyond, near, enough, np.full(len(badness), number))
        held = (found.excess, found.level, found.enter, found.view)
        found = Departures(*(np.where(more, a, b) for a, b in zip(parts, held, strict=True)))
    return found


def _neighbourhood(worst: Float64, known: Rows, count: int, cycle: int) -> tuple[Float64, Float64]:
    """Level and scale of the rows around each of ``count`` rows, (N,); NaN where the clip is not
    longer than a neighbourhood."""
    if len(worst) <= NEIGHBOURHOOD_ROWS:
        return np.full(count, np.nan), np.full(count, np.nan)
    # Windows are centred on their rows, except near the ends, which share the outermost window.
    near, spread = (
        np.pad(part, NEIGHBOURHOOD_ROWS // 2, mode="edge")
        for part in _rolling(worst, NEIGHBOURHOOD_ROWS)
    )
    spread = np.maximum(spread, SIGMA_OF_MAD * np.median(np.abs(worst - near)))
    # The row in the middle of a window of one cycle stands for it.
    place = _known_before(known, -(cycle // 2), count).clip(0, len(worst) - 1)
    return near[place], spread[place]


def _sides(worst: Float64, known: Rows, count: int, cycle: int) -> tuple[Float64, Float64]:
    """Level and scale of the rows before or after each of ``count`` rows, whichever level is worse,
    (N,)."""
    size = SIDE_CYCLES * cycle
    if len(worst) <= size:
        return np.full(count, np.nan), np.full(count, np.nan)
    level, scale = _rolling(worst, size)
    # A window of ``worst`` starts at its row and spans a cycle: those before must end before the
    # row, those after must start behind it, so that the row itself is in neither.
    before = _known_before(known, 1 - cycle, count) - size
    after = _known_before(known, 1, count)
    before, after = (place.clip(0, len(level) - 1) for place in (before, after))
    near = np.maximum(level[before], level[after])
    spread = np.where(level[before] > level[after], scale[before], scale[after])
    return near, np.maximum(spread, SIGMA_OF_MAD * np.median(np.abs(worst - near[known])))


def _known_before(known: Rows, by: int, count: int) -> Rows:
    """How many of some rows, in order, come before the one ``by`` rows further on, for each of
    ``count`` rows, (N,)."""
    is_known = np.zeros(count + 1, np.intp)
    is_known[known + 1] = 1
    before = np.cumsum(is_known)
    return np.asarray(before[(np.arange(count) + by).clip(0, count)], np.intp)


def _rolling(worst: Float64, size: int) -> tuple[Float64, Float64]:
    """Level and scale of every ``size`` rows in a row, (M - size + 1,)."""
    level, away = np.empty((2, len(worst) - size + 1))
    rolling_medians(worst, np.empty(size), level, away)
    return level, SIGMA_OF_MAD * away


def _levels(values: Float64) -> tuple[float, float]:
    """Level and scale of (M,) finite values."""
    level = float(np.median(values))
    return level, SIGMA_OF_MAD * float(np.median(np.abs(values - level)))


@compiled()
def rolling_medians(values: Any, window: Any, level: Any, away: Any) -> None:
    """The median of each window, and that of the distances to it.

    The window is kept in order from row to row. Distances grow from the median to both sides, so
    that merging the sides up to the middle is enough. All bits are those of sorting each window.

    Args:
        values: (M,) float64, finite.
        window: (W,) float64, written over.
        level: (M - W + 1,) float64, filled.
        away: (M - W + 1,) float64, filled.
    """
    size = window.shape[0]
    for row in range(values.shape[0]):
        value, at, place = values[row], row, 0
        if row >= size:
            old = values[row - size]
            at = smaller(window, size, old)
            place -= old < value
        place += smaller(window, min(row, size), value)
        while at > place:
            window[at] = window[at - 1]
            at -= 1
        while at < place:
            window[at] = window[at + 1]
            at += 1
        window[at] = value
        if row >= size - 1:
            middle = (window[(size - 1) // 2] + window[size // 2]) / 2
            level[row - size + 1] = middle
            near = further = nearest(window, middle, (size + 1) // 2)
            if size % 2 == 0:
                further = nearest(window, middle, size // 2 + 1)
            away[row - size + 1] = (near + further) / 2


@compiled(inner=True)
def smaller(window: Any, size: int, value: float) -> int:
    """How many of the first values are smaller: counted, which is quicker than bisection, whose
    turns no processor foresees."""
    count = 0
    for i in range(size):
        count += window[i] < value
    return count


@compiled(inner=True)
def nearest(window: Any, middle: float, count: int) -> float:
    """The largest of so many least distances of an ordered window to its median.

    Found by bisection: how many of them lie on its lower side.
    """
    size = window.shape[0]
    below = (size + 1) // 2
    low, high = max(0, count - size // 2), min(count, below)
    while low < high:
        taken = (low + high) // 2
        if middle - window[below - 1 - taken] < window[below + count - taken - 1] - middle:
            low = taken + 1
        else:
            high = taken
    left = middle - window[below - low] if low else 0.0
    right = window[below + count - low - 1] - middle if low < count else 0.0
    return max(left, right)


def _ratio(departure: Float64, enter: Float64 | float) -> Float64:
    """departure / enter; where ``enter`` is 0 any departure is infinite and none is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(departure == 0, 0.0, departure / enter)
