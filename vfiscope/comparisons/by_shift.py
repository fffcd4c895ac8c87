"""Test frames with the reference frames a fixed number of rows later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar

from vfiscope.alignment import map_of_shift, summarize
from vfiscope.comparisons.comparison import Report, Scored
from vfiscope.comparisons.pairs import first_ordinal, pair_shifted, skip_rows
from vfiscope.comparisons.streams import Streams
from vfiscope.comparisons.with_reference import WithReference
from vfiscope.options import RunConfig
from vfiscope.types import Frames, Pairs, counted

__all__ = ["ByShift"]


@dataclass(frozen=True)
class ByShift(WithReference):
    """Every test frame with the reference frame ``--align`` rows later; negative means earlier."""

    name: ClassVar[str] = "shift"

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return super().suits(config) and isinstance(config.align, int)

    @property
    def shift(self) -> int:
        return int(self.config.align)

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        first = done + self.shift
        reach = self.reach if self.looks_around else 0
        skip = max(0, first - reach)
        test = streams.with_features(skip_rows(self.test(streams), done), "test")
        ref = streams.with_features(skip_rows(self.ref(streams), skip), "ref")
        if not self.looks_around:
            return pair_shifted(test, ref, -first)
        ref, ordinal = first_ordinal(ref)
        step = self.config.step
        return self.around(test, ref, count(ordinal + (first - skip) * step, step))

    def test(self, streams: Streams) -> Iterator[Frames]:
        """All frames of the test."""
        return streams.decode("test")

    def ref(self, streams: Streams) -> Iterator[Frames]:
        """All frames of the reference; where the test has a stop, or a start in seconds, those of
        the test's ordinals, because seconds would select other frames of another clip."""
        chosen = streams.sources["test"].selection
        if chosen.timed or chosen.stop is not None:
            return streams.follow_test("ref", self.shift)
        return streams.decode("ref")

    def report(self, streams: Streams, scored: Scored) -> Report:
        table, report = scored.table, super().report(streams, scored)
        if not (table.ref_index >= 0).any():
            reason = (
                f"align is {self.shift}, and none of {counted(len(table), 'frame')} has a partner"
                " there: pass a smaller shift"
            )
            return replace(report, reason=reason)
        found = map_of_shift(table.index, table.ref_index, self.shift)
        return replace(report, pairing={**report.pairing, **summarize(found)}, table=found)
