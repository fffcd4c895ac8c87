"""The opened inputs of a run as streams of frames with their features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from vfiscope.comparisons.pairs import Batch, Stream, skip_rows
from vfiscope.comparisons.shared_clock import LeadingTest, follow_clock
from vfiscope.options.reading_options import PREFETCH
from vfiscope.sources import Source, prefetch
from vfiscope.sources.bars import Borders
from vfiscope.types import Features, Frames

__all__ = ["Streams", "WrapDecoding"]

WrapDecoding = Callable[[Iterable[Frames], Source, str], Iterable[Frames]]
"""Wraps each pass over a source before scoring, like a progress bar: (frames, the source, what is
done)."""


class Streams:
    """The streams that a comparison reads. Each source is decoded once for all pairs.

    Args:
        sources: by role, the test first.
        depth: batches decoded ahead.
        embed: computes the features of frames; None where no metric needs them.
        move: moves frames to the device that they are scored on.
        bare: roles whose streams have no features, because their frames are registered first.
        reading: wraps the passes of :meth:`read_through`.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        *,
        depth: int = PREFETCH,
        embed: Callable[[Frames], Features] | None = None,
        move: Callable[[Frames], Frames] | None = None,
        bare: frozenset[str] = frozenset(),
        reading: WrapDecoding | None = None,
    ) -> None:
        self.sources = sources
        self._depth = depth
        self._embed = embed
        self._move = move
        self._bare = bare
        self._reading = reading
        self._lead: LeadingTest | None = None
        self._decoded: list[Iterator[Frames]] = []
        self.borders = {role: Borders() for role in sources}
        """What was seen of black bars in the frames decoded for scoring."""

    def stream(self, role: str, skip: int = 0) -> Stream:
        """The frames of a source from row ``skip`` on, with their features."""
        return self.with_features(skip_rows(self.decode(role), skip), role)

    def decode(self, role: str) -> Iterator[Frames]:
        """All frames of a source; call it once per role."""
        return self._remember(
            role,
            iter(self._leading()) if role == "test" else prefetch(self.sources[role], self._depth),
        )

    def follow_test(self, role: str, shift: int = 0) -> Iterator[Frames]:
        """The frames of a source at the ordinals of the test, and ``shift`` further.

        Its own start and stop are ignored.
        """
        frames = follow_clock(self.sources[role], self._leading(), self._depth, shift)
        return self._remember(role, frames)

    def with_features(self, frames: Iterable[Frames], role: str) -> Stream:
        """The frames on their device, with their features where some metric needs them."""
        for batch in frames:
            moved = batch if self._move is None else self._move(batch)
            yield moved, None if role in self._bare else self.embed(moved)

    def together(self, one: str, other: str) -> Iterator[tuple[Batch, Batch]]:
        """The frames of two sources of one size and bit depth, batch by batch, each two batches
        embedded as one: a network computes whole batches, full or not."""
        for batches in zip(self.decode(one), self.decode(other), strict=False):
            first, second = (each if self._move is None else self._move(each) for each in batches)
            features = self.embed(Frames.concat([first, second]))
            cut = len(first)
            if features is None:
                yield (first, None), (second, None)
            else:
                yield (first, features[:cut]), (second, features[cut:])

    def embed(self, frames: Frames) -> Features | None:
        """The features of frames; None where no metric needs them."""
        return None if self._embed is None else self._embed(frames)

    def read_through(self, role: str, what: str) -> Iterable[Frames]:
        """The frames of a source for passes before scoring, decoded each time they are iterated.

        Args:
            role: which source.
            what: the label of the progress bar, such as "aligning test".
        """
        return _Pass(self.sources[role], self._depth, what, self._reading)

    def drain(self) -> None:
        """Read every decoded source to its end, so that its counts are complete."""
        for decoded in self._decoded:
            for _ in decoded:
                pass

    def _leading(self) -> LeadingTest:
        if self._lead is None:
            self._lead = LeadingTest(self.sources["test"], self._depth)
        return self._lead

    def _remember(self, role: str, decoded: Iterator[Frames]) -> Iterator[Frames]:
        watched = self.borders[role].watch(decoded)
        self._decoded.append(watched)
        return watched


@dataclass(frozen=True)
class _Pass:
    """A source that is decoded ahead each time it is iterated."""

    source: Source
    depth: int
    what: str
    wrap: WrapDecoding | None

    def __iter__(self) -> Iterator[Frames]:
        frames = prefetch(self.source, self.depth)
        return frames if self.wrap is None else iter(self.wrap(frames, self.source, self.what))
