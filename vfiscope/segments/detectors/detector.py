"""The interface of a segment detector: its input columns and its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vfiscope.segments.rules import Column
from vfiscope.types import FrameTable, MetricSpec, Segment

__all__ = ["Columns", "Detector"]


@dataclass(frozen=True, eq=False)
class Columns:
    """The stored columns of a run of N frames."""

    frames: FrameTable
    scores: Mapping[str, Column]
    """{metric: (N,) float32}, NaN where not defined."""
    specs: Mapping[str, MetricSpec]
    """The metric of each score; a score may lack one."""
    signals: Mapping[str, Column] = field(default_factory=dict)
    """{signal: (N,) float32}, NaN where not defined."""


@dataclass(frozen=True)
class Detector:
    """A way to find segments in stored columns."""

    name: str
    needs: Sequence[str]
    """The scores and signals that it reads; it is skipped in runs that lack one."""
    detect: Callable[[Columns], list[Segment]]
    """A pure function from the columns of a run to its segments."""

    def can_read(self, columns: Columns) -> bool:
        """True if the columns hold all that it needs."""
        return all(name in columns.scores or name in columns.signals for name in self.needs)
