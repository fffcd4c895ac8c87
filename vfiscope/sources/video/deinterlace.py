"""Deinterlace frames, only on request."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from fractions import Fraction
from itertools import chain
from typing import cast

import av
import av.filter

from vfiscope.sources.source import Counts
from vfiscope.sources.video.decode import Decoded

__all__ = ["deinterlace_frames"]

BWDIF = "mode=send_frame:parity=auto:deint=interlaced"
"""One frame per frame, at the time of its first field; frames not marked as interlaced are left
unchanged."""


def deinterlace_frames(places: Generator[Decoded], counts: Counts) -> Generator[Decoded]:
    """The same rows with every interlaced frame deinterlaced by FFmpeg's bwdif, which uses its
    neighbours.

    A frame with a damaged or missing neighbour is marked and counted as damaged too.
    """
    waiting: deque[Decoded] = deque()
    weaver: _Bwdif | None = None
    with closing(_spread(places, counts)) as marked:
        for place in marked:
            if place.frame is not None and (weaver is None or not weaver.fits(place.frame)):
                yield from _filled(waiting, [] if weaver is None else weaver.end())
                weaver = _Bwdif(place.frame)
            waiting.append(place)
            if place.frame is not None and weaver is not None:
                yield from _filled(waiting, weaver.put(place.frame))
        yield from _filled(waiting, [] if weaver is None else weaver.end())
        yield from waiting


def _spread(places: Generator[Decoded], counts: Counts) -> Generator[Decoded]:
    """The same rows with damage spread to the adjacent interlaced frames."""
    before: Decoded | None = None
    place: Decoded | None = None
    with closing(places):
        for after in chain(places, [None]):
            if place is not None:
                woven = place.frame is not None and place.frame.interlaced_frame
                hurt = woven and any(
                    beside is not None and beside.damaged for beside in (before, after)
                )
                counts.corrupt += hurt and not place.damaged
                yield place._replace(damaged=place.damaged or hurt)
            before, place = place, after


def _filled(waiting: deque[Decoded], frames: list[av.VideoFrame]) -> Iterator[Decoded]:
    """The first waiting rows with these frames; rows without a frame pass through."""
    for frame in frames:
        while waiting[0].frame is None:
            yield waiting.popleft()
        yield waiting.popleft()._replace(frame=frame)


class _Bwdif:
    """The filter for frames of one size and format. It outputs each frame when it has received the
    next one."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._kind = (frame.width, frame.height, frame.format.name)
        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base or Fraction(1, 1000),
        )
        self._graph.link_nodes(
            source, self._graph.add("bwdif", BWDIF), self._graph.add("buffersink")
        ).configure()

    def fits(self, frame: av.VideoFrame) -> bool:
        return self._kind == (frame.width, frame.height, frame.format.name)

    def put(self, frame: av.VideoFrame) -> list[av.VideoFrame]:
        """The frames that are ready after this one."""
        self._graph.push(frame)
        return self._pull()

    def end(self) -> list[av.VideoFrame]:
        """The frames that are left."""
        self._graph.push(None)
        return self._pull()

    def _pull(self) -> list[av.VideoFrame]:
        ready: list[av.VideoFrame] = []
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                ready.append(
                    cast(av.VideoFrame, self._graph.pull())
                )  # a graph of video frames outputs nothing else
        return ready
