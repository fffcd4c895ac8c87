"""Test frames with the ones before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from vfiscope.comparisons.comparison import Comparison, Report, Scored
from vfiscope.comparisons.pairs import pair_lagged, skip_rows
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Pairs, counted

__all__ = ["WithLag"]


@dataclass(frozen=True)
class WithLag(Comparison):
    """Every test frame with the one ``--lag`` frames before it; the first ones have none."""

    name: ClassVar[str] = "lag"
    automatic: ClassVar[bool] = True

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "scan" and config.golden is None

    @property
    def lag(self) -> int:
        """1 where --lag is not set."""
        return self.config.lag or 1

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        first = max(0, done - self.lag)
        pairs = pair_lagged(streams.stream("test", first), self.lag)
        return skip_rows(pairs, done - first)

    def report(self, streams: Streams, scored: Scored) -> Report:
        report, n = super().report(streams, scored), len(scored.table)
        pairing = {"policy": self.name, "lag": self.lag, **report.pairing}
        if (scored.table.ref_index >= 0).any() or (n and self.config.normal is not None):
            return replace(report, pairing=pairing)
        remedy = "pass a smaller one" if n > 1 else "pass two or more, or --golden"
        reason = f"lag is {self.lag}, but the sequence has {counted(n, 'frame')}: {remedy}"
        return replace(report, pairing=pairing, reason=reason)
