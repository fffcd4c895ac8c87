"""The fit of ``vfi``, what is chosen before it, and rank correlations. Knows numbers only; see benchmarks/vfi.py."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import rankdata

POOL = ("fine", "middle", "coarse", "structure", "detail")
"""The parts that the fit may choose from: dense SIFT at 8, 16 and 32 px, 1 - SSIM, lost detail."""
SOFTNESS = (0.03, 0.1, 0.3)
"""Softness of a part as a share of its median."""
SMALL = 1e-3
"""The fit is of log(1 + LPIPS / SMALL)."""
FOLDS = 8

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """What was measured of K candidates of S scenes."""

    scenes: list[str]
    """(S,) names."""
    scene: Ints
    """(K,) which scene a candidate belongs to."""
    lpips: Floats
    metrics: dict[str, Floats]
    """{metric: (K,)}, lower is better."""
    pool: dict[str, Floats]
    """{part: (K,)}."""


def save(table: Table, path: Path) -> None:
    """Write scenes, LPIPS and parts as CSV, to 7 digits."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["scene", "lpips", *POOL])
        for i, value in enumerate(table.lpips):
            numbers = (value, *(table.pool[name][i] for name in POOL))
            rows.writerow([table.scenes[table.scene[i]], *(f"{x:.7g}" for x in numbers)])


def load(path: Path) -> Table:
    """What :func:`save` wrote; without metrics."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scenes = list(dict.fromkeys(row["scene"] for row in rows))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in ("lpips", *POOL)}
    return Table(scenes, np.array([scenes.index(row["scene"]) for row in rows]), columns.pop("lpips"), {}, columns)


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation with mean ranks for ties, of what has both values; 0 where one is the same everywhere."""
    known = ~(np.isnan(first) | np.isnan(second))
    a, b = (rankdata(x[known]) - (known.sum() + 1) / 2 for x in (first, second))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else 0.0


def within(table: Table, values: Floats) -> Floats:
    """Rank correlation with LPIPS within each scene, (S,)."""
    scenes = (table.scene == s for s in range(len(table.scenes)))
    return np.array([spearman(values[rows], table.lpips[rows]) for rows in scenes])


def resampled(table: Table, columns: dict[str, Floats], times: int) -> dict[str, Floats]:
    """Both counts of each column in resamples of the scenes: {name: (times, 2)}."""
    each = {name: within(table, values) for name, values in columns.items()}
    rows_of = [np.flatnonzero(table.scene == s) for s in range(len(table.scenes))]
    draws = np.random.default_rng(1).integers(0, len(rows_of), (times, len(rows_of)))
    out: dict[str, list[tuple[float, float]]] = {name: [] for name in columns}
    for draw in draws:
        rows = np.concatenate([rows_of[s] for s in draw])
        for name, values in columns.items():
            out[name].append((spearman(values[rows], table.lpips[rows]), float(each[name][draw].mean())))
    return {name: np.array(values) for name, values in out.items()}


@dataclass(frozen=True)
class Fit:
    """A vfi: its scale, and {part: (softness, weight)}."""

    scale: float
    parts: dict[str, tuple[float, float]]

    def log1p(self, pool: dict[str, Floats]) -> Floats:
        """log(1 + vfi / scale), (K,)."""
        return np.sum([w * np.log1p(pool[name] / soft) for name, (soft, w) in self.parts.items()], axis=0)


@dataclass(frozen=True)
class Choice:
    """What is chosen before the weights are fitted."""

    parts: tuple[str, ...]
    softness: float


CHOICES = [
    Choice(parts, softness)
    for count in range(1, len(POOL) + 1)
    for parts in combinations(POOL, count)
    for softness in SOFTNESS
]


def centred(values: Floats, scene: Ints) -> Floats:
    """(K, ...) less the mean of each scene."""
    out = values.copy()
    for s in np.unique(scene):
        out[scene == s] -= values[scene == s].mean(axis=0)
    return out


def fitted(table: Table, rows: Rows, choice: Choice) -> Fit:
    """Weights from 0 up by least squares of log(1 + LPIPS / SMALL), on the candidates of ``rows``.

    Half of the error is that over all candidates, half that within scenes: the two counts of the table.
    """
    softness = [choice.softness * float(np.median(table.pool[name][rows])) for name in choice.parts]
    x = np.stack([np.log1p(table.pool[n][rows] / e) for n, e in zip(choice.parts, softness, strict=True)], axis=1)
    y, scene = np.log1p(table.lpips[rows] / SMALL), table.scene[rows]
    both = [(values - values.mean(axis=0), centred(values, scene)) for values in (x, y)]
    weights = nnls(*(np.concatenate(halves) for halves in both))[0]
    offset = float(y.mean() - x.mean(axis=0) @ weights)
    kept = {n: (e, float(w)) for n, e, w in zip(choice.parts, softness, weights, strict=True) if w > 0}
    return Fit(SMALL * float(np.exp(offset)), kept)


def error(table: Table, rows: Rows, fit: Fit) -> float:
    """The error that :func:`fitted` minimises, on other candidates."""
    apart = np.log1p(table.lpips[rows] / SMALL) - np.log(fit.scale / SMALL)
    apart -= fit.log1p({name: values[rows] for name, values in table.pool.items()})
    return float(np.square(apart).sum() + np.square(centred(apart, table.scene[rows])).sum())


def chosen(table: Table, rows: Rows) -> Choice:
    """The choice with the least error on held-out eighths of the scenes of ``rows``."""

    def held_out(choice: Choice) -> float:
        total = 0.0
        for fold in range(FOLDS):
            out = table.scene % FOLDS == fold
            total += error(table, rows & out, fitted(table, rows & ~out, choice))
        return total

    return min(CHOICES, key=held_out)


def out_of_scene(table: Table) -> tuple[Floats, list[Choice]]:
    """log(1 + vfi / SMALL) of every candidate by a fit that never saw its scene, (K,), and each choice."""
    predicted, choices = np.empty(len(table.lpips)), []
    for s in range(len(table.scenes)):
        rows = table.scene != s
        choices.append(chosen(table, rows))
        fit = fitted(table, rows, choices[-1])
        own = {name: values[~rows] for name, values in table.pool.items()}
        predicted[~rows] = np.log(fit.scale / SMALL) + fit.log1p(own)
    return predicted, choices
