"""Compute signals frame by frame, while batches of pairs are scored."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import one_opencv_thread
from vfiscope.signals.signal import (
    COMING_ROWS,
    NEAR_ROWS,
    PAST_ROWS,
    Partner,
    Sight,
    Signal,
    SignalFrame,
)
from vfiscope.types import Float32, Float64, Frames, PacketIndex, Pairs, Scores, Status, Uint8
from vfiscope.types.batch import to_numpy

__all__ = ["FAULT_MAPS", "measure"]

FEW_ROWS = 4
"""Rows of a batch up to which keeping it costs less than a copy of its last frame."""
FAULT_MAPS = ("fault", "ghosting", "warp", "foreign")
"""Maps of faults of a frame between real ones."""


def measure(
    scored: Iterable[tuple[Pairs, Scores | None]],
    signals: Mapping[str, Signal],
    lead: int = 0,
    packets: PacketIndex | None = None,
    apart: Callable[[Pairs], Float64 | None] = lambda _: None,
) -> Iterator[Scores]:
    """The same scores with the signals of their test frames: {signal: (N,) float32}, NaN where not
    defined, such as for frames without pixels.

    Where a signal looks at frames after, scores come when the first frames of the next batch have
    been read. No value depends on how rows are batched.

    Args:
        scored: batches in row order, each with its scores; None where its rows only lead in.
        signals: what to compute, by name.
        lead: the number of rows that lead in.
        packets: of the test, where signals look at them.
        apart: pairs -> (N,) sums of absolute differences of their frames over R, G, B and all
            pixels, where these are known already.
    """
    waiting: deque[Scores] = deque()
    if not signals:
        yield from (scores for _, scores in scored if scores is not None)
        return
    looked_at = reduce(or_, (signal.looks_at for signal in signals.values()))
    frames = _neighbours(_frames(_queued(scored, waiting), looked_at, packets, apart), looked_at)
    values: list[list[float]] = []
    for row in islice((_row(frame, signals) for frame in frames), lead, None):
        values.append(row)
        if len(values) == len(waiting[0]):
            columns = np.array(values, np.float32).T
            yield replace(waiting.popleft(), signals=dict(zip(signals, columns, strict=True)))
            values = []


def _row(frame: SignalFrame | None, signals: Mapping[str, Signal]) -> list[float]:
    """The values of a frame."""
    if frame is None:
        return [np.nan] * len(signals)
    with one_opencv_thread():
        return [signal.compute(frame) for signal in signals.values()]


def _queued(
    scored: Iterable[tuple[Pairs, Scores | None]], waiting: deque[Scores]
) -> Iterator[tuple[Pairs, Scores | None]]:
    """The pairs with their scores, which wait for the signals."""
    for pairs, scores in scored:
        if scores is not None:
            waiting.append(scores)
        yield pairs, scores


def _neighbours(
    frames: Iterator[SignalFrame | None], looked_at: Sight
) -> Iterator[SignalFrame | None]:
    """The frames in turn, each with those around it, as soon as what signals look at is known."""
    past: tuple[Uint8, ...] = ()
    rows: deque[SignalFrame | None] = deque(maxlen=NEAR_ROWS if Sight.NEAR in looked_at else 0)
    for frame, ahead in _with_next(_each_with_before(frames), _rows_ahead(looked_at)):
        if frame is None:
            rows.append(None)
            past = ()
            yield None
            continue
        coming = tuple(_smalls(ahead[:COMING_ROWS])) if Sight.COMING in looked_at else ()
        near = (reversed(rows), ahead) if rows.maxlen else ((), ())
        yield frame.linked(frame.before, ahead[0] if ahead else None, past, coming, *near)
        rows.append(frame)
        if Sight.PAST in looked_at:
            past = (frame.small, *past[: PAST_ROWS - 1])


def _each_with_before(frames: Iterator[SignalFrame | None]) -> Iterator[SignalFrame | None]:
    """The frames, each with the one in the row before."""
    before: SignalFrame | None = None
    for frame in frames:
        yield None if frame is None else frame.but(before=before)
        before = frame if frame is None or frame.partner is None else frame.alone()


def _smalls(ahead: Iterable[SignalFrame | None]) -> Iterator[Uint8]:
    """Small versions of frames, up to the first that has no pixels."""
    for frame in ahead:
        if frame is None:
            return
        yield frame.small


def _rows_ahead(looked_at: Sight) -> int:
    """How many rows behind one must be known for its values."""
    if Sight.NEAR in looked_at:
        return NEAR_ROWS
    return COMING_ROWS if Sight.COMING in looked_at else int(Sight.AFTER in looked_at)


def _with_next(
    frames: Iterator[SignalFrame | None], count: int
) -> Iterator[tuple[SignalFrame | None, Sequence[SignalFrame | None]]]:
    """Each frame and those that follow it, ``count`` at most."""
    waiting: deque[SignalFrame | None] = deque()
    for frame in frames:
        waiting.append(frame)
        if len(waiting) > count:
            yield waiting.popleft(), tuple(waiting)
    while waiting:
        yield waiting.popleft(), tuple(waiting)


class _Others(NamedTuple):
    """What the test frames of a batch are compared with."""

    frames: Frames
    pixels: NDArray[Any]

    def at(self, row: int, golden: Partner | None) -> Partner | None:
        """The frame that a row is compared with: the golden one if it is; None where it has no
        pixels."""
        if self.frames.status[row] == Status.UNREADABLE:
            return None
        index = int(self.frames.index[row])
        if golden is not None and golden.index == index:
            return golden
        return Partner(self.pixels[row], self.frames.bit_depth, index)


def _frames(
    batches: Iterable[tuple[Pairs, Scores | None]],
    looked_at: Sight,
    packets: PacketIndex | None,
    apart: Callable[[Pairs], Float64 | None],
) -> Iterator[SignalFrame | None]:
    """Each test frame by itself; None where it has no pixels. The last ones of a large batch are
    copies, so that they do not keep the whole batch in memory."""
    golden: Partner | None = None
    for pairs, scores in batches:
        others = _others(pairs, scores, looked_at)
        for row, frame in enumerate(_alone(pairs, scores, looked_at, packets, apart)):
            if frame is None:
                yield None
                continue
            partner = None if others is None else others.at(row, golden)
            if Sight.GOLDEN in looked_at and partner is not golden and partner is not None:
                partner = golden = replace(partner, pixels=partner.pixels.copy())
            last = row >= len(pairs) - max(1, _rows_ahead(looked_at))
            made = frame if partner is None else replace(frame, partner=partner)
            yield _apart(made, golden) if last and len(pairs) > FEW_ROWS else made


def _others(pairs: Pairs, scores: Scores | None, looked_at: Sight) -> _Others | None:
    """The partners of a batch, where signals look at them."""
    placed = pairs.registrations is not None
    moved = scores is not None and "motion" in scores.fields
    unplaced = Sight.SHIFT in looked_at and not placed and not moved
    unlike = Sight.FAULTS in looked_at and not placed
    partners = pairs.ref if unplaced or unlike or Sight.GOLDEN in looked_at else None
    return None if partners is None else _Others(partners, partners.interleaved)


def _alone(
    pairs: Pairs,
    scores: Scores | None,
    looked_at: Sight,
    packets: PacketIndex | None,
    apart: Callable[[Pairs], Float64 | None],
) -> Iterator[SignalFrame | None]:
    """Each test frame of a batch without its partner; None where it has no pixels."""
    test = pairs.test if pairs.decoded is None else pairs.decoded
    pixels = test.interleaved
    features = pairs.test_features if Sight.EMBEDDING in looked_at else None
    vectors = None if features is None else to_numpy(features.pooled)
    found = pairs.registrations
    motion = None if scores is None else scores.fields.get("motion")
    faults = _faults(scores) if Sight.FAULTS in looked_at else None
    sums = apart(pairs) if pairs.ref_is_row_before and pairs.decoded is None else None
    for row in range(len(pairs)):
        if test.status[row] == Status.UNREADABLE:
            yield None
            continue
        yield SignalFrame(
            pixels[row],
            test.bit_depth,
            embedding=None if vectors is None else vectors[row],
            matrix=None if found is None or not found.accepted[row] else found.matrix[row],
            motion=None if motion is None else motion[row].astype(np.float32),
            faults=None if faults is None else faults[row],
            index=int(test.index[row]),
            packet=None if packets is None else packets.at(int(test.pts[row])),
            shared=_known(test, row, sums),
        )


def _known(frames: Frames, row: int, apart: Float64 | None) -> dict[Hashable, Any]:
    """What a source wrote beside the pixels of a frame, and what a metric added up of its
    differences to the frame before, by the names under which signals share them."""
    known: dict[Hashable, Any] = {} if apart is None else {"apart_from_before": apart[row]}
    if frames.luma is not None and frames.sums is not None:
        known |= {"luma": frames.luma[row], "channel_sums": frames.sums[row]}
    return known


def _faults(scores: Scores | None) -> Float32 | None:
    """(N, h, w) what is at fault in each cell: the map of all faults, or the worst of the maps of
    single ones that are there; None where there are none."""
    maps = {} if scores is None else scores.maps
    names = ["fault"] if "fault" in maps else [name for name in FAULT_MAPS if name in maps]
    planes = [maps[name].astype(np.float32) for name in names]
    return np.fmax.reduce(planes) if planes else None


def _apart(frame: SignalFrame, golden: Partner | None) -> SignalFrame:
    """A copy of a frame and of its partner; the golden frame is one already."""
    vector, partner = frame.embedding, frame.partner
    if partner is not None and partner is not golden:
        partner = replace(partner, pixels=partner.pixels.copy())
    return replace(
        frame,
        partner=partner,
        pixels=frame.pixels.copy(),
        embedding=None if vector is None else vector.copy(),
        shared={key: written.copy() for key, written in frame.shared.items()},
    )
