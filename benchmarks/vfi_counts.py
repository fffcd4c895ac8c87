"""Agreement of numbers with the order of a yardstick, with intervals. On plain numbers; see
benchmarks/vfi.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["APART", "Sheet", "interval", "joined", "spearman"]

APART = 1.2
"""Pairs count if the larger value of the yardstick is over this many times the smaller one."""
RESAMPLES = 1000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation with mean ranks for ties, of what has both values; 0 where one is the same
    everywhere."""
    known = ~(np.isnan(first) | np.isnan(second))
    a, b = (rankdata(x[known]) - (known.sum() + 1) / 2 for x in (first, second))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else 0.0


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 %."""
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


@dataclass(frozen=True)
class Sheet:
    """K candidates of S scenes, and what each metric and each copy of the yardstick says of them;
    lower is better."""

    scenes: list[str]
    """(S,) names; what stands before a comma says from where the scene was taken."""
    scene: Ints
    """(K,) which scene a candidate belongs to."""
    copies: Floats
    """(K, C) of the yardstick, whose mean is the yardstick."""
    columns: dict[str, Floats]
    """{metric: (K,)}, NaN where it is not defined."""

    @cached_property
    def yardstick(self) -> Floats:
        return self.copies.mean(axis=1)

    @cached_property
    def groups(self) -> Ints:
        """(S,) which scenes were taken from one clip: these are drawn together."""
        names = [name.split(",")[0] for name in self.scenes]
        return np.array([sorted(set(names)).index(name) for name in names])

    @cached_property
    def draws(self) -> Ints:
        """How often each group is in each resample, (RESAMPLES, groups)."""
        count = int(self.groups.max()) + 1
        drawn = np.random.default_rng(1).integers(0, count, (RESAMPLES, count))
        return np.stack([np.bincount(draw, minlength=count) for draw in drawn])

    @cached_property
    def all_pairs(self) -> Ints:
        """(P, 2) candidates of one scene, the one that the yardstick finds better first."""
        rows = (np.flatnonzero(self.scene == s) for s in range(len(self.scenes)))
        pairs = [pair for each in rows for pair in combinations(each, 2)]
        return np.array([sorted(pair, key=self.yardstick.__getitem__) for pair in pairs])

    @cached_property
    def apart(self) -> NDArray[np.bool_]:
        """(P,) which pairs the yardstick puts more than APART apart."""
        better, worse = self.yardstick[self.all_pairs].T
        return np.asarray(worse > APART * better)

    @cached_property
    def pairs(self) -> Ints:
        """The pairs that count."""
        return self.all_pairs[self.apart]

    def rightly(self, values: Floats, pairs: Ints | None = None) -> Floats:
        """(P,) 1 where a pair is ordered as by the yardstick, 1/2 where not at all, 0 or NaN (not
        defined)."""
        better, worse = values[self.pairs if pairs is None else pairs].T
        return np.where(np.isnan(better + worse), np.nan, (np.sign(worse - better) + 1) / 2)

    def within(self, prefix: str) -> NDArray[np.bool_]:
        """(P,) which pairs are of scenes whose names begin so."""
        return np.array([name.startswith(prefix) for name in self.scenes])[
            self.scene[self.pairs[:, 0]]
        ]

    def rate(self, values: Floats, prefix: str = "") -> float:
        """Share of those pairs that are ordered rightly."""
        return float(np.nanmean(self.rightly(values)[self.within(prefix)]))

    def rates(self, values: Floats) -> Floats:
        """The share in every resample, (RESAMPLES,)."""
        right, group = self.rightly(values), self.groups[self.scene[self.pairs[:, 0]]]
        known, size = ~np.isnan(right), self.draws.shape[1]
        rightly = np.bincount(group[known], right[known], size)
        return np.asarray(
            (self.draws @ rightly) / (self.draws @ np.bincount(group[known], minlength=size))
        )

    def correlation(self, values: Floats) -> float:
        """Spearman's over all candidates."""
        return spearman(values, self.yardstick)

    def correlations(self, values: Floats) -> Floats:
        """The same in every resample."""
        group = self.groups[self.scene]
        rows = (np.repeat(np.arange(len(group)), draw[group]) for draw in self.draws)
        return np.array([spearman(values[each], self.yardstick[each]) for each in rows])

    def agreement(self, first: int, second: int) -> tuple[float, float, float]:
        """Of two copies: rank correlation in the mean of scenes; share of the pairs that count, and
        of the near ties, in which they agree on the better one."""
        one, other = self.copies[:, first], self.copies[:, second]
        scenes = [self.scene == s for s in range(len(self.scenes))]
        within = float(np.mean([spearman(one[rows], other[rows]) for rows in scenes]))
        same = (self.rightly(one, self.all_pairs) == self.rightly(other, self.all_pairs)).astype(
            float
        )
        return within, float(same[self.apart].mean()), float(same[~self.apart].mean())


def joined(first: Sheet, second: Sheet) -> Sheet:
    """Both, of the columns of the first."""
    return Sheet(
        first.scenes + second.scenes,
        np.concatenate([first.scene, second.scene + len(first.scenes)]),
        np.concatenate([first.copies, second.copies]),
        {
            name: np.concatenate([values, second.columns[name]])
            for name, values in first.columns.items()
        },
    )
