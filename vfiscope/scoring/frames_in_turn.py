"""Frames that rows need one after the other: every input is read once, from front to back."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing

from vfiscope.comparisons import FrameRequest
from vfiscope.types import FetchedFrame

__all__ = ["frames_in_turn"]

Needed = Sequence[FrameRequest]
"""The frames of one row."""
Read = Callable[[str, Collection[int]], Generator[FetchedFrame]]
"""(role, ordinals) -> those frames of that input, rising, all of them."""


def frames_in_turn(
    rows: Sequence[Needed], read: Read, most: int
) -> Iterator[dict[FrameRequest, FetchedFrame]]:
    """The frames of each row, in the order of the rows.

    Everything is read from front to back while the rows are yielded, and held until the last row
    that needs it. Where rows need frames in such an order that more than ``most`` would be held,
    inputs are read again from there. Unless all frames fit, those that more than half of the rows
    need, such as a golden reference, are read first and held.

    Args:
        rows: the frames that each row needs.
        read: reads frames of one input.
        most: frames that are held at a time; those of a single row in any case.

    Yields:
        The frames of the next row.
    """
    counts = Counter(one for row in rows for one in set(row))
    fit = len(counts) <= most
    always = {one for one, count in counts.items() if not fit and 2 * count > len(rows)}
    held = {
        FrameRequest(role, frame.index): frame
        for role, ordinals in _by_role(always).items()
        for frame in read(role, ordinals)
    }
    for part in _parts([[one for one in row if one not in always] for row in rows], most):
        for row in _in_one_go(part, read):
            yield held | row


def _parts(rows: Sequence[Needed], most: int) -> Iterator[Sequence[Needed]]:
    """The rows, parted where more than ``most`` frames would be held."""
    start, part = 0, _Part()
    for stop, row in enumerate(rows):
        part.add(row)
        if stop > start and max(part.held) > most:
            yield rows[start:stop]
            start, part = stop, _Part()
            part.add(row)
    yield rows[start:]


class _Part:
    """How many frames are held at each of the rows that are read in one go."""

    def __init__(self) -> None:
        self.held: list[int] = []
        self._last: dict[FrameRequest, int] = {}
        """{frame: the last row that needs it}"""
        self._reached: dict[str, list[int]] = {}
        """{role: the highest ordinal up to each row}"""

    def add(self, row: Needed) -> None:
        """One more row: its frames are held from where they are read, or last needed, until
        here."""
        here = len(self.held)
        self.held.append(len(row))
        for one in row:
            reached = self._reached.setdefault(one.role, [-1] * here)
            first = self._last.get(one, bisect_left(reached, one.ordinal) - 1)
            for between in range(first + 1, here):
                self.held[between] += 1
            self._last[one] = here
        for role, reached in self._reached.items():
            ordinals = [one.ordinal for one in row if one.role == role]
            reached.append(max([*ordinals, reached[-1] if reached else -1]))


def _in_one_go(rows: Sequence[Needed], read: Read) -> Iterator[dict[FrameRequest, FetchedFrame]]:
    """The frames of each row; every input is read once."""
    last = {one: n for n, row in enumerate(rows) for one in row}
    held: dict[FrameRequest, FetchedFrame] = {}
    with ExitStack() as stack:
        inputs = {
            role: stack.enter_context(closing(read(role, ordinals)))
            for role, ordinals in _by_role(last).items()
        }
        for n, row in enumerate(rows):
            for one in row:
                while one not in held:
                    frame = next(inputs[one.role])
                    held[FrameRequest(one.role, frame.index)] = frame
            yield {one: held[one] for one in row}
            for one in row:
                if last[one] == n:
                    held.pop(one, None)


def _by_role(wanted: Iterable[FrameRequest]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for one in wanted:
        found.setdefault(one.role, set()).add(one.ordinal)
    return found
