"""One image with another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from vfiscope.comparisons.by_row import ByRow
from vfiscope.comparisons.comparison import Comparison, Report, Scored
from vfiscope.comparisons.pairs import pair_rows, skip_rows
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Pairs

__all__ = ["TwoImages"]


@dataclass(frozen=True)
class TwoImages(Comparison):
    """One pair of images."""

    name: ClassVar[str] = "images"
    automatic: ClassVar[bool] = True

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "compare" and not config.is_alone

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        test, ref = streams.sources["test"], streams.sources["ref"]
        alike = (test.size, test.info.bit_depth) == (ref.size, ref.info.bit_depth)
        if not alike or self.config.register != "none":  # then the test is embedded later
            return skip_rows(pair_rows(streams.stream("test"), streams.stream("ref")), done)
        both = streams.together("test", "ref")
        return skip_rows((Pairs(a[0], b[0], a[1], b[1]) for a, b in both), done)

    def report(self, streams: Streams, scored: Scored) -> Report:
        report = super().report(streams, scored)
        # Stored results have always named the policy of two images like this.
        return replace(report, pairing={**report.pairing, "policy": ByRow.name})
