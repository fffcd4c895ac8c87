"""Residuals of test and reference frames: mean squared differences of their signatures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vfiscope.alignment.monotone_path import distances
from vfiscope.alignment.signature import COARSE_GRID, signatures
from vfiscope.types import Float32, Frames, Int64, Status

__all__ = [
    "Residuals",
    "SignatureRows",
    "band_around",
    "compare_rows",
    "mean_square",
    "read_signatures",
]

Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SignatureRows:
    """Signatures and ordinals of all frames of a source, from one pass over it."""

    signatures: Float32
    index: Int64
    blank: Bool

    def __len__(self) -> int:
        return len(self.index)

    def every(self, step: int) -> SignatureRows:
        return SignatureRows(self.signatures[::step], self.index[::step], self.blank[::step])


@dataclass(frozen=True, eq=False)
class Residuals:
    """Mean squared differences in a band of reference rows."""

    residuals: Float32
    low: Int64
    unreadable: tuple[Bool, Bool]
    """(N,) test rows and (M,) reference rows that could not be read."""
    edges: tuple[float, float]
    """Mean squared differences of the first two and of the last two reference rows."""

    @property
    def count(self) -> int:
        """Number of reference rows."""
        return len(self.unreadable[1])

    @property
    def columns(self) -> Int64:
        """(N, W) reference rows of the band, including those beyond the last one."""
        return self.low[:, None] + np.arange(self.residuals.shape[1])

    def window(self, low: Int64, width: int) -> Residuals:
        """Another band, with infinite residuals where this one has none."""
        at = low[:, None] + np.arange(width) - self.low[:, None]
        inside = (at >= 0) & (at < self.residuals.shape[1])
        found = np.take_along_axis(self.residuals, np.where(inside, at, 0), axis=1)
        return replace(self, residuals=np.where(inside, found, np.float32(np.inf)), low=low)


def read_signatures(batches: Iterable[Frames]) -> SignatureRows:
    seen = [
        (signatures(frames, COARSE_GRID), frames.index, frames.status == Status.UNREADABLE)
        for frames in batches
    ]
    return SignatureRows(*(np.concatenate([entry[part] for entry in seen]) for part in range(3)))


def compare_rows(test: SignatureRows, ref: SignatureRows, low: Int64, width: int) -> Residuals:
    """The table of a band; residuals of unreadable frames are infinite."""
    residuals = distances(test.signatures, ref.signatures, low, width)
    at = low[:, None] + np.arange(width)
    residuals[test.blank[:, None] | ref.blank[np.minimum(at, len(ref) - 1)]] = np.inf
    ends = [
        mean_square(ref.signatures[pair]) if not ref.blank[pair].any() else np.inf
        for pair in (slice(2), slice(-2, None))
    ]
    return Residuals(residuals, low, (test.blank, ref.blank), (ends[0], ends[1]))


def mean_square(pair: Float32) -> float:
    """Mean squared difference of a pair of signatures, infinite where one is missing."""
    return float(np.mean((pair[0] - pair[1]) ** 2)) if len(pair) == 2 else np.inf


def band_around(path: Int64, n: int, m: int, every: int) -> tuple[Int64, int]:
    """First reference row for each test row, and the width, of a band around a path that was found
    on every n-th frame (``every``)."""
    half = 4 * every + 64
    known = np.flatnonzero(path >= 0)
    if not len(known):
        return np.zeros(n, np.int64), m
    centre = np.interp(np.arange(n), known * every, path[known] * every)
    low = np.clip(np.rint(centre).astype(np.int64) - half, 0, max(0, m - 1))
    return np.maximum.accumulate(low), min(2 * half + 1, m)
