"""Pairs made from arrays: test frames between two real ones."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.metrics import MAPS, METRICS
from vfiscope.types import Features, Frames, Neighbours, Pairs
from vfiscope.types.batch import to_numpy

Picture = NDArray[Any]


def frames(pictures: Sequence[Picture], depth: int = 8, start: int = 0) -> Frames:
    """(H, W, 3) pictures as a batch whose ordinals count from ``start``."""
    n = len(pictures)
    order = np.arange(start, start + n, dtype=np.int64)
    data = np.stack(pictures).transpose(0, 3, 1, 2)
    return Frames(data, order, order, order / 25, np.zeros(n, np.uint8), Fraction(1, 25), depth)


def between(
    before: Picture,
    tests: Sequence[Picture],
    after: Picture,
    *,
    phase: float = 0.5,
    ref: Picture | None = None,
    depth: int = 8,
) -> Pairs:
    """Test frames that all lie between the same two real frames."""
    n = len(tests)
    return Pairs(
        frames(tests, depth),
        None if ref is None else frames([ref] * n, depth),
        around=Neighbours(frames([before] * n, depth), frames([after] * n, depth)),
        phase=np.full(n, phase),
    )


def with_features(pairs: Pairs, test: Features, before: Features, after: Features) -> Pairs:
    """The same pairs with embeddings of every frame."""
    assert pairs.around is not None
    around = Neighbours(pairs.around.before, pairs.around.after, before, after)
    return Pairs(pairs.test, pairs.ref, test, None, around, pairs.role, pairs.phase)


def score(pairs: Pairs, name: str) -> list[float]:
    values: list[float] = METRICS[name].compute(pairs).tolist()
    return values


def grid(pairs: Pairs, name: str) -> NDArray[np.float32]:
    made: NDArray[np.float32] = to_numpy(MAPS[name].compute(pairs))
    return made
