"""Test frames among the frames of the lower-rate video that they were made from."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Self

from vfiscope.alignment import (
    describe_cadence,
    find_cadence,
    notes_on_cadence,
    summarize_cadence,
)
from vfiscope.comparisons.comparison import (
    ComparedWith,
    Comparison,
    FrameRequest,
    Report,
    Scored,
)
from vfiscope.comparisons.levels import warn_levels
from vfiscope.comparisons.placing import pair_at_places, places_in
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Cadence, Code, Needs, Note, Pairs, Role

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["WithSource"]

log = logging.getLogger("vfiscope")


@dataclass(frozen=True)
class WithSource(Comparison):
    """Passed-through originals with the source frame that they show; synthesised frames between the
    two source frames around them."""

    name: ClassVar[str] = "source"
    automatic: ClassVar[bool] = True
    offers: ClassVar[Needs] = Needs.REF | Needs.NEIGHBOURS | Needs.FEATURES
    offers_always: ClassVar[Needs] = Needs.FEATURES
    """A partner is not always there: some clips have no passed-through original."""

    found: Cadence | None = None
    """The places of the test frames in the source; None before :meth:`prepare`."""

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "score" and config.ref is None and config.source is not None

    def allows(self, needs: Needs) -> bool:
        # A frame has either a partner or frames around it.
        return needs in self.offers and Needs.REF | Needs.NEIGHBOURS not in needs

    def prepare(self, streams: Streams) -> Self:
        """Both videos are read once to find the cadence.

        Raises:
            PairingError: the test was not made from the source at any multiplier, or not at the
                stated one.
        """
        test, source = (
            streams.read_through(role, f"aligning {role}") for role in ("test", "source")
        )
        stated = self.config.multiplier
        found = find_cadence(test, source, multiplier=None if stated is None else Fraction(stated))
        log.info("%s", describe_cadence(found))
        return replace(self, found=found)

    @property
    def cadence(self) -> Cadence:
        """The cadence, once it is found."""
        if self.found is None:
            raise ValueError("the cadence is not found yet: call prepare first")
        return self.found

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        before = self.cadence.before[done:]
        first = int(min((row for row in before if row >= 0), default=0))
        test, source = streams.stream("test", done), streams.stream("source", first)
        return pair_at_places(test, source, places_in(self.cadence, done), first)

    def report(self, streams: Streams, scored: Scored) -> Report:
        told = summarize_cadence(self.cadence)
        outside = told["outside"]
        notes = [Note(Code.OUTSIDE_OF_SOURCE, {"count": outside})] if outside else []
        pairing = {**self.left_over(streams, scored.table), **told}
        warnings = [*notes_on_cadence(self.cadence), *warn_levels(scored)]
        return Report(pairing, notes, warnings=warnings)

    @classmethod
    def compared_with(cls, run: Run, row: int) -> ComparedWith:
        other = int(run.frames.ref_index[row])
        if other < 0 or run.frames.role[row] not in (Role.SYNTHESISED, Role.HELD):
            return super().compared_with(run, row)
        before, after = (FrameRequest("source", ordinal) for ordinal in (other, other + 1))
        return ComparedWith(None, before, after)
