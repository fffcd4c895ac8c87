"""Cadence: where each frame of an interpolated video lies among the frames of its lower-rate
source.

Interpolation by a multiplier of ``b / a`` (2 for 30 to 60 fps, 5/2 for 24 to 60) puts test frame i
at source position ``j0 + (i - i0) a / b``. Where that is a whole number, an original frame was
passed through; elsewhere the frame was synthesised, and the fraction is its phase between the two
originals around it.

Both sides are decoded once and reduced to signatures (:mod:`vfiscope.alignment.signature`). A few
test frames (anchors) that resemble one source frame far more than all distant ones give a rough
slope and offset (Theil-Sen line). Among the multipliers and offsets near that line, the one whose
predicted originals are most like their source frames wins. Where several fit equally well, because
frames were only repeated or nothing moves, the multiplier that the rates of the two files give
wins, and the offset that puts the first test frame on the first source frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.alignment.monotone_path import (
    MIN_NOISE_MSE,
    MSE_ALWAYS_ALIKE,
    MSE_UNRELATED,
    distances,
)
from vfiscope.alignment.signature import COARSE_GRID, signatures
from vfiscope.errors import PairingError
from vfiscope.types import Cadence, Float32, Frames, Int64, Role, Status

__all__ = ["find_cadence"]

Bool = NDArray[np.bool_]

KNOWN_MULTIPLIERS = tuple(
    Fraction(*pair)
    for pair in (
        *(
            (1, 1),
            (2, 1),
            (3, 1),
            (4, 1),
            (5, 1),
            (6, 1),
            (7, 1),
            (8, 1),
            (10, 1),
            (12, 1),
            (16, 1),
        ),
        *(
            (5, 2),
            (3, 2),
            (4, 3),
            (5, 3),
            (5, 4),
            (6, 5),
            (12, 5),
            (10, 3),
            (25, 24),
            (24, 5),
            (25, 12),
            (20, 3),
        ),
    )
)
"""Multipliers of common interpolation jobs: whole numbers, 24 to 60 fps, 25 to 60, 24 to 25 and the
like."""
MAX_ANCHOR_FRAMES, MIN_ELSEWHERE_FRAMES = 96, 3
"""Test frames that are compared with the whole source, and the distance in source frames beyond
which a resemblance counts as elsewhere."""
MAX_CLEAR_RATIO = 0.25
"""Share of the least difference elsewhere below which the place of an anchor is certain."""
MIN_WORSE_FACTOR = 1.3
"""Factor by which a fit must be worse than the best one to be ruled out."""
MIN_ORIGINALS = 4
"""Originals that a multiplier other than the claimed one must predict: fewer may be alike by
chance."""
MIN_PASSTHROUGH_SHARE = 0.5
"""Share of the predicted originals that must be like their source frames; below it, the cadence may
be a coincidence."""


@dataclass(frozen=True, eq=False)
class _Side:
    signatures: Float32
    time_s: NDArray[np.float64]
    index: Int64
    blank: Bool


class _Line(NamedTuple):
    """Source position of test frame i: ``start + slope * i``, with an error for each term."""

    slope: float
    start: float
    slope_error: float
    start_error: float


class _Lattice(NamedTuple):
    """Test frame ``row + k b`` shows source frame ``column + k a``, for a multiplier of b / a."""

    multiplier: Fraction
    row: int
    column: int

    @property
    def start(self) -> Fraction:
        """Source position of test frame 0."""
        return self.column - self.row / self.multiplier

    def originals(self, n: int, m: int) -> tuple[Int64, Int64]:
        """Test and source rows of every original within n test and m source frames."""
        b, a = self.multiplier.numerator, self.multiplier.denominator
        first = max(-(self.row // b), -(self.column // a))
        last = min((n - 1 - self.row) // b, (m - 1 - self.column) // a)
        steps = np.arange(first, last + 1)
        return self.row + b * steps, self.column + a * steps


def find_cadence(
    test: Iterable[Frames], source: Iterable[Frames], *, multiplier: Fraction | None = None
) -> Cadence:
    """Find where each test frame lies among the frames of the source that it was made from.

    Args:
        test: batches of the interpolated video.
        source: batches of the lower-rate video, of the same scene and any size.
        multiplier: test frames per source frame; None detects it.

    Raises:
        PairingError: the test has no more frames per second than the source, no test frame
            resembles a source frame, or no steady cadence fits the two.
    """
    one, other = _read(test), _read(source)
    if len(other.index) < 2:
        raise PairingError(
            "the source has one frame, and interpolation needs two or more: pass the whole source"
        )
    claimed = _claimed(one, other)
    if claimed is not None and claimed < 1 and multiplier is None:
        raise PairingError(
            f"the test has {claimed} frames per source frame, and interpolation adds frames:"
            " swap the two, or pass --multiplier"
        )
    rows, table = _sampled(one, other)
    line = _anchor(rows, table)
    if line is None and not (table < MSE_UNRELATED).any():
        raise PairingError(
            f"none of {len(one.index)} test frames resembles any of {len(other.index)} source"
            " frames: check --source"
        )
    chosen, residual = _choose(one, other, line, claimed, multiplier)
    if multiplier is not None and len(residual) < 2:
        raise PairingError(
            f"a multiplier of {multiplier} predicts one original, too few to be sure: pass a"
            " smaller one"
        )
    if multiplier is None and chosen.multiplier == 1:
        raise PairingError(
            "the test has one frame per source frame, nothing was interpolated: check --source"
            " or pass --multiplier"
        )
    return _cadence(one, other, chosen, residual)


def _read(batches: Iterable[Frames]) -> _Side:
    seen = [
        (signatures(f, COARSE_GRID), f.time_s, f.index, f.status == Status.UNREADABLE)
        for f in batches
    ]
    return _Side(*(np.concatenate([entry[part] for entry in seen]) for part in range(4)))


def _claimed(test: _Side, source: _Side) -> Fraction | None:
    """Test frames per source frame, from the median intervals of their times."""
    if len(test.time_s) < 2:
        return None
    intervals = [float(np.median(np.diff(side.time_s))) for side in (source, test)]
    if min(intervals) <= 0:
        return None
    return Fraction(intervals[0] / intervals[1]).limit_denominator(24)


def _sampled(test: _Side, source: _Side) -> tuple[Int64, Float32]:
    """Some test rows, and their mean squared differences from every source frame."""
    rows = np.flatnonzero(~test.blank)
    rows = rows[:: max(1, len(rows) // MAX_ANCHOR_FRAMES)]
    table = distances(
        test.signatures[rows], source.signatures, np.zeros(len(rows), np.int64), len(source.index)
    )
    table[:, source.blank] = np.inf
    return rows, table


def _anchor(rows: Int64, table: Float32) -> _Line | None:
    """The line through test frames whose place is certain; None where there are too few of them."""
    best = table.argmin(axis=1)
    own = table.min(axis=1)
    away = np.abs(np.arange(table.shape[1]) - best[:, None]) > MIN_ELSEWHERE_FRAMES
    elsewhere = np.where(away, table, np.inf).min(axis=1)
    sure = (own < MSE_UNRELATED) & (own + MIN_NOISE_MSE < MAX_CLEAR_RATIO * elsewhere)
    rows, best = rows[sure], best[sure]
    if len(rows) < 3 or np.ptp(rows) < 2:
        return None
    i, j = np.triu_indices(len(rows), 1)
    span = rows[j] - rows[i]
    long = span >= np.ptp(rows) / 2
    slope = float(np.median((best[j] - best[i])[long] / span[long]))
    starts = best - slope * rows
    spread = 1.0 + 2.0 * float(np.median(np.abs(starts - np.median(starts))))
    return _Line(slope, float(np.median(starts)), 2.0 * spread / float(np.ptp(rows)), spread)


def _choose(
    test: _Side, source: _Side, line: _Line | None, claimed: Fraction | None, asked: Fraction | None
) -> tuple[_Lattice, Float32]:
    """The lattice that fits best, of equals the one nearest to the times of the files; and the mean
    squared differences of its originals."""
    expected = asked or claimed or Fraction(1)
    if line is None:  # no content tells frames apart: the times alone decide
        line = _Line(1 / float(expected), int(test.index[0]) / float(expected), 0.0, 0.5)
    n, m = len(test.index), len(source.index)
    tried: list[tuple[_Lattice, Float32, float]] = []
    for lattice in _lattices(line, claimed, asked):
        residual = _differences(test, source, lattice)
        # A lattice with few originals may fit by chance.
        enough = max(
            1 if lattice.multiplier == expected else MIN_ORIGINALS,
            _most(lattice.multiplier, n, m, line) // 2,
        )
        if len(residual) >= enough:
            tried.append((lattice, residual, float(np.minimum(residual, MSE_UNRELATED).mean())))
    if not tried:
        raise PairingError(
            f"no steady cadence fits {n} test frames to {m} source frames: check"
            " --source, or pass --multiplier"
        )
    # The expected multiplier wins unless another one fits clearly better.
    best = min(cost for _, _, cost in tried)
    plain = [entry for entry in tried if entry[0].multiplier == expected]
    if plain and min(cost for _, _, cost in plain) <= MIN_WORSE_FACTOR * best + MSE_ALWAYS_ALIKE:
        tried = plain
    limit = MIN_WORSE_FACTOR * min(cost for _, _, cost in tried) + MIN_NOISE_MSE
    fitting = [entry for entry in tried if entry[2] <= limit]
    lattice, residual, _ = min(fitting, key=lambda entry: _strangeness(entry[0], test))
    return lattice, residual


def _strangeness(lattice: _Lattice, test: _Side) -> tuple[float, Fraction]:
    """Distance of a lattice from putting the first test frame on the first source frame."""
    began = int(test.index[0]) / float(lattice.multiplier)
    return abs(float(lattice.start) - began), lattice.multiplier


def _most(multiplier: Fraction, n: int, m: int, line: _Line) -> int:
    """Most originals that a lattice of this multiplier can have where test and source overlap."""
    end = min(float(m), line.start + line.slope * n)
    overlap = max(0.0, end - max(0.0, line.start)) / max(line.slope, 1e-9)
    return floor(min(overlap, n) / multiplier.numerator)


def _lattices(line: _Line, claimed: Fraction | None, asked: Fraction | None) -> Iterator[_Lattice]:
    """Every lattice near the line."""
    known = {*KNOWN_MULTIPLIERS, *([] if claimed is None or claimed <= 0 else [claimed])}
    for multiplier in sorted(known) if asked is None else [asked]:
        if asked is None and abs(1 / float(multiplier) - line.slope) > line.slope_error + 1e-6:
            continue
        for row in range(multiplier.numerator):
            place = line.start + line.slope * row
            reach = line.start_error
            for column in range(floor(place - reach), ceil(place + reach) + 1):
                yield _Lattice(multiplier, row, column)


def _differences(test: _Side, source: _Side, lattice: _Lattice, off: int = 0) -> Float32:
    """Mean squared differences of the signatures of the predicted originals from their source
    frames, unreadable frames left out.

    With ``off``, from the source frames ``off`` rows away, clipped to the ends.
    """
    rows, columns = lattice.originals(len(test.index), len(source.index))
    seen = ~(test.blank[rows] | source.blank[columns])
    others = np.clip(columns[seen] + off, 0, len(source.index) - 1)
    difference = test.signatures[rows[seen]] - source.signatures[others]
    return np.asarray(np.mean(difference**2, axis=1), np.float32)


def _share(test: _Side, source: _Side, lattice: _Lattice, own: Float32) -> float:
    """Share of the predicted originals that are like their source frames, and at least as much as
    like the source frames beside them."""
    beside = np.minimum(
        _differences(test, source, lattice, -1), _differences(test, source, lattice, 1)
    )
    return (
        float(((own <= beside + MSE_ALWAYS_ALIKE) & (own < MSE_UNRELATED)).mean())
        if len(own)
        else 0.0
    )


def _cadence(test: _Side, source: _Side, lattice: _Lattice, differences: Float32) -> Cadence:
    n, m = len(test.index), len(source.index)
    share = _share(test, source, lattice, differences)
    if share < MIN_PASSTHROUGH_SHARE:
        raise PairingError(
            f"no steady cadence: of the originals that a multiplier of {lattice.multiplier}"
            f" predicts, {share:.0%} are like their source frames: check --source, or pass"
            " --multiplier"
        )
    b, a = lattice.multiplier.numerator, lattice.multiplier.denominator
    # Source positions in units of 1 / b.
    steps = lattice.column * b + (np.arange(n) - lattice.row) * a
    before, part = steps // b, steps % b
    inside = (steps >= 0) & (steps <= (m - 1) * b)
    role = np.where(part == 0, Role.PASSED, Role.SYNTHESISED)
    return Cadence(
        multiplier=lattice.multiplier,
        before=np.where(inside, before, -1),
        phase=np.where(inside, part / b, np.nan),
        role=np.where(inside, role, Role.UNKNOWN).astype(np.uint8),
        start=lattice.start,
        share=share,
    )
