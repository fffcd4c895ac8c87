"""One image by itself, for regions that normal frames tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from vfiscope.comparisons.comparison import Comparison
from vfiscope.comparisons.pairs import skip_rows, unpaired
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Needs, Pairs

__all__ = ["OneImage"]


@dataclass(frozen=True)
class OneImage(Comparison):
    """An image without a reference: no score has a value, and its regions are what none of the
    normal frames shows."""

    name: ClassVar[str] = "alone"
    automatic: ClassVar[bool] = True
    offers_always: ClassVar[Needs] = Needs.NOTHING

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "compare" and config.is_alone

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        return skip_rows((unpaired(batch) for batch in streams.stream("test")), done)
