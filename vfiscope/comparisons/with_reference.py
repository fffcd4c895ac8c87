"""The common base of comparisons with frames of a reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from vfiscope.comparisons.comparison import Comparison, Report, Scored
from vfiscope.comparisons.levels import warn_levels
from vfiscope.comparisons.originals import warn_unmarked_originals
from vfiscope.comparisons.pairs import Stream
from vfiscope.comparisons.placing import pair_at_places, places_beside, places_held_out
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Needs, Pairs

__all__ = ["WithReference"]


@dataclass(frozen=True)
class WithReference(Comparison):
    """Test frames with frames of a reference and, where metrics need them, the reference frames
    around these: the adjacent ones, or the originals of a stated multiplier."""

    automatic: ClassVar[bool] = True
    offers: ClassVar[Needs] = Needs.REF | Needs.NEIGHBOURS | Needs.FEATURES

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "score" and config.ref is not None and not config.independent

    @property
    def looks_around(self) -> bool:
        """True if the pairs have the frames around them, or at least roles."""
        return Needs.NEIGHBOURS in self.needs or self.multiplier is not None

    @property
    def reach(self) -> int:
        """The largest distance in ordinals from a frame to one around it."""
        return self.multiplier or self.config.step

    def around(self, test: Stream, ref: Stream, partners: Iterator[int]) -> Iterator[Pairs]:
        """Every test frame with its partner and the frames around it.

        Args:
            test: the frames to examine.
            ref: the reference frames that are partners or around a partner.
            partners: the decode ordinal of each test frame's partner, -1 where it has none.
        """
        places = (
            places_beside(partners, self.config.step)
            if self.multiplier is None
            else places_held_out(partners, self.multiplier)
        )
        return pair_at_places(test, ref, places, by_ordinal=True)

    def report(self, streams: Streams, scored: Scored) -> Report:
        unmarked = warn_unmarked_originals(self.config, scored, scored.table.ref_index)
        return Report(
            self.left_over(streams, scored.table), warnings=[*unmarked, *warn_levels(scored)]
        )
