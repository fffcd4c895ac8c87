"""A reference that goes by the test's clock: rows are paired by number, so that a time must mean
one number on both."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from vfiscope.sources import Selection, Source, prefetch
from vfiscope.types import Frames

__all__ = ["LeadingTest", "follow_clock"]


class LeadingTest:
    """The frames of the test, read as far ahead as its reference asks where the test starts and
    stops.

    Iterating gives every batch once. What is read ahead is held: a batch of the reference, and with
    neighbours what lies between two real frames.

    Args:
        test: the source, asked for where its stop was when its frames have ended.
        depth: batches decoded ahead, as of :func:`prefetch`.
    """

    def __init__(self, test: Source, depth: int) -> None:
        self.selection = test.selection
        self._test = test
        self._batches = prefetch(test, depth)
        self._held: deque[Frames] = deque()
        self._first: int | None = None
        self._last = -1
        self._ended = False

    def __iter__(self) -> Iterator[Frames]:
        while self._held or self._read():
            yield self._held.popleft()

    def _read(self) -> bool:
        """Hold one batch more; False where there is none."""
        batch = next(self._batches, None)
        if batch is None:
            self._ended = True
            return False
        self._first = int(batch.index[0]) if self._first is None else self._first
        self._last = int(batch.index[-1])
        self._held.append(batch)
        return True

    @property
    def first(self) -> int | None:
        """The ordinal of the first frame; None where there is none."""
        if self._first is None:
            self._read()
        return self._first

    def ends_at(self, index: int) -> tuple[bool, int | None]:
        """Whether the frames end before an ordinal or at it, and the ordinal of the stop where that
        ended them."""
        while self._last < index and not self._ended:
            self._read()
        return self._ended and self._last < index, self._test.counts.stop if self._ended else None


@dataclass(frozen=True)
class _ClockOrdinals(Selection):
    """The ordinals of the test from ``start`` on, until the test stops, ``shift`` frames later."""

    lead: LeadingTest = field(kw_only=True)
    shift: int = 0

    def after(self, index: int, seconds: Fraction) -> bool:
        ended, stop = self.lead.ends_at(index - self.shift)
        if not ended:
            return False
        # Where the test ends before its stop, only the reference itself can say when that is.
        return super().after(index, seconds) if stop is None else index - self.shift >= stop


def follow_clock(ref: Source, lead: LeadingTest, depth: int, shift: int = 0) -> Iterator[Frames]:
    """The frames of a reference at the ordinals of the test's, whatever their times there.

    Args:
        ref: its own start and stop are left aside.
        lead: the test.
        depth: batches decoded ahead. None are where the test has a stop, because how far the
            reference may be read is known only from the test's frames.
        shift: partners lie so many frames later; the reference is read so much further, and never
        less far.
    """
    start, stop, step = lead.first, lead.selection.stop, lead.selection.step
    if stop is None:
        return prefetch(ref.select(Selection(start, None, step)), depth)
    return ref.select(_ClockOrdinals(start, stop, step, lead=lead, shift=max(0, shift)))
