"""Compute signals for batches of pairs, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.signals.signal import Partner, Sight, Signal, SignalFrame
from vfiscope.types import Float32, Frames, Pairs, Status
from vfiscope.types.batch import to_numpy

__all__ = ["measure"]


def measure(
    pairs: Pairs,
    signals: Mapping[str, Signal],
    *,
    motion: NDArray[np.float16] | None = None,
    before: SignalFrame | None = None,
) -> tuple[dict[str, Float32], SignalFrame | None]:
    """The signals of N test frames.

    Args:
        pairs: a batch in row order.
        signals: which to compute, by name.
        motion: (N, 2, h, w) px, the field of that name; None where it is not computed.
        before: the test frame in the row before, as returned by the previous call; None where there
            is none, or it has no pixels.

    Returns:
        {signal: (N,) float32}, NaN where not defined, such as for frames without pixels; and the
        last frame, for the next call.
    """
    values = {name: np.full(len(pairs), np.nan, np.float32) for name in signals}
    if not signals:
        return values, None
    looked_at = reduce(or_, (signal.looks_at for signal in signals.values()))
    golden = None if before is None else before.partner
    for row, frame in enumerate(_frames(pairs, looked_at, motion, golden)):
        if frame is not None:
            seen = replace(frame, before=before)
            for name, signal in signals.items():
                values[name][row] = signal.compute(seen)
        before = frame
    return values, None if before is None else _apart(before, looked_at)


def _frames(
    pairs: Pairs, looked_at: Sight, motion: NDArray[np.float16] | None, golden: Partner | None
) -> Iterator[SignalFrame | None]:
    """Each test frame as signals see it; None where it has no pixels.

    Args:
        golden: the golden frame of earlier rows, whose cells are known.
    """
    test = pairs.test if pairs.decoded is None else pairs.decoded
    pixels = test.interleaved
    features = pairs.test_features if Sight.EMBEDDING in looked_at else None
    vectors = None if features is None else to_numpy(features.pooled)
    found = pairs.registrations
    unplaced = Sight.SHIFT in looked_at and found is None and motion is None
    partners = pairs.ref if unplaced or Sight.GOLDEN in looked_at else None
    others = None if partners is None else partners.interleaved
    for row in range(len(pairs)):
        if test.status[row] == Status.UNREADABLE:
            yield None
            continue
        partner = None
        if partners is not None and others is not None:
            partner = _partner(partners, others, row, golden)
        if Sight.GOLDEN in looked_at and partner is not golden and partner is not None:
            partner = golden = replace(partner, pixels=partner.pixels.copy())  # outlives its batch
        yield SignalFrame(
            pixels[row],
            test.bit_depth,
            embedding=None if vectors is None else vectors[row],
            matrix=None if found is None or not found.accepted[row] else found.matrix[row],
            motion=None if motion is None else motion[row].astype(np.float32),
            partner=partner,
            index=int(test.index[row]),
        )


def _partner(
    frames: Frames, pixels: NDArray[Any], row: int, golden: Partner | None
) -> Partner | None:
    """The frame that a row is compared with: the golden one if it is; None where it has no
    pixels."""
    if frames.status[row] == Status.UNREADABLE:
        return None
    index = int(frames.index[row])
    if golden is not None and golden.index == index:
        return golden
    return Partner(pixels[row], frames.bit_depth, index)


def _apart(frame: SignalFrame, looked_at: Sight) -> SignalFrame:
    """A copy of the frame, so that it does not keep its whole batch in memory; the golden frame is
    one already."""
    vector = frame.embedding
    return replace(
        frame,
        partner=frame.partner if Sight.GOLDEN in looked_at else None,
        pixels=frame.pixels.copy(),
        embedding=None if vector is None else vector.copy(),
    )
