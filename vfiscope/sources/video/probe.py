"""The first decoding of a video, as far as its first frame: what tells how to read it.

It goes on where the frames are read, so that none is decoded twice.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer
from av.video.stream import VideoStream

from vfiscope.config import MAX_DURATION_S, MAX_FRAMES
from vfiscope.errors import SourceError
from vfiscope.sources.counts import Counts
from vfiscope.sources.geometry import UPRIGHT, Orientation, from_display_matrix
from vfiscope.sources.video.color import Color, bits_of, decide, has_alpha
from vfiscope.sources.video.container import VideoFile, is_picture, opened, streams_in
from vfiscope.sources.video.decode import Decoded, Progress, decode_opened
from vfiscope.sources.video.frame_claims import Claims
from vfiscope.types import Code, Note

__all__ = ["Begun", "First", "StreamClaims", "begin"]

RISING_COUNTS = ("decoded", "corrupt", "undecodable", "unreadable", "skipped", "broken", "gave_up")
"""Counts that decoding raises before its end; whoever reads its rows makes the others."""


class StreamClaims(NamedTuple):
    """The claims of the container about the stream, all of them hints."""

    number: int
    frames: int | None
    duration_s: float | None
    time_base: Fraction
    rate: Fraction | None
    decoder: str
    claims: Claims
    notes: tuple[Note, ...]


class First(NamedTuple):
    """The properties of all frames, from the first decoded one."""

    size: tuple[int, int]
    bits: int
    color: Color
    orientation: Orientation
    has_pts: bool
    interlaced: bool
    notes: tuple[Note, ...]


class Moment(NamedTuple):
    """A row that came out, and what had been noted by then."""

    place: Decoded
    counts: Counts
    keyframes: int


@dataclass
class Begun:
    """A decoding that has come to the first frame, and can go on."""

    path: str
    state: tuple[int, ...]
    """Of the file when it was opened."""
    moments: list[Moment]
    """The rows up to that frame."""
    rest: Generator[Decoded]
    progress: Progress
    stack: ExitStack
    """Closes the file."""

    @property
    def is_current(self) -> bool:
        """Whether the file is still the one that was opened."""
        return self.state == _state_of(self.path)

    def rows(self, progress: Progress) -> Generator[Decoded]:
        """All rows from the first on, as :func:`~vfiscope.sources.video.decode.decode` yields
        them."""
        with self.stack:
            before, keyframes = Counts(), self.progress.keyframes
            while self.moments:
                place, now, noted = self.moments.pop(0)
                for name in RISING_COUNTS:
                    more = getattr(now, name) - getattr(before, name)
                    setattr(progress.counts, name, getattr(progress.counts, name) + more)
                before, progress.keyframes[:] = now, keyframes[:noted]
                yield place
                del place
            self.progress.counts, self.progress.keyframes = progress.counts, progress.keyframes
            yield from self.rest

    def close(self) -> None:
        """Close the file."""
        self.moments.clear()
        self.stack.close()


def begin(video: VideoFile) -> tuple[First, StreamClaims, Begun]:
    """Decode up to the first frame, and describe it and the container.

    Raises:
        SourceError: the file cannot be opened, or no frame of it can be decoded.
    """
    path, progress, state = video.path, Progress(), _state_of(video.path)
    with ExitStack() as stack:
        container, stream = stack.enter_context(opened(video))
        about = _describe(container, stream)
        rest = decode_opened(path, container, stream, progress)
        stack.callback(rest.close)
        moments = []
        for place in rest:
            moments.append(Moment(place, replace(progress.counts), len(progress.keyframes)))
            if place.frame is not None:
                first = _describe_first(place.frame, path)
                return first, about, Begun(path, state, moments, rest, progress, stack.pop_all())
    raise SourceError(f"{path} holds no frame that can be decoded: it may be damaged or incomplete")


def _state_of(path: str) -> tuple[int, ...]:
    """Values that differ once a file is another one; none where it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _describe(container: InputContainer, stream: VideoStream) -> StreamClaims:
    time_base = stream.time_base or Fraction(1, av.time_base)
    duration: Fraction | None = None
    if stream.duration:
        duration = stream.duration * time_base
    elif container.duration:
        duration = Fraction(container.duration, av.time_base)
    if (stream.frames or 0) > MAX_FRAMES or (duration or 0) > MAX_DURATION_S:
        length = "" if duration is None else f", {float(duration):.0f} s"
        raise SourceError(
            f"{container.name} claims {stream.frames} frames{length}, more than {MAX_FRAMES} frames"
            f" or {MAX_DURATION_S} s: cut it into pieces, or repair its header"
        )
    count = sum(not is_picture(video) for video in container.streams.video)
    notes = []
    if count > 1:
        values = {"streams": count, "stream": stream.index, "listed": streams_in(container)}
        notes.append(Note(Code.SEVERAL_STREAMS, values))
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        shape = f"{aspect.numerator}:{aspect.denominator}"
        notes.append(Note(Code.PIXELS_NOT_SQUARE, {"aspect": shape}))
    if stream.metadata.get("alpha_mode") == "1" and not stream.codec_context.name.startswith(
        "libvpx"
    ):
        notes.append(Note(Code.ALPHA_NOT_DECODED))
    rate = stream.average_rate or stream.guessed_rate or None
    libavcodec = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return StreamClaims(
        number=stream.index,
        frames=stream.frames or None,
        duration_s=None if duration is None else float(duration),
        time_base=time_base,
        rate=rate,
        decoder=f"{stream.codec_context.name} (PyAV {av.__version__}, libavcodec {libavcodec})",
        claims=Claims.of(container, stream, stream.frames, duration, rate),
        notes=tuple(notes),
    )


def _describe_first(frame: av.VideoFrame, path: str) -> First:
    color = decide(frame, path)
    orientation, notes = _orientation(frame)
    if has_alpha(frame.format) and not frame.format.has_palette:
        notes.append(Note(Code.ALPHA_ON_BLACK))
    if frame.pts is None:
        notes.append(Note(Code.NO_TIMES))
    size = (frame.height, frame.width)
    return First(
        size,
        bits_of(frame.format),
        color,
        orientation,
        frame.pts is not None,
        frame.interlaced_frame,
        tuple(notes),
    )


def _orientation(frame: av.VideoFrame) -> tuple[Orientation, list[Note]]:
    # The property of the frame would keep it alive until the garbage collector comes, and what a
    # decoder conceals of damaged frames depends on which frames are still there.
    side_data: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    if side_data is None:
        return UPRIGHT, []
    orientation = from_display_matrix(bytes(side_data))
    if orientation is None:
        return UPRIGHT, [Note(Code.ROTATION_IGNORED, {"degrees": frame.rotation})]
    if orientation == UPRIGHT:
        return orientation, []
    return orientation, [Note(Code.ROTATED, {"orientation": str(orientation)})]
