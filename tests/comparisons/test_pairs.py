"""Pairing: who is compared with whom, for any batching of the two sides."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from helpers.streams import features, frames, lengths, stream
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.comparisons.pairs import (
    pair_golden,
    pair_lagged,
    pair_mapped,
    pair_rows,
    pair_shifted,
    pick,
    skip_rows,
    tee_stream,
)
from vfiscope.errors import PairingError
from vfiscope.types import Features, Frames, Pairs


def rows(pairs: Iterator[Pairs]) -> list[tuple[int, int | None]]:
    """(test ordinal, reference ordinal or None) of every row, checked against pixels and features
    on the way."""
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


@given(lengths, lengths)
def test_reference_pairs_row_by_row_and_keeps_every_test_frame(
    test: list[int], ref: list[int]
) -> None:
    n, m = sum(test), sum(ref)
    assert rows(pair_rows(stream(test), stream(ref))) == [
        (i, i if i < m else None) for i in range(n)
    ]


def test_a_longer_reference_is_read_no_further_than_needed() -> None:
    seen: list[int] = []

    def watched() -> Iterator[tuple[Frames, Features | None]]:
        for batch in stream([2, 2, 2]):
            seen.extend(batch[0].index.tolist())
            yield batch

    assert rows(pair_rows(stream([3]), watched())) == [(0, 0), (1, 1), (2, 2)]
    assert seen == [0, 1, 2, 3]


@given(lengths, st.integers(1, 12))
def test_lag_pairs_with_the_frame_so_many_before(batches: list[int], lag: int) -> None:
    expected = [(i, i - lag if i >= lag else None) for i in range(sum(batches))]
    assert rows(pair_lagged(stream(batches), lag)) == expected


def test_lag_embeds_every_frame_once() -> None:
    embedded: list[int] = []

    def embedding() -> Iterator[tuple[Frames, Features | None]]:
        for batch, feats in stream([4, 4, 3]):
            embedded.extend(batch.index.tolist())
            yield batch, feats

    rows(pair_lagged(embedding(), 2))
    assert embedded == list(range(11))


@given(lengths)
def test_golden_pairs_every_frame_with_the_one(batches: list[int]) -> None:
    golden = frames(9, 1)
    found = rows(pair_golden(stream(batches), (golden, features(golden))))
    assert found == [(i, 9) for i in range(sum(batches))]


def test_partners_that_are_held_carry_no_luma() -> None:
    def with_luma(batch: Frames) -> Frames:
        n, (height, width) = len(batch), batch.size
        luma = np.zeros((n, height, width), np.uint8)
        return replace(batch, luma=luma, sums=np.zeros((n, 3), np.uint64))

    def lit() -> Iterator[tuple[Frames, Features | None]]:
        yield from ((with_luma(batch), None) for batch, _ in stream([3, 3]))

    made = [*pair_lagged(lit(), 1), *pair_golden(lit(), (with_luma(frames(9, 1)), None))]
    assert all(pairs.test.luma is not None for pairs in made)
    partners = [pairs.ref for pairs in made if pairs.ref is not None]
    assert len(partners) >= 4
    assert all(ref.luma is None and ref.sums is None for ref in partners)


def test_streams_without_features_pair_too() -> None:
    batch = next(pair_golden(stream([3], embedded=False), (frames(9, 1), None)))
    assert batch.test_features is None
    assert batch.ref_features is None


@given(lengths, st.integers(0, 40))
def test_skip_rows_drops_exactly_the_first_rows(batches: list[int], count: int) -> None:
    left = [
        int(i) for batch in skip_rows((b for b, _ in stream(batches)), count) for i in batch.index
    ]
    assert left == list(range(sum(batches)))[count:]


class Noted:
    """A stream that notes what was taken from it."""

    def __init__(self, batches: list[int], wanted: np.ndarray | None = None) -> None:
        self.taken: list[int] = []
        decoded = (batch for batch, _ in stream(batches, embedded=False))
        self._frames = decoded if wanted is None else pick(decoded, wanted)

    def __iter__(self) -> Iterator[tuple[Frames, Features | None]]:
        for batch in self._frames:
            self.taken += batch.index.tolist()
            yield batch, features(batch)


@given(lengths, st.sets(st.integers(0, 45)))
def test_pick_takes_the_wanted_ordinals_in_order(batches: list[int], wanted: set[int]) -> None:
    picked = list(pick((b for b, _ in stream(batches)), np.array(sorted(wanted), np.int64)))
    index = [int(i) for batch in picked for i in batch.index]
    assert index == [i for i in range(sum(batches)) if i in wanted]
    assert [int(v) for batch in picked for v in batch.data[:, 0, 0, 0]] == index
    assert [int(v) for batch in picked for v in batch.pts] == [10 * i for i in index]
    assert all(len(batch) for batch in picked)


def test_pick_reads_on_to_the_end() -> None:
    seen = iter(range(3))

    def batches() -> Iterator[Frames]:
        for k in seen:
            yield frames(2 * k, 2)

    assert [batch.index.tolist() for batch in pick(batches(), np.array([0]))] == [[0]]
    assert next(seen, None) is None


@given(lengths, lengths, st.data())
def test_a_map_gives_each_frame_its_partner(
    test: list[int], ref: list[int], data: st.DataObject
) -> None:
    n, m = sum(test), sum(ref)
    partners = np.array(
        sorted(data.draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n))), np.int64
    )
    partners[data.draw(st.lists(st.integers(0, n - 1)))] = -1
    expected = [(i, None if j < 0 else int(j)) for i, j in enumerate(partners)]
    assert rows(pair_mapped(stream(test), stream(ref), partners)) == expected
    noted = Noted(ref, partners)
    assert rows(pair_mapped(stream(test), iter(noted), partners)) == expected
    assert noted.taken == sorted({int(j) for j in partners if j >= 0})


def test_a_map_reads_the_reference_no_further_than_needed() -> None:
    noted = Noted([2, 2, 2])
    assert rows(pair_mapped(stream([2]), iter(noted), np.array([1, 1]))) == [(0, 1), (1, 1)]
    assert noted.taken == [0, 1]


def test_a_side_that_is_shorter_than_the_map_has_changed() -> None:
    with pytest.raises(
        PairingError, match="the test ended after 2 of 3 frames: it changed while it was read"
    ):
        rows(pair_mapped(stream([2]), stream([5]), np.array([0, 1, 2])))
    with pytest.raises(
        PairingError, match="the reference ended before its frame 4: it changed while it was read"
    ):
        rows(pair_mapped(stream([3]), stream([2, 2]), np.array([0, 1, 4])))


@given(lengths, lengths, st.integers(0, 12))
def test_a_shift_leaves_the_first_frames_unpaired(
    test: list[int], ref: list[int], missing: int
) -> None:
    n, m = sum(test), sum(ref)
    expected = [(i, i - missing if 0 <= i - missing < m else None) for i in range(n)]
    assert rows(pair_shifted(stream(test), stream(ref), missing)) == expected


def test_a_shift_to_later_frames_pairs_from_the_first_on() -> None:
    late = ((b, features(b)) for b in skip_rows((b for b, _ in stream([2, 4])), 3))
    assert rows(pair_shifted(stream([2]), late, -3)) == [(0, 3), (1, 4)]


@pytest.mark.slow
def test_two_readers_have_the_same_items_and_hold_none_that_both_have_read() -> None:
    class Item:
        pass

    made: list[weakref.ref[Item]] = []

    def items() -> Iterator[Item]:
        for _ in range(20):
            item = Item()
            made.append(weakref.ref(item))
            yield item
            del item

    ahead, behind = tee_stream(items())
    for read in range(1, 21):
        assert next(ahead) is made[-1]()
        if read > 2:
            assert next(behind) is made[read - 3]()
        gc.collect()
        assert sum(each() is not None for each in made) <= 3
    assert list(ahead) == []
    assert [item is made[at]() for item, at in zip(behind, (18, 19), strict=True)] == [True, True]
