"""Test frames with the reference frames of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from vfiscope.alignment import ShiftCheck
from vfiscope.comparisons.by_shift import ByShift
from vfiscope.comparisons.comparison import Report, Scored
from vfiscope.comparisons.streams import Streams
from vfiscope.comparisons.with_reference import WithReference
from vfiscope.options import RunConfig
from vfiscope.types import Code, Frames, Note

__all__ = ["ByRow"]


@dataclass(frozen=True)
class ByRow(ByShift):
    """No shift; while frames are paired, a check finds out whether a shift would fit better."""

    name: ClassVar[str] = "row"

    check: ShiftCheck = field(default_factory=ShiftCheck, compare=False, repr=False)

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return WithReference.suits(config) and config.align == "none"

    @property
    def shift(self) -> int:
        return 0

    def test(self, streams: Streams) -> Iterator[Frames]:
        return self.check.watch("test", streams.decode("test"))

    def ref(self, streams: Streams) -> Iterator[Frames]:
        timed = streams.sources["test"].selection.timed
        decoded = streams.follow_test("ref") if timed else streams.decode("ref")
        return self.check.watch("ref", decoded)

    def report(self, streams: Streams, scored: Scored) -> Report:
        report = WithReference.report(self, streams, scored)
        notes = []
        for role in ("test", "ref"):
            if count := report.pairing[f"{role}_unpaired"]:
                notes.append(Note(Code.WITHOUT_PARTNER, {"count": count, "role": role}))
            if count := streams.sources[role].counts.undecodable:
                notes.append(Note(Code.ROWS_MAY_BE_OFF, {"count": count, "role": role}))
        shifted = self.check.verdict()
        # Where pairs are brought into place, a shift in time may have made up for one in space.
        if shifted is None or self.config.register != "none":
            return replace(report, notes=notes)
        return replace(
            report,
            notes=notes,
            warnings=[shifted, *report.warnings],
            pairing={**report.pairing, "warning": str(shifted)},
        )
