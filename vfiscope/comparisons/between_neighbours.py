"""Test frames between the frames around them in their own sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, ClassVar

from vfiscope.comparisons.comparison import (
    ComparedWith,
    Comparison,
    FrameRequest,
    Report,
    Scored,
)
from vfiscope.comparisons.levels import warn_levels
from vfiscope.comparisons.originals import warn_unmarked_originals
from vfiscope.comparisons.pairs import first_ordinal, skip_rows, tee_stream
from vfiscope.comparisons.placing import pair_at_places, places_among, places_held_out
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import FrameTable, Needs, Pairs, Role, counted

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["BetweenNeighbours"]


@dataclass(frozen=True)
class BetweenNeighbours(Comparison):
    """Every test frame between the one before and the one after it; or, with a stated multiplier,
    every synthesised one between the originals around it."""

    name: ClassVar[str] = "neighbours"
    automatic: ClassVar[bool] = True
    offers: ClassVar[Needs] = Needs.NEIGHBOURS | Needs.FEATURES
    offers_always: ClassVar[Needs] = Needs.FEATURES
    """Metrics of neighbours are undefined for a clip in which nothing moves."""

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "score" and config.ref is None and config.source is None

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        first = max(0, done - (self.multiplier or 1))
        stream = streams.stream("test", first)
        if self.multiplier is None:
            test, beside = tee_stream(stream)
            pairs = pair_at_places(test, beside, places_among(first), first)
        else:
            stream, ordinal = first_ordinal(stream)
            test, originals = tee_stream(stream)
            places = places_held_out(count(ordinal), self.multiplier, truth=False)
            pairs = pair_at_places(test, originals, places, by_ordinal=True)
        return skip_rows(pairs, done - first)

    def report(self, streams: Streams, scored: Scored) -> Report:
        table = scored.table
        unmarked = warn_unmarked_originals(self.config, scored, table.index)
        warnings = [*unmarked, *warn_levels(scored)]
        return Report(self.left_over(streams, table), warnings=warnings, reason=self._reason(table))

    def _reason(self, table: FrameTable) -> str:
        # An original is compared with nothing, and is its own partner.
        if ((table.ref_index >= 0) & (table.role != Role.PASSED)).any():
            return ""
        frames = counted(len(table), "frame")
        if self.multiplier is None:
            return (
                f"the test has {frames}, none with one before and one after it: pass three or more,"
                " or --ref"
            )
        return (
            f"the test has {frames}, none synthesised between two originals: pass"
            f" {self.multiplier + 1} or more, or --ref"
        )

    @classmethod
    def compared_with(cls, run: Run, row: int) -> ComparedWith:
        before, multiplier = int(run.frames.ref_index[row]), run.config.get("multiplier")
        if before < 0 or run.frames.role[row] == Role.PASSED:
            return ComparedWith()
        after = int(run.frames.index[row + 1]) if multiplier is None else before + int(multiplier)
        return ComparedWith(None, FrameRequest("test", before), FrameRequest("test", after))
