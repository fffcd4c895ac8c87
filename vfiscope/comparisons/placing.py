"""Test frames with their partners and the real frames around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, groupby, islice
from typing import NamedTuple

import numpy as np

from vfiscope.comparisons.pairs import Batch, Stream
from vfiscope.types import Cadence, Features, Frames, Neighbours, Pairs, Role

__all__ = [
    "Place",
    "pair_at_places",
    "places_among",
    "places_beside",
    "places_held_out",
    "places_in",
]

NOWHERE = -1


class Place(NamedTuple):
    """The position of a test frame in a stream of real frames, in rows of that stream; -1 where
    there is no such row."""

    partner: int
    before: int
    after: int
    phase: float
    """0 at the frame before, 1 at the one after; NaN where unknown."""
    role: Role = Role.UNKNOWN


def places_in(cadence: Cadence, first: int = 0) -> Iterator[Place]:
    """The places in its source of test frame ``first`` and all later ones.

    An original has the frame that it shows as its partner; a synthesised frame lies between two and
    has none.
    """
    for before, phase, role in zip(
        cadence.before[first:], cadence.phase[first:], cadence.role[first:], strict=True
    ):
        row, kind = int(before), Role(int(role))
        if kind in (Role.SYNTHESISED, Role.HELD):
            yield Place(NOWHERE, row, row + 1, float(phase), kind)
        else:
            yield Place(row, NOWHERE, NOWHERE, float(phase), kind)


def places_among(first: int = 0) -> Iterator[Place]:
    """The places between its own neighbours of row ``first`` and all later ones of a sequence."""
    return (Place(NOWHERE, row - 1, row + 1, 0.5) for row in count(first))


def places_beside(partners: Iterator[int], every: int = 1) -> Iterator[Place]:
    """The places of test frames with these partners: between the frames next to them, ``every``
    apart."""
    return (
        Place(row, row - every, row + every, 0.5) if row >= 0 else Place(-1, -1, -1, 0.5)
        for row in partners
    )


def places_held_out(
    partners: Iterator[int], multiplier: int, *, truth: bool = True
) -> Iterator[Place]:
    """The places of frames that were interpolated from every ``multiplier``-th of these, the first
    one on.

    Args:
        partners: frames of the truth, or of the interpolated sequence itself, where ``truth`` is
            False: then only an original has a partner, which is itself.
        multiplier: how many of them there are per original.
        truth: True if synthesised frames have partners.
    """
    for row in partners:
        before, part = row // multiplier * multiplier, row % multiplier
        if row < 0:
            yield Place(NOWHERE, NOWHERE, NOWHERE, float("nan"))
        elif part:
            partner = row if truth else NOWHERE
            yield Place(partner, before, before + multiplier, part / multiplier, Role.SYNTHESISED)
        else:
            yield Place(row, NOWHERE, NOWHERE, 0.0, Role.PASSED)


def pair_at_places(
    test: Stream,
    frames: Stream,
    places: Iterator[Place],
    first: int = 0,
    *,
    by_ordinal: bool = False,
) -> Iterator[Pairs]:
    """Every test frame with its partner and the real frames around it, where the stream has them.

    Batches are cut where rows begin to have, or to lack, a partner or neighbours.

    Args:
        test: the frames to examine.
        frames: real frames; read as far ahead as the places need, and held as long.
        places: one for each test frame, in order; rows never decrease.
        first: row of the first frame of the stream.
        by_ordinal: places name frames of the stream by their decode ordinals instead of by rows.
    """
    window = _Window(frames, first, by_ordinal)
    for test_frames, features in test:
        start, own = 0, window.clip(list(islice(places, len(test_frames))))
        for (partnered, surrounded), run in groupby(
            own, key=lambda place: (place.partner >= 0, place.before >= 0)
        ):
            part = list(run)
            rows = slice(start, start + len(part))
            ref, ref_features = (
                window.take([place.partner for place in part]) if partnered else (None, None)
            )
            yield Pairs(
                test_frames[rows],
                ref,
                None if features is None else features[rows],
                ref_features,
                around=window.around(part) if surrounded else None,
                role=np.array([place.role for place in part], np.uint8),
                phase=np.array([place.phase for place in part]),
            )
            start = rows.stop


class _Window:
    """The latest frames of a stream, one by one."""

    def __init__(self, frames: Stream, first: int, by_ordinal: bool) -> None:
        self._frames = frames
        self._held: dict[int, Batch] = {}
        self._latest = first - 1
        self._by_ordinal = by_ordinal

    def clip(self, places: list[Place]) -> list[Place]:
        """The places without rows that the stream lacks; reads up to the last row that they name,
        and drops rows before the first."""
        named = [row for place in places for row in (place.partner, place.before) if row >= 0]
        last = max(
            (max(place.partner, place.after if place.before >= 0 else NOWHERE) for place in places),
            default=-1,
        )
        first = min(named, default=last)
        self._held = {row: frame for row, frame in self._held.items() if row >= first}
        while self._latest < last and (batch := next(self._frames, None)) is not None:
            frames, features = batch
            for row in range(len(frames)):
                one = slice(row, row + 1)
                self._latest = int(frames.index[row]) if self._by_ordinal else self._latest + 1
                if self._latest >= first:
                    self._held[self._latest] = (
                        frames[one],
                        None if features is None else features[one],
                    )
        return [self._clipped(place) for place in places]

    def _clipped(self, place: Place) -> Place:
        if place.partner not in self._held:
            place = place._replace(partner=NOWHERE)
        if place.before not in self._held or place.after not in self._held:
            place = place._replace(before=NOWHERE, after=NOWHERE)
        return place

    def take(self, rows: list[int]) -> Batch:
        """The frames of some rows that are held, as one batch."""
        return _join([self._held[row] for row in rows])

    def around(self, places: list[Place]) -> Neighbours:
        """The frames around places."""
        before, before_features = self.take([place.before for place in places])
        after, after_features = self.take([place.after for place in places])
        return Neighbours(before, after, before_features, after_features)


def _join(batches: list[Batch]) -> Batch:
    """One batch of many."""
    features = [batch[1] for batch in batches if batch[1] is not None]
    return (
        Frames.concat([batch[0] for batch in batches]),
        Features.concat(features) if features else None,
    )
