"""Independent test images with the reference images of the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from vfiscope.comparisons.comparison import Comparison, Report, Scored
from vfiscope.comparisons.pairs import pair_shifted, skip_rows
from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Code, Note, Pairs

__all__ = ["ByImage"]


class ByImage(Comparison):
    """Pairs of images that have nothing to do with the pairs beside them, such as the results and
    truths of many triplets: there is no shift to be found and there are no frames around them."""

    name: ClassVar[str] = "image"
    automatic: ClassVar[bool] = True

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "score" and config.ref is not None and config.independent

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        test = streams.with_features(skip_rows(streams.decode("test"), done), "test")
        ref = streams.with_features(skip_rows(streams.decode("ref"), done), "ref")
        return pair_shifted(test, ref, 0)

    def report(self, streams: Streams, scored: Scored) -> Report:
        pairing = self.left_over(streams, scored.table)
        counts = {role: pairing[f"{role}_unpaired"] for role in ("test", "ref")}
        notes = [
            Note(Code.IMAGES_WITHOUT_PARTNER, {"count": count, "role": role})
            for role, count in counts.items()
            if count
        ]
        return Report(pairing, notes=notes)
