"""A reference that follows the test's clock: rows are paired by number, so a start or stop in
seconds must select the same ordinals on both sides."""

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

    Iterating yields every batch once. Frames read ahead are held in memory: about one batch of the
    reference, and with neighbours the frames between two real frames.

    Args:
        test: the source; it reports where its stop was once its frames have ended.
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
        """Read and hold one more batch; False where there is none."""
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
        """True if the frames end at or before an ordinal, and the ordinal of the stop if the stop
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
        # Where the test ends before its stop, only the reference can tell which ordinal that is.
        return super().after(index, seconds) if stop is None else index - self.shift >= stop


def follow_clock(ref: Source, lead: LeadingTest, depth: int, shift: int = 0) -> Iterator[Frames]:
    """The frames of a reference at the ordinals of the test, whatever their times are.

    Args:
        ref: its own start and stop are ignored.
        lead: the test.
        depth: batches decoded ahead. None are where the test has a stop, because how far the
            reference may be read is known only from the test's frames.
        shift: partners are this many frames later; the reference is read further by that many
            frames, and never less far than the test.
    """
    start, stop, step = lead.first, lead.selection.stop, lead.selection.step
    if stop is None:
        return prefetch(ref.select(Selection(start, None, step)), depth)
    return ref.select(_ClockOrdinals(start, stop, step, lead=lead, shift=max(0, shift)))
