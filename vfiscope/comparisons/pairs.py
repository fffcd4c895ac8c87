"""Pair generators. A stream is an iterator of batches, each with features if some metric needs
them.

Batches may have any length, and the two sides of a pairing need not be batched alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import PairingError
from vfiscope.types import Features, Frames, Int64, Pairs

__all__ = [
    "Batch",
    "Stream",
    "first_ordinal",
    "pair_golden",
    "pair_lagged",
    "pair_mapped",
    "pair_rows",
    "pair_shifted",
    "pick",
    "skip_rows",
    "tee_stream",
    "unpaired",
]

Batch = tuple[Frames, Features | None]
Stream = Iterator[Batch]


RowsT = TypeVar("RowsT", Frames, Pairs)
T = TypeVar("T")


def tee_stream(
    items: Iterator[T], second: Callable[[T], T] | None = None
) -> tuple[Iterator[T], Iterator[T]]:
    """The same items for two readers, each held until both have read it; ``second`` makes what the
    second reader gets of each.

    ``itertools.tee`` keeps up to 57 items that both have read, which would be gigabytes of frames.
    """
    queues: tuple[deque[T], deque[T]] = (deque(), deque())

    def more() -> bool:
        for item in items:
            queues[0].append(item)
            queues[1].append(item if second is None else second(item))
            return True
        return False

    def read(queue: deque[T]) -> Iterator[T]:
        while queue or more():
            yield queue.popleft()

    return read(queues[0]), read(queues[1])


def skip_rows(batches: Iterable[RowsT], count: int) -> Iterator[RowsT]:
    """The same batches without their first ``count`` rows."""
    for batch in batches:
        if count >= len(batch):
            count -= len(batch)
            continue
        yield batch[count:] if count else batch
        count = 0


def pair_rows(test: Stream, ref: Stream, *, ref_is_row_before: bool = False) -> Iterator[Pairs]:
    """Every test frame with the reference frame of the same row.

    Where the reference ends first, the remaining test frames come as unpaired rows.
    ``ref_is_row_before`` tells that of a test frame this is the one in the row before.
    """
    test_batch, ref_batch = next(test, None), next(ref, None)
    while test_batch is not None and ref_batch is not None:
        rows = min(len(test_batch[0]), len(ref_batch[0]))
        taken = (_take(each, slice(rows)) for each in (test_batch, ref_batch))
        yield _pairs(*taken, ref_is_row_before=ref_is_row_before)
        test_batch = _rest(test_batch, rows) or next(test, None)
        ref_batch = _rest(ref_batch, rows) or next(ref, None)
    if test_batch is not None:
        yield from (unpaired(batch) for batch in chain([test_batch], test))


def first_ordinal(stream: Stream) -> tuple[Stream, int]:
    """A stream and the decode ordinal of its first frame; 0 where it has none."""
    batch = next(stream, None)
    return (iter(()), 0) if batch is None else (chain([batch], stream), int(batch[0].index[0]))


def pick(batches: Iterable[Frames], wanted: Int64) -> Iterator[Frames]:
    """The frames whose ordinals are wanted, in order; the others are read and skipped.

    Args:
        batches: in order.
        wanted: (K,) decode ordinals.
    """
    for batch in batches:
        rows = np.flatnonzero(np.isin(batch.index, wanted))
        if len(rows):
            yield batch if len(rows) == len(batch) else batch.take(rows)


def pair_mapped(test: Stream, ref: Stream, partners: Int64) -> Iterator[Pairs]:
    """Every test frame with the reference frame that a map names.

    A reference frame is taken once from its stream, however many test frames it is the partner of.

    Args:
        test: frames, the first of them that of the first entry of ``partners``.
        ref: every reference frame that the entries name, in order; others may lie between.
        partners: decode ordinal of each test frame's partner, never decreasing; -1 where it
            is unpaired.

    Raises:
        PairingError: a side ends before the map does.
    """
    done, held = 0, None
    for batch in test:
        own = partners[done : done + len(batch[0])]
        done += len(batch[0])
        row = 0
        while row < len(own):
            if own[row] < 0:
                stop = _run_end(own, row, own < 0)
                yield unpaired(_take(batch, slice(row, stop)))
            else:
                held = _advance(ref, held, int(own[row]))
                stop = _run_end(own, row, (own >= 0) & (own <= held[0].index[-1]))
                rows = np.searchsorted(held[0].index, own[row:stop])
                yield _pairs(_take(batch, slice(row, stop)), _gather(held, rows))
            row = stop
    if done < len(partners):
        raise PairingError(
            f"the test ended after {done} of {len(partners)} frames: it changed while it was read"
        )


def _run_end(own: Int64, start: int, same: NDArray[np.bool_]) -> int:
    """The end of the run of equal rows that begins at ``start``."""
    other = np.flatnonzero(~same[start:])
    return start + int(other[0]) if len(other) else len(own)


def _advance(ref: Stream, held: Batch | None, wanted: int) -> Batch:
    """The batch of a stream that holds an ordinal."""
    while held is None or held[0].index[-1] < wanted:
        held = next(ref, None)
        if held is None:
            raise PairingError(
                f"the reference ended before its frame {wanted}: it changed while it was read"
            )
    return held


def _gather(batch: Batch, rows: Int64) -> Batch:
    """The rows of a batch, in any order; a view where they are consecutive."""
    if np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return _take(batch, slice(int(rows[0]), int(rows[-1]) + 1))
    frames, features = batch
    return frames.take(rows), None if features is None else features.take(rows)


def pair_lagged(stream: Stream, lag: int) -> Iterator[Pairs]:
    """Every frame with the one ``lag`` frames before it; the first ``lag`` frames are unpaired."""
    later, earlier = tee_stream(stream, _without_luma)
    yield from pair_shifted(later, earlier, lag, ref_is_row_before=lag == 1)


def pair_shifted(
    test: Stream, ref: Stream, missing: int, *, ref_is_row_before: bool = False
) -> Iterator[Pairs]:
    """The first ``missing`` test frames unpaired, every later one with the next reference frame."""
    while missing > 0 and (batch := next(test, None)) is not None:
        rows = min(missing, len(batch[0]))
        yield unpaired(_take(batch, slice(rows)))
        missing -= rows
        if rest := _rest(batch, rows):
            test = chain([rest], test)
    yield from pair_rows(test, ref, ref_is_row_before=ref_is_row_before)


def pair_golden(stream: Stream, golden: Batch) -> Iterator[Pairs]:
    """Every frame with one golden frame.

    Args:
        stream: the frames to examine.
        golden: a batch of one frame, with features where the stream has them.
    """
    for batch in stream:
        frames, features = _without_luma(golden)
        same = np.zeros(len(batch[0]), np.int64)
        yield _pairs(batch, (frames.take(same), None if features is None else features.take(same)))


def _without_luma(batch: Batch) -> Batch:
    """Frames that are held as partners: only signals read luma, and that of test frames alone."""
    frames, features = batch
    return replace(frames, luma=None, sums=None), features


def _pairs(test: Batch, ref: Batch, *, ref_is_row_before: bool = False) -> Pairs:
    return Pairs(test[0], ref[0], test[1], ref[1], ref_is_row_before=ref_is_row_before)


def unpaired(batch: Batch) -> Pairs:
    """Frames without a partner."""
    return Pairs(batch[0], None, batch[1], None)


def _take(batch: Batch, rows: slice) -> Batch:
    frames, features = batch
    return frames[rows], None if features is None else features[rows]


def _rest(batch: Batch, used: int) -> Batch | None:
    return _take(batch, slice(used, None)) if used < len(batch[0]) else None
