"""Streams of tiny frames that are known by their ordinals, in batches of any lengths."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from vfiscope.types import Features, Frames

lengths = st.lists(st.integers(1, 7), min_size=1, max_size=6)
"""Of the batches of a stream."""


def frames(first: int, count: int) -> Frames:
    """Frames whose pixels are their own ordinal."""
    index = np.arange(first, first + count)
    data = np.tile(index.astype(np.uint8).reshape(-1, 1, 1, 1), (1, 3, 2, 2))
    return Frames(
        data, index, index * 10, index / 25.0, np.zeros(count, np.uint8), Fraction(1, 250)
    )


def features(batch: Frames) -> Features:
    value = batch.index.astype(np.float32).reshape(-1, 1)
    return Features(value, value.reshape(-1, 1, 1, 1))


def stream(
    lengths: list[int], *, embedded: bool = True
) -> Iterator[tuple[Frames, Features | None]]:
    first = 0
    for length in lengths:
        batch = frames(first, length)
        yield batch, features(batch) if embedded else None
        first += length
