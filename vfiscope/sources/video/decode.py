"""The packets of a video and the frames they promise: one row for every promise, kept or broken.

A packet is put into the decoder in the order of decoding and promises a frame at its presentation
time; frames come out in the order of presentation, some packets later. A promise that a later
frame overtakes, and that stays unkept for as many packets as frames can be delayed, is broken:
it becomes a row without pixels at its own time, so that the ordinals after it stay right. It does
not matter whether the decoder refused the packet or said nothing.

A packet promises nothing where that is not certain: before the first key frame, in codecs with
hidden frames, for the second fields of interlaced frames, and once a frame came at a time
that no packet named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import av
import av.logging
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.config import MAX_CONSECUTIVE_ERRORS
from vfiscope.errors import SourceError
from vfiscope.sources.source import Counts
from vfiscope.sources.video.container import opened

__all__ = ["Decoded", "decode", "packets"]

ONE_FRAME_CODECS = (
    "h264",
    "hevc",
    "mpeg4",
    "mpeg2video",
    "mjpeg",
    "prores",
    "ffv1",
    "libdav1d",
    "vp9",
    "png",
    "gif",
)
"""Decoders that give one frame for each packet that they understand, but for frames made of two
fields."""
NOISY_DECODERS = ("h264", "hevc")
"""Decoders that complain of healthy streams too, as of open groups and splices; they mark damaged
frames themselves."""
MIDSTREAM_FORMATS = ("mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "vvc", "obu", "wtv")
"""Formats of recordings that may begin in the middle of a group of pictures."""
MAX_REORDER = 16
"""Packets by which the order of decoding and that of presentation differ at most."""
MAX_PENDING_PACKETS = 4 * MAX_REORDER
"""Promises that are held while no frame comes."""
MAX_EMPTY_VOP = 19
"""Bytes up to which an MPEG-4 packet may say no more than that nothing moved (as in FFmpeg's
MAX_NVOP_SIZE)."""


class Decoded(NamedTuple):
    """A place in presentation order."""

    frame: av.VideoFrame | None
    """None where a packet promised a frame and none came."""
    pts: int | None
    damaged: bool


def decode(
    path: str,
    counts: Counts,
    number: int | None = None,
    keyframes: list[tuple[int | None, int | None]] | None = None,
) -> Generator[Decoded]:
    """Every frame that the packets of a video promise, in presentation order; what went wrong is
    counted.

    Ends after ``MAX_CONSECUTIVE_ERRORS`` refused packets in a row, and counts them as ``gave_up``.

    Args:
        path: of the file.
        counts: filled on the way.
        number: of the stream, None for the best.
        keyframes: where to add (dts, pts) of each packet that the container calls a keyframe.

    Raises:
        SourceError: the file cannot be opened, or cannot be read on.
    """
    with opened(path, number) as (container, stream):
        failures, queue = 0, _FrameQueue.of(container, stream, counts)
        for packet in packets(path, container, stream):
            if keyframes is not None and packet is not None and packet.is_keyframe:
                keyframes.append((packet.dts, packet.pts))
            frames, complained = _frames_of(packet)
            failures = failures + 1 if frames is None else 0 if frames else failures
            queue.enter(packet, frames, complained)
            while frames:
                queue.keep(frames.pop(0), complained)
            yield from queue.settled()
            if failures >= MAX_CONSECUTIVE_ERRORS:
                counts.gave_up = failures
                queue.drain(stream)
                break
        yield from queue.settled(ended=True)
        queue.close()


@dataclass
class _ExpectedFrame:
    """A frame that a packet announced."""

    pts: int
    number: int
    """Of the packet, in the order of decoding."""
    refused: bool
    suspect: bool
    """Whether the decoder complained while it read the packet."""
    binding: bool
    """Whether a frame is certain to be missing if none comes."""


@dataclass
class _FrameQueue:
    """Promises and frames that wait for their turn."""

    counts: Counts
    a_frame_each: bool
    skips: bool
    """Whether tiny packets may stand for no frame."""
    reorder_delay: int
    """Packets after which a promise is broken."""
    logs_when_healthy: bool
    joined: bool
    """Whether the stream may begin anywhere."""
    number: int = 0
    last_damaged: int | None = None
    """The latest packet that was refused, complained about, or gave no frame though others had
    come."""
    promises: list[_ExpectedFrame] = field(default_factory=list)
    ready: deque[Decoded] = field(default_factory=deque)
    """Pictures in the order in which they came, held while one before them may still come."""
    given: deque[int] = field(default_factory=lambda: deque(maxlen=2 * MAX_REORDER))
    """Times of the latest frames."""
    key: int | None = None
    """Time of the first key frame."""
    first: int | None = None
    """Time of the first packet that is to be shown."""
    discarded: list[int] = field(default_factory=list)
    """Of packets marked as not to be shown, later than the first kept one: how many were taken
    before."""
    taken: int = 0
    """Packets that went into the decoder without an error."""
    silent: int = 0
    """Of these: those that became rows without pixels."""
    trusted: bool = True
    """Whether every frame so far came at a time that a packet named."""
    interlaced: bool = False
    paired: bool = False
    """Whether two packets may make one frame."""

    @classmethod
    def of(cls, container: InputContainer, stream: VideoStream, counts: Counts) -> _FrameQueue:
        codec = stream.codec_context.codec
        return cls(
            counts,
            a_frame_each=codec.name in ONE_FRAME_CODECS,
            skips=codec.name == "mpeg4",
            reorder_delay=MAX_REORDER if codec.reorder else 0,
            logs_when_healthy=codec.name in NOISY_DECODERS,
            joined=container.format.name in MIDSTREAM_FORMATS,
        )

    def enter(
        self,
        packet: av.Packet[VideoStream] | None,
        frames: list[av.VideoFrame] | None,
        complained: bool,
    ) -> None:
        """Note what a packet promises: None for one that the demuxer refused, and no frames where
        it was refused."""
        refused = frames is None
        self.number += 1
        if packet is None or not packet.size:
            self.counts.undecodable += refused
            return
        self.counts.broken += packet.is_corrupt
        if complained or packet.is_corrupt or (not frames and self.counts.decoded):
            self.last_damaged = self.number
        if self.key is None and (
            packet.is_keyframe or (refused and self.number == 1 and not self.joined)
        ):
            self.key = packet.pts  # a damaged key frame is not recognised as one
        if packet.is_discard:
            self._enter_discarded(packet, refused)
            return
        self.first = packet.pts if self.first is None else self.first
        if self.skips and packet.size <= MAX_EMPTY_VOP:
            self.counts.undecodable += refused
            return
        self.taken += not refused
        if packet.pts is not None:
            # Before the first keyframe a decoder may drop what it cannot decode, as it should.
            binding = self.a_frame_each and self.key is not None and packet.pts >= self.key
            suspect = complained and not self.logs_when_healthy
            self.promises.append(_ExpectedFrame(packet.pts, self.number, refused, suspect, binding))
        elif refused and self.a_frame_each and not self.reorder_delay:
            self.ready.append(Decoded(None, None, True))
        else:
            self.counts.undecodable += refused

    def _enter_discarded(self, packet: av.Packet[VideoStream], refused: bool) -> None:
        if refused:
            self.counts.undecodable += 1
            return
        self.counts.skipped += 1
        if self.first is not None and packet.pts is not None and packet.pts > self.first:
            self.discarded.append(self.taken)

    def keep(self, frame: av.VideoFrame, complained: bool) -> None:
        """Take a frame from the decoder, and the promise that it keeps."""
        self.interlaced = self.interlaced or frame.interlaced_frame
        damaged = frame.is_corrupt
        kept = next((promise for promise in self.promises if promise.pts == frame.pts), None)
        if kept is not None:
            self.promises.remove(kept)
            self.given.append(kept.pts)
            self.taken += kept.refused
            damaged = damaged or kept.refused or kept.suspect
        elif frame.pts is None:
            damaged = damaged or (complained and not self.logs_when_healthy)
        elif frame.pts in self.given and self._is_near_damage():
            return  # a decoder that lost a frame may give another one twice
        else:
            # Packets and frames do not share their times here, so no time can be missing one.
            self.trusted = False
        self._line_up(Decoded(frame, frame.pts, damaged))

    def _line_up(self, place: Decoded) -> None:
        """Behind the frames that came before; after damage a decoder may mix up their order."""
        at = len(self.ready)
        if place.pts is not None and self._is_near_damage():
            while at and (before := self.ready[at - 1].pts) is not None and before > place.pts:
                at -= 1
        self.ready.insert(at, place)

    def _is_near_damage(self) -> bool:
        return (
            self.last_damaged is not None and self.number - self.last_damaged <= self.reorder_delay
        )

    def drain(self, stream: VideoStream) -> None:
        """Take the frames that are still inside the decoder."""
        with suppress(av.FFmpegError):
            for frame in stream.codec_context.decode(None):
                self.keep(frame, complained=False)

    def settled(self, *, ended: bool = False) -> Iterator[Decoded]:
        """The places that nothing can come before any more."""
        while self.ready:
            # A frame waits while an earlier one that was promised may still be in the decoder.
            at = self.ready[0].pts
            earlier = (
                [] if at is None else [promise for promise in self.promises if promise.pts < at]
            )
            if not ended and any(
                self.number < promise.number + self.reorder_delay for promise in earlier
            ):
                return
            yield from self._missing_frames(earlier)
            yield self._count(self.ready.popleft())
        if ended:
            yield from self._missing_frames(self.promises)
        elif len(self.promises) > MAX_PENDING_PACKETS:
            yield from self._missing_frames([min(self.promises, key=lambda promise: promise.pts)])

    def _missing_frames(self, promises: list[_ExpectedFrame]) -> Iterator[Decoded]:
        """Rows without pixels for promises that nothing will keep."""
        for promise in sorted(promises, key=lambda promise: promise.pts):
            self.promises.remove(promise)
            # A packet without a frame among interlaced ones is the second field of the one before.
            self.paired = self.paired or (self.interlaced and not promise.refused)
            if promise.binding and self.trusted and not self.paired:
                self.silent += not promise.refused
                yield self._count(Decoded(None, promise.pts, True))
            else:
                self.counts.undecodable += promise.refused

    def _count(self, place: Decoded) -> Decoded:
        self.counts.decoded += place.frame is not None
        self.counts.unreadable += place.frame is None
        self.counts.corrupt += place.frame is not None and place.damaged
        return place

    def close(self) -> None:
        """Count what has no row of its own."""
        if self.a_frame_each and not self.interlaced:
            self.counts.lost = max(0, self.taken - self.silent - self.counts.decoded)
        self.counts.hidden = sum(self.taken - before > MAX_REORDER for before in self.discarded)


def _frames_of(packet: av.Packet[VideoStream] | None) -> tuple[list[av.VideoFrame] | None, bool]:
    """What the decoder makes of a packet, None where it refuses it, and whether it complained."""
    if packet is None:
        return None, True
    with av.logging.Capture() as said:  # of this thread alone: other sources are decoded beside it
        try:
            return packet.decode(), any(level <= av.logging.ERROR for level, _, _ in said)
        except av.FFmpegError:
            return None, True


def packets(
    path: str, container: InputContainer, stream: VideoStream
) -> Iterator[av.Packet[VideoStream] | None]:
    """The packets of the stream; None for each one that the demuxer refused.

    Raises:
        SourceError: the file cannot be read on.
    """
    going = True
    while going:
        try:
            yield from container.demux(stream)
            going = False
        except av.InvalidDataError:
            yield None
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{path} cannot be read on: {error.strerror or error}") from error
