"""Alignment in time: which reference frame each test frame shows.

Both sides are decoded once and every frame is reduced to a signature
(:mod:`vfiscope.alignment.signature`). The map is the cheapest monotone path through the table of
differences between signatures (:mod:`vfiscope.alignment.monotone_path`), at the rate that makes it
cheapest. Where neighbouring frames are too alike for signatures to tell them apart, both sides are
decoded a second time and compared on a finer grid.

Clips whose table would have more than ``config.ALIGN_CELLS`` entries are aligned in two passes:
first every n-th frame of each side, with n large enough for the table to fit, then all frames in a
band of ``4 n + 64`` frames to either side of that path. Partners outside the band are not found. A
repeated, dropped or inserted stretch of any length is found if it is longer than n frames or
shorter than the band.

Unreadable frames have no signature. A test row without a signature, or whose partner has none, is
unmatched, but keeps its place in the path so that its neighbours are still found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from vfiscope import config
from vfiscope.alignment.displaced import displaced_rows, resembling_rows, with_displaced
from vfiscope.alignment.monotone_path import (
    MSE_ALWAYS_ALIKE,
    MSE_UNRELATED,
    best_path,
    costs,
    noise_of,
)
from vfiscope.alignment.rates import KNOWN_RATES, cadence_around, filled, slope_of, steadiness
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
from vfiscope.types import Float32, Frames, Int64, Match, Pairing

__all__ = ["align"]

Bool = NDArray[np.bool_]

COST_OF_NOISE, COST_OF_FINE_NOISE = 6.0, 30.0
"""Cost of a difference as large as the noise, on the coarse and on the fine grid: on the fine one,
errors average out over more cells."""
MIN_SURE_MARGIN = 0.5
"""Margin below which a row is compared again on the finer grid."""
NOISE_SAMPLE_FRAMES = 32
"""Further frames compared on the finer grid, to estimate its noise."""
COST_OFF_CADENCE = 8.0
"""Cost for each reference frame of distance from the even cadence of a rate."""
MIN_EVEN_CHANGE = 0.5
"""Least mean squared difference of two neighbours, as a share of that of the two before them."""
FINE_REACH_FRAMES = 3
"""Reference frames to either side that the finer grid compares."""
MIN_STEADY_SHARE = 0.8
"""Share of the surrounding rows that must keep to the cadence for it to count: where frames were
repeated, it says nothing."""
COST_UNREADABLE = 5.0
"""Cost of an unreadable reference frame: slightly more than a partner usually costs."""
MIN_RATE_EVENTS = 4
"""Repeated or dropped frames from which a rate is considered: fewer are edits."""
COST_RARE_RATE = 3.0
"""Cost of a rate that is neither 1 nor what the files claim."""
ALIKE_TOLD = 3
"""Frames that an error about their order names."""


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
        ref: batches of frames of the same scene, of any size; iterated twice.
        rate: reference frames per test frame as the files claim; tried among others.
        cells: largest number of entries in a table of residuals that is not reduced to a band.

    Raises:
        PairingError: no test frame resembles any reference frame, or only out of order.
    """
    one, other = read_signatures(test), read_signatures(ref)
    table = _table(one, other, cells)
    path, found = _choose(_costs(table), table, rate)
    _check_related(path >= 0, table, one, other)
    near, far = _margins(table, path)
    unsure = ((path < 0) | (np.minimum(near, far) < MIN_SURE_MARGIN)) & ~one.blank
    if unsure.any() and len(other) > 1:
        path, near = _refine(test, ref, table, path, unsure, found)
        far = _margins(table, path)[1]
    matched = (path >= 0) & ~one.blank & ~other.blank[np.maximum(path, 0)]
    _check_related(matched, table, one, other)
    margin = np.where(matched, np.minimum(near, far), _loneliness(table, matched))
    pairing = _pairing(one, other, path, matched, np.where(one.blank, np.nan, margin), found)
    return with_displaced(pairing, one, other, displaced_rows(table, path, matched))


def _check_related(
    matched: Bool, table: Residuals, test: SignatureRows, ref: SignatureRows
) -> None:
    if matched.any():
        return
    alike = {row: shown for row, shown in resembling_rows(table).items() if not test.blank[row]}
    shuffled = len(alike) > len(matched) / 2 and np.any(np.diff(list(alike.values())) < 0)
    if not shuffled:
        raise PairingError(
            f"none of {len(matched)} test frames resembles any of {len(ref)} reference frames:"
            " check --ref, or pass --align none"
        )
    told = ", ".join(
        f"frame {test.index[row]} shows reference frame {ref.index[shown]}"
        for row, shown in islice(alike.items(), ALIKE_TOLD)
    )
    raise PairingError(
        f"{len(alike)} of {len(matched)} test frames resemble reference frames, but come in another"
        f" order ({told}): put the frames of the test in order, or pass --align none"
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
    """(N, W) cost of each partner. Unreadable test frames fit anywhere at no cost; unreadable
    reference frames have a fixed cost, so that the path can pass through them."""
    return _unseen(
        costs(table.residuals, COST_OF_NOISE, noise_of(table.residuals, ~table.unreadable[0])),
        table,
    )


def _unseen(cost: Float32, table: Residuals) -> Float32:
    """The same costs, in place, with those of unreadable frames filled in."""
    blank, unseen = table.unreadable
    at = table.columns
    there = at < table.count
    cost[there & unseen[np.minimum(at, table.count - 1)]] = COST_UNREADABLE
    cost[there & blank[:, None]] = 0.0
    return cost


def _choose(cost: Float32, table: Residuals, claimed: Fraction | None) -> tuple[Int64, Fraction]:
    """The cheapest path over all plausible rates, and its rate."""
    # A first path that assumes no rate shows how fast the reference runs against the test.
    path, _ = best_path(cost, table.low, table.count, None)
    slope, error = slope_of(path)
    # Rates closer to 1 than this repeat or drop too few frames in the clip to differ from edits.
    visible, steadiest = MIN_RATE_EVENTS / max(len(path), 1), steadiness(path, Fraction(1))
    guesses = [
        rate
        for rate in KNOWN_RATES
        if abs(float(rate) - slope) <= error and not 0 < abs(rate - 1) < visible
    ]
    # A listed rate must explain the path at least as evenly as 1 does.
    guesses = [rate for rate in guesses if steadiness(path, rate) >= steadiest]
    guesses += [Fraction(1)] + [rate for rate in (claimed,) if rate is not None]
    # An unlisted rate is tried only where nothing else has the slope of the first path.
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


def _margins(table: Residuals, path: Int64) -> tuple[Float32, Float32]:
    """(N,) margins against the references within reach of the partner (near), and against all
    others in the table (far).

    They are kept apart because only near rivals can be told apart by the finer grid.
    """
    at = np.clip(path - table.low, 0, table.residuals.shape[1] - 1)
    away = np.abs(np.arange(table.residuals.shape[1])[None, :] - at[:, None])
    own = np.take_along_axis(table.residuals, at[:, None], axis=1)[:, 0]
    near = np.where((away > 0) & (away <= FINE_REACH_FRAMES), table.residuals, np.inf).min(axis=1)
    far = np.where(away > FINE_REACH_FRAMES, table.residuals, np.inf).min(axis=1)
    return _margin(own, np.minimum(near, _beyond(table, path))), _margin(own, far)


def _beyond(table: Residuals, path: Int64) -> Float32:
    """(N,) estimated residual of the missing frame just beyond an end of the reference; infinite
    for rows whose partner is not at an end.

    That frame does not exist, so it cannot be compared. Its difference from the partner is assumed
    to be half of that of the neighbour on the other side, because motion is uneven, plus the noise
    that three frames in four exceed.
    """
    first, last = (MIN_EVEN_CHANGE * edge for edge in table.edges)
    noise = noise_of(table.residuals, path >= 0, 0.25)
    out = np.where(path == 0, first + noise, np.inf)
    return np.where(path == table.count - 1, np.minimum(out, last + noise), out).astype(np.float32)


def _loneliness(table: Residuals, matched: Bool) -> Float32:
    """(N,) how much worse the best candidate of each row fits than partners of matched rows do: the
    margin of the decision to leave a row unmatched."""
    return np.maximum(
        _margin(np.float32(noise_of(table.residuals, matched)), table.residuals.min(axis=1)), 0.0
    )


def _margin(own: Float32 | np.float32, second: Float32) -> Float32:
    """How much better a partner fits than the second best, -1..1; negative where it fits worse."""
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
    """The path after comparing unsure rows on the finer grid, and the margins against near
    references."""
    # 1. Around the path, keep a narrow band: only near references are compared again.
    width = 2 * FINE_REACH_FRAMES + 1
    coarse = table.window(
        np.clip(filled(path) - FINE_REACH_FRAMES, 0, max(0, table.count - width)), width
    )
    # 2. Unsure rows are compared finely, and some matched rows as well: they tell the noise there.
    sample = np.zeros(len(path), bool)
    sample[:: max(1, len(path) // NOISE_SAMPLE_FRAMES)] = True
    sample &= (path >= 0) & ~table.unreadable[0]
    fine = _finer(test, ref, coarse, unsure | sample)
    # 3. Unsure rows get their costs from the fine grid. A row that the coarse grid finds unrelated
    # keeps its coarse costs: the fine grid must not make it fit.
    cost = _costs(coarse)
    finer = costs(fine.residuals[unsure], COST_OF_FINE_NOISE, noise_of(fine.residuals, sample))
    cost[unsure] = np.where(coarse.residuals[unsure] > MSE_UNRELATED, cost[unsure], finer)
    cost = _unseen(cost, coarse)
    if rate.denominator > 1:
        cost[unsure] += _irregular(path, coarse.low, width, rate)[unsure]
    # 4. The larger margin counts where both grids favour the partner, else the smaller.
    path, _ = best_path(cost, coarse.low, table.count, rate)
    own, finely = (np.minimum(*_margins(table, path)) for table in (coarse, fine))
    agreed = np.where((own >= 0) & (finely >= 0), np.maximum(own, finely), np.minimum(own, finely))
    return path, np.where(unsure, agreed, own)


def _irregular(path: Int64, low: Int64, width: int, rate: Fraction) -> Float32:
    """(N, width) cost of leaving the even cadence of a rate; 0 where the surrounding rows do not
    keep to it."""
    expected, keeping = cadence_around(path, rate)
    away = np.minimum(np.abs(low[:, None] + np.arange(width) - expected[:, None]), 2.0)
    # The cheapest partner stays free: a cadence chooses among partners, and must not unmatch a row.
    away -= away.min(axis=1, keepdims=True)
    return np.asarray(
        COST_OFF_CADENCE * np.where(keeping[:, None] >= MIN_STEADY_SHARE, away, 0.0), np.float32
    )


def _finer(
    test: Iterable[Frames], ref: Iterable[Frames], table: Residuals, rows: Bool
) -> Residuals:
    """The table on the finer grid for the chosen rows, infinite elsewhere.

    Both sides are read once, side by side, and only the reference signatures in the band of the
    current row are held.
    """
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
        last_in_band = min(firsts[i] + width, count) - 1
        while latest < last_in_band and (entry := next(refs, None)) is not None:
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
    """(row, fine signature) of the wanted rows; stops reading after the last one."""
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
