"""The fit of ``vfi`` and the choices before it. On plain numbers; see benchmarks/vfi.py."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

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
    return Table(
        scenes,
        np.array([scenes.index(row["scene"]) for row in rows]),
        columns.pop("lpips"),
        {},
        columns,
    )


@dataclass(frozen=True)
class Fit:
    """A vfi: its scale, and {part: (softness, weight)}."""

    scale: float
    parts: dict[str, tuple[float, float]]

    def log1p(self, pool: dict[str, Floats]) -> Floats:
        """log(1 + vfi / scale), (K,)."""
        return np.sum(
            [w * np.log1p(pool[name] / soft) for name, (soft, w) in self.parts.items()], axis=0
        )


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
    """(K, ...) less the mean of each scene; candidates of a scene stand side by side."""
    starts = np.flatnonzero(np.diff(scene, prepend=-1))
    counts = np.diff(starts, append=len(scene))
    sums = np.repeat(np.add.reduceat(values, starts, axis=0), counts, axis=0)
    return values - (sums.T / np.repeat(counts, counts)).T


def fitted(table: Table, rows: Rows, choice: Choice) -> Fit:
    """Weights from 0 up by least squares of log(1 + LPIPS / SMALL), on the candidates of ``rows``.

    Half of the error is that over all candidates, half that within scenes: values and order both
    count.
    """
    softness = [choice.softness * float(np.median(table.pool[name][rows])) for name in choice.parts]
    x = np.stack(
        [np.log1p(table.pool[n][rows] / e) for n, e in zip(choice.parts, softness, strict=True)],
        axis=1,
    )
    y, scene = np.log1p(table.lpips[rows] / SMALL), table.scene[rows]
    both = [(values - values.mean(axis=0), centred(values, scene)) for values in (x, y)]
    weights = nnls(*(np.concatenate(halves) for halves in both))[0]
    offset = float(y.mean() - x.mean(axis=0) @ weights)
    kept = {
        n: (e, float(w)) for n, e, w in zip(choice.parts, softness, weights, strict=True) if w > 0
    }
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
    """log(1 + vfi / SMALL) of every candidate by a fit that never saw its scene, (K,), and each
    choice."""
    predicted, choices = np.empty(len(table.lpips)), []
    for s in range(len(table.scenes)):
        rows = table.scene != s
        choices.append(chosen(table, rows))
        fit = fitted(table, rows, choices[-1])
        own = {name: values[~rows] for name, values in table.pool.items()}
        predicted[~rows] = np.log(fit.scale / SMALL) + fit.log1p(own)
    return predicted, choices
