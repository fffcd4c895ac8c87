"""Test frames with one golden frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from vfiscope.comparisons.comparison import Comparison
from vfiscope.comparisons.pairs import pair_golden
from vfiscope.comparisons.streams import Streams
from vfiscope.errors import SourceError, UsageError
from vfiscope.options import RunConfig
from vfiscope.types import Pairs, Status

__all__ = ["WithGolden"]


@dataclass(frozen=True)
class WithGolden(Comparison):
    """Every test frame with one image, or with one frame of its own sequence."""

    name: ClassVar[str] = "golden"
    automatic: ClassVar[bool] = True

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        return config.mode == "scan" and config.golden is not None

    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        """Raises:
        UsageError: the sequence has no frame of that number.
        SourceError: the golden frame has no pixels.
        """
        golden = streams.sources["golden"]
        try:
            frames, features = next(streams.stream("golden"))
        except UsageError as error:
            raise UsageError(
                f"golden is {self.config.golden}, but {golden.info.path} has {golden.counts.seen}"
                f" frames: pass a number from 0 to {golden.counts.seen - 1}"
            ) from error
        if frames.status[0] == Status.UNREADABLE:
            raise SourceError(
                f"the golden frame of {golden.info.path} cannot be decoded: choose another"
            )
        one = frames[:1], None if features is None else features[:1]
        return pair_golden(streams.stream("test", done), one)
