"""Pairing: who is compared with whom, for any batching of the two sides."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.pairing import (
    places_among,
    places_beside,
    places_in,
    skip_rows,
    with_golden,
    with_lag,
    with_places,
    with_reference,
)
from vfiscope.types import Cadence, Features, Frames, Pairs, Role


def frames(first: int, count: int) -> Frames:
    """Frames whose pixels are their own ordinal."""
    index = np.arange(first, first + count)
    data = torch.from_numpy(index.astype(np.uint8)).reshape(-1, 1, 1, 1).expand(-1, 3, 2, 2).contiguous()
    return Frames(data, index, index * 10, index / 25.0, np.zeros(count, np.uint8), Fraction(1, 250))


def features(batch: Frames) -> Features:
    value = torch.from_numpy(batch.index.astype(np.float32)).reshape(-1, 1)
    return Features(value, value.reshape(-1, 1, 1, 1))


def stream(lengths: list[int], *, embedded: bool = True) -> Iterator[tuple[Frames, Features | None]]:
    first = 0
    for length in lengths:
        batch = frames(first, length)
        yield batch, features(batch) if embedded else None
        first += length


def rows(pairs: Iterator[Pairs]) -> list[tuple[int, int | None]]:
    """(test ordinal, reference ordinal or None) of every row, checked against pixels and features on the way."""
    found: list[tuple[int, int | None]] = []
    for batch in pairs:
        partners = [None] * len(batch) if batch.ref is None else [int(i) for i in batch.ref.index]
        assert batch.test.data[:, 0, 0, 0].tolist() == batch.test.index.tolist()
        assert batch.test_features is not None
        assert batch.test_features.pooled[:, 0].tolist() == batch.test.index.tolist()
        if batch.ref is not None:
            assert batch.ref_features is not None
            assert batch.ref.data[:, 0, 0, 0].tolist() == partners
            assert batch.ref_features.patches[:, 0, 0, 0].tolist() == partners
        found += zip(batch.test.index.tolist(), partners, strict=True)
    return found


lengths = st.lists(st.integers(1, 7), min_size=1, max_size=6)


@given(lengths, lengths)
def test_reference_pairs_row_by_row_and_keeps_every_test_frame(test: list[int], ref: list[int]) -> None:
    n, m = sum(test), sum(ref)
    assert rows(with_reference(stream(test), stream(ref))) == [(i, i if i < m else None) for i in range(n)]


def test_a_longer_reference_is_read_to_its_end() -> None:
    seen: list[int] = []

    def watched() -> Iterator[tuple[Frames, Features | None]]:
        for batch in stream([2, 2, 2]):
            seen.extend(batch[0].index.tolist())
            yield batch

    assert rows(with_reference(stream([3]), watched())) == [(0, 0), (1, 1), (2, 2)]
    assert seen == [0, 1, 2, 3, 4, 5]


@given(lengths, st.integers(1, 12))
def test_lag_pairs_with_the_frame_so_many_before(batches: list[int], lag: int) -> None:
    expected = [(i, i - lag if i >= lag else None) for i in range(sum(batches))]
    assert rows(with_lag(stream(batches), lag)) == expected


def test_lag_embeds_every_frame_once() -> None:
    embedded: list[int] = []

    def embedding() -> Iterator[tuple[Frames, Features | None]]:
        for batch, feats in stream([4, 4, 3]):
            embedded.extend(batch.index.tolist())
            yield batch, feats

    rows(with_lag(embedding(), 2))
    assert embedded == list(range(11))


@given(lengths)
def test_golden_pairs_every_frame_with_the_one(batches: list[int]) -> None:
    golden = frames(9, 1)
    found = rows(with_golden(stream(batches), (golden, features(golden))))
    assert found == [(i, 9) for i in range(sum(batches))]


def test_streams_without_features_pair_too() -> None:
    batch = next(with_golden(stream([3], embedded=False), (frames(9, 1), None)))
    assert batch.test_features is None
    assert batch.ref_features is None


@given(lengths, st.integers(0, 40))
def test_skip_rows_drops_exactly_the_first_rows(batches: list[int], count: int) -> None:
    left = [int(i) for batch in skip_rows((b for b, _ in stream(batches)), count) for i in batch.index]
    assert left == list(range(sum(batches)))[count:]


def placed(pairs: Iterator[Pairs]) -> list[tuple[int, int | None, tuple[int, int] | None]]:
    """(test ordinal, partner, ordinals around) of every row, checked against pixels and features on the way."""
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
            assert batch.around.after_features.pooled[:, 0].tolist() == after.data[:, 0, 0, 0].tolist()
        if batch.ref is not None:
            assert batch.ref.data[:, 0, 0, 0].tolist() == partners
        found += zip(batch.test.index.tolist(), partners, around, strict=True)
    return found


@given(lengths, lengths, st.integers(1, 4))
def test_synthesised_frames_lie_between_two_of_the_source(test: list[int], source: list[int], multiplier: int) -> None:
    n, m = sum(test), sum(source)
    before, part = np.divmod(np.arange(n), multiplier)
    role = np.where(part == 0, Role.PASSED, Role.SYNTHESISED).astype(np.uint8)
    cadence = Cadence(Fraction(multiplier), before, part / multiplier, role, Fraction(0), 1.0)
    found = placed(with_places(stream(test), stream(source), places_in(cadence)))
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
    rows_done = with_places(
        skip(stream(test), done), skip(stream(test), max(0, done - 1)), places_among(done), max(0, done - 1)
    )
    assert placed(rows_done) == [(i, None, (i - 1, i + 1) if 0 < i < n - 1 else None) for i in range(done, n)]


@given(lengths, lengths)
def test_partners_have_their_own_neighbours_around(test: list[int], ref: list[int]) -> None:
    n, m = sum(test), sum(ref)
    found = placed(with_places(stream(test), stream(ref), places_beside(iter(range(n)))))
    expected = [(i, i if i < m else None, (i - 1, i + 1) if 0 < i < m - 1 else None) for i in range(n)]
    assert found == expected


def skip(batches: Iterator[tuple[Frames, Features | None]], count: int) -> Iterator[tuple[Frames, Features | None]]:
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

    for batch in with_places(stream([2] * 60), counted(), places_beside(iter([i // 2 for i in range(120)]))):
        assert taken[-1] <= int(batch.test.index[-1]) // 2 + 3
