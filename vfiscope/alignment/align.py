"""Alignment in time: which reference frame each test frame shows.

Every frame is decoded once into a signature (:mod:`vfiscope.alignment.signature`); the cheapest
monotone path through the table of their differences is the map
(:mod:`vfiscope.alignment.monotone_path`), at the rate that makes it cheapest. Where neighbours are
too alike to be told apart by signatures, both sides are decoded once more and compared on a finer
grid.

Clips whose table would have more than ``config.ALIGN_CELLS`` entries are aligned twice: first every
n-th frame of either side, with n so large that the table fits, then all frames in a band of ``4 n +
64`` frames to either side of that path. What lies outside of the band is not found: a repeated,
dropped or inserted stretch is, whatever its length, as long as it is longer than n frames or
shorter than the band.

Frames that could not be read have no signature. A row of the test without one, and a row whose
partner has none, keep their place in the order of things, by which their neighbours are found, and
are unmatched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from vfiscope import config
from vfiscope.alignment.monotone_path import (
    MSE_ALWAYS_ALIKE,
    MSE_UNRELATED,
    best_path,
    costs,
    noise_of,
)
from vfiscope.alignment.residuals import (
    Residuals,
    SignatureRows,
    band_around,
    compare_rows,
    mean_square,
    read_signatures,
)
from vfiscope.alignment.signature import FINE_GRID, signatures
from vfiscope.errors import PairingError
from vfiscope.types import Float32, Float64, Frames, Int64, Match, Pairing

__all__ = ["align"]

Bool = NDArray[np.bool_]

COST_OF_NOISE, COST_OF_FINE_NOISE = 6.0, 30.0
"""Cost of a difference as large as the noise, on the two grids: errors of the finer one average out
over more cells."""
MIN_SURE_MARGIN = 0.5
"""Margin below which the finer grid is asked."""
NOISE_SAMPLE_FRAMES = 32
"""Frames besides that are compared on it, to know how large its noise is."""
COST_OFF_CADENCE, CADENCE_REACH_ROWS = 8.0, 12
"""Cost of a reference frame away from the even cadence of a rate, and the rows to either side that
set it."""
MIN_EVEN_CHANGE = 0.5
"""Part of the mean squared difference of two frames that the next two have at least."""
FINE_REACH_FRAMES = 3
"""Reference frames to either side that the finer grid compares."""
MIN_STEADY_SHARE = 0.8
"""Part of those rows that must keep to the cadence for it to count: it says nothing where frames
were repeated."""
COST_UNREADABLE = 5.0
"""Cost of a reference frame that could not be read: little more than what a partner usually
costs."""
MIN_RATE_EVENTS = 4
"""Frames repeated or left out before a rate is thought of: fewer are edits."""
COST_RARE_RATE = 3.0
"""Cost of a rate that is neither 1 nor what the files claim."""
KNOWN_RATES = (
    *(
        Fraction(*rate)
        for rate in ((1, 1), (1, 2), (2, 1), (24, 25), (25, 24), (4, 5), (5, 4), (5, 6), (6, 5))
    ),
    *(
        Fraction(*rate)
        for rate in ((2, 5), (5, 2), (1, 3), (3, 1), (1, 4), (4, 1), (12, 25), (25, 12), (5, 12))
    ),
    *(
        Fraction(*rate)
        for rate in ((12, 5), (2, 3), (3, 2), (3, 4), (4, 3), (1000, 1001), (1001, 1000))
    ),
)
"""Rates at which video is made from video."""


def align(
    test: Iterable[Frames],
    ref: Iterable[Frames],
    *,
    rate: Fraction | None = None,
    cells: int = config.ALIGN_CELLS,
) -> Pairing:
    """Find which reference frame each test frame shows.

    Args:
        test: batches; iterated twice.
        ref: batches of frames of the same picture, of any size; iterated twice.
        rate: reference frames to a test frame as the files claim: one more guess.
        cells: entries of a table of residuals that is not cut down to a band.

    Raises:
        PairingError: no test frame resembles any reference frame.
    """
    one, other = read_signatures(test), read_signatures(ref)
    table = _table(one, other, cells)
    path, found = _choose(_costs(table), table, rate)
    _check_related(path >= 0, other)
    near, far = _margins(table, path)
    unsure = ((path < 0) | (np.minimum(near, far) < MIN_SURE_MARGIN)) & ~one.blank
    if unsure.any() and len(other) > 1:
        path, near = _refine(test, ref, table, path, unsure, found)
        far = _margins(table, path)[1]
    matched = (path >= 0) & ~one.blank & ~other.blank[np.maximum(path, 0)]
    _check_related(matched, other)
    margin = np.where(matched, np.minimum(near, far), _loneliness(table, matched))
    return _pairing(one, other, path, matched, np.where(one.blank, np.nan, margin), found)


def _check_related(matched: Bool, ref: SignatureRows) -> None:
    if not matched.any():
        raise PairingError(
            f"none of {len(matched)} test frames resembles any of {len(ref)} reference frames:"
            " check --ref, or give --align none"
        )


# ---------------------------------------------------------------------------------------- the table


def _table(test: SignatureRows, ref: SignatureRows, cells: int) -> Residuals:
    n, m = len(test), len(ref)
    if n * m <= cells:
        return compare_rows(test, ref, np.zeros(n, np.int64), m)
    every = ceil(sqrt(n * m / cells))
    some, others = test.every(every), ref.every(every)
    first = compare_rows(some, others, np.zeros(len(some), np.int64), len(others))
    path, _ = _choose(_costs(first), first, None)
    return compare_rows(test, ref, *band_around(path, n, m, every))


# ----------------------------------------------------------------------------------------- the path


def _costs(table: Residuals) -> Float32:
    """What each partner costs. Rows without a picture fit anywhere; what cannot be seen must be
    passed through."""
    return _unseen(
        costs(table.residuals, COST_OF_NOISE, noise_of(table.residuals, ~table.unreadable[0])),
        table,
    )


def _unseen(cost: Float32, table: Residuals) -> Float32:
    """The costs, with those of what could not be read."""
    blank, unseen = table.unreadable
    at = table.columns
    there = at < table.count
    cost[there & unseen[np.minimum(at, table.count - 1)]] = COST_UNREADABLE
    cost[there & blank[:, None]] = 0.0
    return cost


def _choose(cost: Float32, table: Residuals, claimed: Fraction | None) -> tuple[Int64, Fraction]:
    """The cheapest path over all rates that could be meant."""
    path, _ = best_path(cost, table.low, table.count, None)
    slope, error = _slope(path)
    visible, steadiest = MIN_RATE_EVENTS / max(len(path), 1), _steadiness(path, Fraction(1))
    guesses = [
        rate
        for rate in KNOWN_RATES
        if abs(float(rate) - slope) <= error and not 0 < abs(rate - 1) < visible
    ]
    guesses = [rate for rate in guesses if _steadiness(path, rate) >= steadiest]
    guesses += [Fraction(1)] + [rate for rate in (claimed,) if rate is not None]
    if not any(abs(float(rate) - slope) <= error for rate in guesses):
        guesses.append(Fraction(slope).limit_denominator(60))
    tried = [
        (best_path(cost, table.low, table.count, rate), rate)
        for rate in dict.fromkeys(guesses)
        if rate > 0
    ]
    plain = (Fraction(1), claimed)
    (path, _), rate = min(
        tried, key=lambda entry: entry[0][1] + (0.0 if entry[1] in plain else COST_RARE_RATE)
    )
    return path, rate


def _steadiness(path: Int64, rate: Fraction) -> float:
    """Part of the rows that keep to the cadence of a rate, as it runs around them."""
    return float(_cadence(path, rate)[1].mean()) if (path >= 0).any() else 0.0


def _slope(path: Int64) -> tuple[float, float]:
    """Reference rows per test row, the median over spans of half the length, and how wrong it may
    be."""
    rows = np.flatnonzero(path >= 0)
    half = len(rows) // 2
    if half < 2:
        return 1.0, 0.0
    slopes = (path[rows[half:]] - path[rows[:-half]]) / (rows[half:] - rows[:-half])
    return float(np.median(slopes)), 3.0 / half


def _margins(table: Residuals, path: Int64) -> tuple[Float32, Float32]:
    """(N,) margins against the references within reach of the partner, and against all others of
    the table."""
    at = np.clip(path - table.low, 0, table.residuals.shape[1] - 1)
    away = np.abs(np.arange(table.residuals.shape[1])[None, :] - at[:, None])
    own = np.take_along_axis(table.residuals, at[:, None], axis=1)[:, 0]
    near = np.where((away > 0) & (away <= FINE_REACH_FRAMES), table.residuals, np.inf).min(axis=1)
    far = np.where(away > FINE_REACH_FRAMES, table.residuals, np.inf).min(axis=1)
    return _margin(own, np.minimum(near, _beyond(table, path))), _margin(own, far)


def _beyond(table: Residuals, path: Int64) -> Float32:
    """(N,) how much worse than the rest a partner at an end of the reference would fit if the frame
    beyond were shown.

    That frame is not there to be compared. It is taken to differ from the partner as its neighbour
    on the other side does, or half as much, for motion is uneven; and the test frame that shows it,
    by as much and by the noise that most frames have at least.
    """
    first, last = (MIN_EVEN_CHANGE * edge for edge in table.edges)
    noise = noise_of(table.residuals, path >= 0, 0.25)
    out = np.where(path == 0, first + noise, np.inf)
    return np.where(path == table.count - 1, np.minimum(out, last + noise), out).astype(np.float32)


def _loneliness(table: Residuals, matched: Bool) -> Float32:
    """(N,) how much worse each row's best partner fits than partners do elsewhere."""
    return np.maximum(
        _margin(np.float32(noise_of(table.residuals, matched)), table.residuals.min(axis=1)), 0.0
    )


def _margin(own: Float32 | np.float32, second: Float32) -> Float32:
    """How much better a partner is than the second best; negative where the second is better."""
    own, second = np.minimum(own, 1e6), np.minimum(second, 1e6)
    return np.maximum(1.0 - (own + MSE_ALWAYS_ALIKE) / (second + MSE_ALWAYS_ALIKE), -1.0).astype(
        np.float32
    )


# --------------------------------------------------------------------------------------- refinement


def _refine(
    test: Iterable[Frames],
    ref: Iterable[Frames],
    table: Residuals,
    path: Int64,
    unsure: Bool,
    rate: Fraction,
) -> tuple[Int64, Float32]:
    """The path with unsure rows compared on the finer grid, and the margins against near
    references."""
    width = 2 * FINE_REACH_FRAMES + 1
    coarse = table.window(
        np.clip(_held(path) - FINE_REACH_FRAMES, 0, max(0, table.count - width)), width
    )
    sample = np.zeros(len(path), bool)
    sample[:: max(1, len(path) // NOISE_SAMPLE_FRAMES)] = True
    sample &= (path >= 0) & ~table.unreadable[0]
    fine = _finer(test, ref, coarse, unsure | sample)
    cost = _costs(coarse)
    finer = costs(fine.residuals[unsure], COST_OF_FINE_NOISE, noise_of(fine.residuals, sample))
    # A row that the coarse grid calls foreign is not made to fit by a finer one.
    cost[unsure] = np.where(coarse.residuals[unsure] > MSE_UNRELATED, cost[unsure], finer)
    cost = _unseen(cost, coarse)
    if rate.denominator > 1:
        cost[unsure] += _irregular(path, coarse.low, width, rate)[unsure]
    path, _ = best_path(cost, coarse.low, table.count, rate)
    own, finely = (np.minimum(*_margins(table, path)) for table in (coarse, fine))
    agreed = np.where((own >= 0) & (finely >= 0), np.maximum(own, finely), np.minimum(own, finely))
    return path, np.where(unsure, agreed, own)


def _irregular(path: Int64, low: Int64, width: int, rate: Fraction) -> Float32:
    """(N, width) cost of leaving the even cadence of a rate, where the rows around each one keep to
    it."""
    expected, keeping = _cadence(path, rate)
    away = np.minimum(np.abs(low[:, None] + np.arange(width) - expected[:, None]), 2.0)
    away -= away.min(
        axis=1, keepdims=True
    )  # a cadence chooses between partners, it leaves no frame without one
    return np.asarray(
        COST_OFF_CADENCE * np.where(keeping[:, None] >= MIN_STEADY_SHARE, away, 0.0), np.float32
    )


def _cadence(path: Int64, rate: Fraction) -> tuple[Float64, Float64]:
    """(N,) the partner of each row by the even cadence around it, and the part of the rows around
    that keep to it."""
    even = float(rate) * np.arange(len(path))
    lead = np.pad(_held(path) - even, CADENCE_REACH_ROWS, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(lead, 2 * CADENCE_REACH_ROWS + 1)
    usual = np.nanmedian(around, axis=1)
    keeping = (np.abs(around - usual[:, None]) <= 1.0).sum(axis=1)
    return even + usual, keeping / np.isfinite(around).sum(axis=1)


def _held(path: Int64) -> Int64:
    """The path with unmatched rows at the last partner before them, or the first of all."""
    known = np.flatnonzero(path >= 0)
    place = np.searchsorted(known, np.arange(len(path)), side="right") - 1
    return path[known[np.maximum(place, 0)]]


def _finer(
    test: Iterable[Frames], ref: Iterable[Frames], table: Residuals, rows: Bool
) -> Residuals:
    """The table on the finer grid, for the chosen rows, infinite in the others; both sides are read
    once."""
    width, count = table.residuals.shape[1], table.count
    firsts = [int(first) for first in table.low]
    wanted = np.zeros(count + width, bool)
    for row in np.flatnonzero(rows):
        wanted[firsts[row] : firsts[row] + width] = True
    out = np.full(table.residuals.shape, np.inf, np.float32)
    edges = {1: np.inf, count - 1: np.inf}
    refs = _fine(ref, wanted)
    held: dict[int, Float32] = {}
    latest = -1
    for i, signature in _fine(test, rows):
        while (
            latest < min(firsts[i] + width, count) - 1 and (entry := next(refs, None)) is not None
        ):
            latest, held[entry[0]] = entry[0], entry[1]
            if latest in edges and latest - 1 in held:
                edges[latest] = mean_square(np.stack([held[latest - 1], held[latest]]))
        held = {j: kept for j, kept in held.items() if j >= firsts[i]}
        for j, kept in held.items():
            if j < firsts[i] + width:
                out[i, j - firsts[i]] = np.mean((signature - kept) ** 2)
    out[~np.isfinite(table.residuals)] = np.inf
    return replace(table, residuals=out, edges=(edges[1], edges[count - 1]))


def _fine(batches: Iterable[Frames], wanted: Bool) -> Iterator[tuple[int, Float32]]:
    """Row and fine signature of the wanted rows, up to the last of them."""
    row, left = 0, int(wanted.sum())
    for frames in batches:
        for k in range(len(frames)):
            if row < len(wanted) and wanted[row]:
                yield row, signatures(frames[k : k + 1], FINE_GRID)[0]
                left -= 1
            row += 1
        if left <= 0:
            return


# --------------------------------------------------------------------------------------- the result


def _pairing(
    test: SignatureRows,
    ref: SignatureRows,
    path: Int64,
    matched: Bool,
    margin: Float32,
    rate: Fraction,
) -> Pairing:
    rows = np.flatnonzero(matched)
    partners = path[rows]
    difference = test.signatures[rows] - ref.signatures[partners]
    residual = np.full(len(test), np.nan, np.float32)
    residual[rows] = np.sqrt(np.mean(difference**2, axis=1))
    label = np.full(len(test), Match.UNMATCHED, np.uint8)
    label[rows] = Match.MATCHED
    label[rows[1:][np.diff(partners) == 0]] = Match.REPEATED
    ends = [(a, b) for a, b in pairwise(path[path >= 0]) if b - a > ceil(rate)]
    return Pairing(
        np.where(matched, ref.index[np.maximum(path, 0)], -1),
        residual,
        np.clip(margin, 0.0, 1.0).astype(np.float32),
        label,
        method="auto",
        offset=int(ref.index[partners[0]] - test.index[rows[0]]),
        rate=rate,
        dropped=tuple((int(ref.index[a + ceil(rate)]), int(ref.index[b])) for a, b in ends),
    )
