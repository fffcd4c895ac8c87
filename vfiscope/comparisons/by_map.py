"""Test frames with the reference frames that an alignment found."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from vfiscope.alignment import align, describe, notes_on_order, summarize
from vfiscope.comparisons.comparison import Report, Scored
from vfiscope.comparisons.pairs import Stream, pair_mapped, pick
from vfiscope.comparisons.streams import Streams
from vfiscope.comparisons.with_reference import WithReference
from vfiscope.options import RunConfig
from vfiscope.types import Int64, Pairing, Pairs

__all__ = ["ByMap"]

log = logging.getLogger("vfiscope")


@dataclass(frozen=True)
class ByMap(WithReference):
    """Every test frame with the reference frame that shows the same instant."""

    name: ClassVar[str] = "map"

    found: Pairing | None = None
    """The map; None before :meth:`prepare`."""

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return super().suits(config) and config.align == "auto"

    def prepare(self, streams: Streams) -> Self:
        """Both clips are read once to find the map.

        Raises:
            PairingError: the two have nothing in common.
        """
        test, ref = (streams.read_through(role, f"aligning {role}") for role in ("test", "ref"))
        rates = [streams.sources[role].info.rate for role in ("ref", "test")]
        rate = rates[0] / rates[1] if rates[0] and rates[1] else None
        found = align(test, ref, rate=rate)
        for line in describe(found):
            log.info("%s", line)
        return replace(self, found=found)

    @property
    def map(self) -> Pairing:
        """The map, once it is found."""
        if self.found is None:
            raise ValueError("the map is not found yet: call prepare first")
        return self.found

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        partners = self.map.ref_index[done:]
        test = streams.stream("test", done)
        if not self.looks_around:
            return pair_mapped(test, self._ref(streams, partners), partners)
        near = np.arange(-self.reach, self.reach + 1)
        wanted = np.unique(np.unique(partners[partners >= 0])[:, None] + near)
        return self.around(test, self._ref(streams, wanted), iter(partners.tolist()))

    def _ref(self, streams: Streams, wanted: Int64) -> Stream:
        return streams.with_features(pick(streams.decode("ref"), wanted), "ref")

    def report(self, streams: Streams, scored: Scored) -> Report:
        report = super().report(streams, scored)
        pairing = {**report.pairing, **summarize(self.map)}
        warnings = [*report.warnings, *notes_on_order(self.map, scored.table.index)]
        return replace(report, pairing=pairing, table=self.map, warnings=warnings)
