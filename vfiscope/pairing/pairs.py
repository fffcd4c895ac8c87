"""Pair generators. A stream is an iterator of batches, each with its features where some metric needs them.

Batches may have any length, and the two sides of a pairing need not be batched alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, tee
from typing import TypeVar

from vfiscope.types import Features, Frames, Pairs

__all__ = ["Stream", "skip_rows", "with_golden", "with_lag", "with_reference"]

Batch = tuple[Frames, Features | None]
Stream = Iterator[Batch]


RowsT = TypeVar("RowsT", Frames, Pairs)


def skip_rows(batches: Iterable[RowsT], count: int) -> Iterator[RowsT]:
    """The same batches without their first ``count`` rows."""
    for batch in batches:
        if count >= len(batch):
            count -= len(batch)
            continue
        yield batch[count:] if count else batch
        count = 0


def with_reference(test: Stream, ref: Stream) -> Iterator[Pairs]:
    """Every test frame with the reference frame of the same row.

    Where the reference ends first, the remaining test frames come as unpaired rows. Where the test ends first, the
    reference is read to its end, so that its source knows how many frames were left over.
    """
    test_batch, ref_batch = next(test, None), next(ref, None)
    while test_batch is not None and ref_batch is not None:
        rows = min(len(test_batch[0]), len(ref_batch[0]))
        yield _pairs(_take(test_batch, slice(rows)), _take(ref_batch, slice(rows)))
        test_batch = _rest(test_batch, rows) or next(test, None)
        ref_batch = _rest(ref_batch, rows) or next(ref, None)
    if test_batch is not None:
        yield from (_unpaired(batch) for batch in chain([test_batch], test))
    for _ in ref:
        pass


def with_lag(stream: Stream, lag: int) -> Iterator[Pairs]:
    """Every frame with the one ``lag`` frames before it; the first ``lag`` frames are unpaired."""
    later, earlier = tee(stream)
    missing = lag
    while missing and (batch := next(later, None)) is not None:
        rows = min(missing, len(batch[0]))
        yield _unpaired(_take(batch, slice(rows)))
        missing -= rows
        if rest := _rest(batch, rows):
            later = chain([rest], later)
    yield from with_reference(later, earlier)


def with_golden(stream: Stream, golden: Batch) -> Iterator[Pairs]:
    """Every frame with one golden frame.

    Args:
        stream: the frames to examine.
        golden: a batch of one frame, with features where the stream has them.
    """
    for batch in stream:
        rows = len(batch[0])
        yield _pairs(batch, (_repeat_frame(golden[0], rows), _repeat_features(golden[1], rows)))


def _pairs(test: Batch, ref: Batch) -> Pairs:
    return Pairs(test[0], ref[0], test[1], ref[1])


def _unpaired(batch: Batch) -> Pairs:
    return Pairs(batch[0], None, batch[1], None)


def _take(batch: Batch, rows: slice) -> Batch:
    frames, features = batch
    return frames[rows], None if features is None else features[rows]


def _rest(batch: Batch, used: int) -> Batch | None:
    return _take(batch, slice(used, None)) if used < len(batch[0]) else None


def _repeat_frame(frame: Frames, rows: int) -> Frames:
    return Frames(
        frame.data.expand(rows, -1, -1, -1),
        frame.index.repeat(rows),
        frame.pts.repeat(rows),
        frame.time_s.repeat(rows),
        frame.status.repeat(rows),
        frame.time_base,
        frame.bit_depth,
    )


def _repeat_features(features: Features | None, rows: int) -> Features | None:
    if features is None:
        return None
    return Features(features.pooled.expand(rows, -1), features.patches.expand(rows, -1, -1, -1))
