"""Pairs with the real frames around them, for any batching of the two sides."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from helpers.streams import lengths, stream
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.comparisons.placing import pair_at_places, places_among, places_beside, places_in
from vfiscope.types import Cadence, Features, Frames, Pairs, Role


def placed(pairs: Iterator[Pairs]) -> list[tuple[int, int | None, tuple[int, int] | None]]:
    """(test ordinal, partner, ordinals around) of every row, checked against pixels and features on
    the way."""
    found: list[tuple[int, int | None, tuple[int, int] | None]] = []
    for batch in pairs:
        n = len(batch)
        partners = [None] * n if batch.ref is None else batch.ref.index.tolist()
        around: list[tuple[int, int] | None] = [None] * n
        if batch.around is not None:
            before, after = batch.around.before, batch.around.after
            around = list(zip(before.index.tolist(), after.index.tolist(), strict=True))
            assert batch.around.before_features is not None
            assert batch.around.after_features is not None
            assert before.data[:, 0, 0, 0].tolist() == before.index.tolist()
            assert (
                batch.around.after_features.pooled[:, 0].tolist() == after.data[:, 0, 0, 0].tolist()
            )
        if batch.ref is not None:
            assert batch.ref.data[:, 0, 0, 0].tolist() == partners
        found += zip(batch.test.index.tolist(), partners, around, strict=True)
    return found


@given(lengths, lengths, st.integers(1, 4))
def test_synthesised_frames_lie_between_two_of_the_source(
    test: list[int], source: list[int], multiplier: int
) -> None:
    n, m = sum(test), sum(source)
    before, part = np.divmod(np.arange(n), multiplier)
    role = np.where(part == 0, Role.PASSED, Role.SYNTHESISED).astype(np.uint8)
    cadence = Cadence(Fraction(multiplier), before, part / multiplier, role, Fraction(0), 1.0)
    found = placed(pair_at_places(stream(test), stream(source), places_in(cadence)))
    for i, (own, partner, around) in enumerate(found):
        inside = before[i] + (part[i] > 0) < m
        assert own == i
        assert partner == (before[i] if part[i] == 0 and inside else None)
        assert around == ((before[i], before[i] + 1) if part[i] and inside else None)
    assert len(found) == n


@given(lengths, st.integers(0, 5))
def test_neighbours_are_the_frames_beside(test: list[int], done: int) -> None:
    n = sum(test)
    done = min(done, n - 1)
    rows_done = pair_at_places(
        skip(stream(test), done),
        skip(stream(test), max(0, done - 1)),
        places_among(done),
        max(0, done - 1),
    )
    assert placed(rows_done) == [
        (i, None, (i - 1, i + 1) if 0 < i < n - 1 else None) for i in range(done, n)
    ]


@given(lengths, lengths)
def test_partners_have_their_own_neighbours_around(test: list[int], ref: list[int]) -> None:
    n, m = sum(test), sum(ref)
    found = placed(pair_at_places(stream(test), stream(ref), places_beside(iter(range(n)))))
    expected = [
        (i, i if i < m else None, (i - 1, i + 1) if 0 < i < m - 1 else None) for i in range(n)
    ]
    assert found == expected


def skip(
    batches: Iterator[tuple[Frames, Features | None]], count: int
) -> Iterator[tuple[Frames, Features | None]]:
    for batch, described in batches:
        if count < len(batch):
            yield batch[count:], None if described is None else described[count:]
        count = max(0, count - len(batch))


def test_few_frames_are_held() -> None:
    taken = []

    def counted() -> Iterator[tuple[Frames, Features | None]]:
        for batch in stream([2] * 30):
            taken.append(int(batch[0].index[-1]))
            yield batch

    for batch in pair_at_places(
        stream([2] * 60), counted(), places_beside(iter([i // 2 for i in range(120)]))
    ):
        assert taken[-1] <= int(batch.test.index[-1]) // 2 + 3
