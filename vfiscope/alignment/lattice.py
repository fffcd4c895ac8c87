"""The frames of a side of a cadence, and steady cadences as lattices of test and source frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.alignment.signature import COARSE_GRID, signatures
from vfiscope.alignment.slips import Followed, follow_slips
from vfiscope.types import Float32, Frames, Int64, Status

__all__ = ["Lattice", "Side", "follow", "read_side"]


@dataclass(frozen=True, eq=False)
class Side:
    """The frames of the test or of the source."""

    signatures: Float32
    time_s: NDArray[np.float64]
    index: Int64
    blank: NDArray[np.bool_]
    """(N,) frames that could not be read."""

    def take(self, rows: Int64) -> Side:
        """Some of its frames."""
        return Side(self.signatures[rows], self.time_s[rows], self.index[rows], self.blank[rows])


def read_side(batches: Iterable[Frames]) -> Side:
    """Read a video once."""
    seen = [
        (signatures(f, COARSE_GRID), f.time_s, f.index, f.status == Status.UNREADABLE)
        for f in batches
    ]
    return Side(*(np.concatenate([entry[part] for entry in seen]) for part in range(4)))


class Lattice(NamedTuple):
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

    def differences(self, test: Side, source: Side) -> Float32:
        """Mean squared differences of the signatures of the predicted originals from their source
        frames, unreadable frames left out."""
        rows, columns = self.originals(len(test.index), len(source.index))
        seen = ~(test.blank[rows] | source.blank[columns])
        difference = test.signatures[rows[seen]] - source.signatures[columns[seen]]
        return np.asarray(np.mean(difference**2, axis=1), np.float32)


def follow(test: Side, source: Side, lattice: Lattice) -> Followed:
    """A lattice with its slips."""
    b, a = lattice.multiplier.numerator, lattice.multiplier.denominator
    steady = lattice.column * b + (np.arange(len(test.index)) - lattice.row) * a
    one, other = ((side.signatures, side.blank) for side in (test, source))
    return follow_slips(one, other, steady, b, a)
