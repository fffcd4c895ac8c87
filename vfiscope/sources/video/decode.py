"""Decode the packets of a video and give every missing frame a row of its own.

Packets enter the decoder in decode order, each with the presentation timestamp (PTS) of its frame;
frames come out in presentation order, delayed by up to the reorder delay of the codec. A timestamp
is expected from the moment its packet enters until its frame comes out. If a later frame comes out
first and the reorder delay has passed, the expected frame is missing: it becomes a row without
pixels at its own timestamp, so that the ordinals after it stay right. It does not matter whether
the decoder refused the packet or silently dropped it.

Where the clock of a stream starts again, as in transport streams that were joined byte by byte, a
new part begins: timestamps are compared within a part, and parts follow each other.

A timestamp without a frame is not counted as missing where the decoder may rightly output none:
before the first keyframe, in codecs with hidden frames, for the second field of an interlaced
frame, and after any frame whose timestamp belongs to no packet.
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
from vfiscope.sources.source import Counts
from vfiscope.sources.video.clock_parts import Packet, in_parts
from vfiscope.sources.video.container import VideoFile, opened
from vfiscope.sources.video.packet_list import packets

__all__ = ["Decoded", "Progress", "decode", "decode_opened"]

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
"""Decoders that output one frame per valid packet, except for frames made of two fields."""
NOISY_DECODERS = ("h264", "hevc")
"""Decoders that log errors on healthy streams too, such as open GOPs and splices. They mark damaged
frames themselves, so their log is ignored."""
MIDSTREAM_FORMATS = ("mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "vvc", "obu", "wtv")
"""Formats of recordings that may begin in the middle of a GOP."""
SEAM_PACKETS = 2
"""Packets before a new part that a demuxer may mark as damaged only because the counters of the
container jump there; a parser holds one back."""
MAX_REORDER = 16
"""Largest reorder delay, in packets."""
MAX_PENDING_PACKETS = 4 * MAX_REORDER
"""Expected frames held while the decoder outputs nothing."""
MAX_EMPTY_VOP = 19
"""Bytes up to which an MPEG-4 packet may be an empty VOP, which outputs no frame (as in FFmpeg's
MAX_NVOP_SIZE)."""


class Decoded(NamedTuple):
    """One row in presentation order."""

    frame: av.VideoFrame | None
    """None for a missing frame."""
    pts: int | None
    damaged: bool
    part: int = 0
    """How often the clock of the stream had started again."""


@dataclass
class Progress:
    """What is noted while a video is decoded."""

    counts: Counts = field(default_factory=Counts)
    keyframes: list[tuple[int | None, int | None]] = field(default_factory=list)
    """(dts, pts) of the keyframe packets so far, as flagged by the container."""


def decode(
    video: VideoFile,
    progress: Progress,
) -> Generator[Decoded]:
    """Decode a video in presentation order, with a row for each missing frame.

    Ends after ``MAX_CONSECUTIVE_ERRORS`` refused packets in a row, and counts them as ``gave_up``.

    Args:
        video: the stream.
        progress: filled while decoding.

    Raises:
        SourceError: the file cannot be opened, cannot be read on, or is encrypted.
    """
    with opened(video) as (container, stream):
        yield from decode_opened(video.path, container, stream, progress)


def decode_opened(
    path: str,
    container: InputContainer,
    stream: VideoStream,
    progress: Progress,
) -> Generator[Decoded]:
    """As :func:`decode`, from a container of which no packet was read yet."""
    failures, queue = 0, _FrameQueue.of(container, stream, progress)
    for packet, part in in_parts(packets(path, container, stream), container):
        if packet is not None and packet.is_keyframe:
            progress.keyframes.append((packet.dts, packet.pts))
        frames, logged_error = _decode_packet(packet)
        # Only a frame resets the count: a packet that is merely buffered proves nothing.
        failures = failures + 1 if frames is None else 0 if frames else failures
        queue.add_packet(packet, part, frames, logged_error)
        while frames:
            queue.add_frame(frames.pop(0), logged_error)
        yield from queue.ready_rows()
        if failures >= MAX_CONSECUTIVE_ERRORS:
            progress.counts.gave_up = failures
            queue.drain(stream)
            break
    yield from queue.ready_rows(ended=True)
    queue.close()


@dataclass
class _ExpectedFrame:
    """A frame whose packet entered the decoder and that has not come out yet."""

    part: int
    pts: int
    number: int
    """Of the packet, in decode order."""
    refused: bool
    suspect: bool
    """Whether the decoder logged an error for the packet; always False for ``NOISY_DECODERS``."""
    certain: bool
    """Whether it counts as missing if it never comes out."""

    @property
    def place(self) -> tuple[int, int]:
        """By which frames are ordered."""
        return self.part, self.pts


@dataclass
class _FrameQueue:
    """Matches the frames that come out of a decoder with the packets that went in."""

    progress: Progress
    one_frame_per_packet: bool
    has_empty_packets: bool
    """Whether tiny packets may output no frame."""
    reorder_delay: int
    """Packets after which an expected frame that was overtaken is missing."""
    logs_when_healthy: bool
    may_start_midstream: bool
    """Whether the stream may begin between keyframes."""
    part: int = 0
    """Part of the latest packet."""
    shown_part: int = 0
    """Part of the latest frame."""
    broken_at: list[int] = field(default_factory=list)
    """Numbers of the packets that the demuxer marked as damaged."""
    number: int = 0
    """Of the latest packet, in decode order."""
    last_damaged: int | None = None
    """Number of the latest packet that was refused, logged an error, or output no frame although
    the decoder had begun to output some."""
    expected: list[_ExpectedFrame] = field(default_factory=list)
    waiting: deque[Decoded] = field(default_factory=deque)
    """Frames as they came out, held while an earlier one may still come."""
    recent_pts: deque[int] = field(default_factory=lambda: deque(maxlen=2 * MAX_REORDER))
    """Timestamps of the latest frames."""
    key_pts: int | None = None
    """Timestamp of the first keyframe."""
    first_pts: int | None = None
    """Timestamp of the first packet that is not marked as discarded."""
    discarded: list[int] = field(default_factory=list)
    """For each packet marked as discarded after the first that is not: ``accepted`` at that
    moment."""
    taken: int = 0
    """Packets with content."""
    accepted: int = 0
    """Packets that the decoder took without an error."""
    silent: int = 0
    """Accepted packets whose frames are missing."""
    pts_match: bool = True
    """Whether every frame so far had the timestamp of a packet."""
    interlaced: bool = False
    fields_paired: bool = False
    """Whether two packets may make one frame."""

    @classmethod
    def of(cls, container: InputContainer, stream: VideoStream, progress: Progress) -> _FrameQueue:
        codec = stream.codec_context.codec
        return cls(
            progress,
            one_frame_per_packet=codec.name in ONE_FRAME_CODECS,
            has_empty_packets=codec.name == "mpeg4",
            reorder_delay=MAX_REORDER if codec.reorder else 0,
            logs_when_healthy=codec.name in NOISY_DECODERS,
            may_start_midstream=container.format.name in MIDSTREAM_FORMATS,
        )

    @property
    def counts(self) -> Counts:
        """Those of the present: whoever goes on with a decoding has counts of their own."""
        return self.progress.counts

    def add_packet(
        self,
        packet: Packet | None,
        part: int,
        frames: list[av.VideoFrame] | None,
        logged_error: bool,
    ) -> None:
        """Expect the frame of a packet.

        Args:
            packet: None for one that the demuxer refused.
            part: how often the clock had started again.
            frames: what the decoder output, None where it refused the packet.
            logged_error: whether the decoder logged an error.
        """
        refused = frames is None
        self.number += 1
        if packet is None or not packet.size:
            self.counts.undecodable += refused
            return
        if part != self.part:
            self._begin_part(part, packet)
        self.taken += 1
        self.counts.broken += packet.is_corrupt
        self.broken_at += [self.number] * packet.is_corrupt
        if logged_error or packet.is_corrupt or (not frames and self.counts.decoded):
            self.last_damaged = self.number
        if self.key_pts is None and (
            packet.is_keyframe or (refused and self.number == 1 and not self.may_start_midstream)
        ):
            # A damaged keyframe may lack its flag, so a refused first packet counts as one.
            self.key_pts = packet.pts
        if packet.is_discard:
            self._add_discarded(packet, refused)
            return
        self.first_pts = packet.pts if self.first_pts is None else self.first_pts
        if self.has_empty_packets and packet.size <= MAX_EMPTY_VOP:
            self.counts.undecodable += refused
            return
        self.accepted += not refused
        if packet.pts is not None:
            self._expect(packet.pts, refused, logged_error and not self.logs_when_healthy)
        elif refused and self.one_frame_per_packet and not self.reorder_delay:
            # Without a timestamp or reordering the missing frame belongs right here.
            self.waiting.append(Decoded(None, None, True, self.part))
        else:
            self.counts.undecodable += refused

    def _expect(self, pts: int, refused: bool, suspect: bool) -> None:
        # Before the first keyframe a decoder rightly drops what it cannot decode.
        begun = self.key_pts is not None and pts >= self.key_pts
        certain = self.one_frame_per_packet and begun
        entry = _ExpectedFrame(self.part, pts, self.number, refused, suspect, certain)
        self.expected.append(entry)

    def _begin_part(self, part: int, packet: Packet) -> None:
        """Before a keyframe, a packet that is damaged at the seam only is not: its payload is
        whole."""
        self.part = part
        if packet.is_keyframe:
            self.counts.broken -= sum(self.number - at <= SEAM_PACKETS for at in self.broken_at)
        self.broken_at.clear()
        self.key_pts = None

    def _add_discarded(self, packet: Packet, refused: bool) -> None:
        if refused:
            self.counts.undecodable += 1
            return
        self.counts.skipped += 1
        if self.first_pts is not None and packet.pts is not None and packet.pts > self.first_pts:
            self.discarded.append(self.accepted)

    def add_frame(self, frame: av.VideoFrame, logged_error: bool) -> None:
        """Take a frame from the decoder and match it with its packet by timestamp."""
        self.interlaced = self.interlaced or frame.interlaced_frame
        damaged = frame.is_corrupt
        match = next(
            (entry for entry in self.expected if entry.pts == frame.pts),
            None,
        )
        if match is not None:
            self.expected.remove(match)
            self.shown_part = match.part
            self.recent_pts.append(match.pts)
            self.accepted += match.refused
            damaged = damaged or match.refused or match.suspect
        elif frame.pts is None:
            damaged = damaged or (logged_error and not self.logs_when_healthy)
        elif frame.pts in self.recent_pts and self._is_near_damage():
            return  # after a loss a decoder may output the same frame twice
        else:
            # This decoder rewrites timestamps, so an unmatched packet proves nothing any more.
            self.pts_match = False
        self._insert(Decoded(frame, frame.pts, damaged, self.shown_part))

    def _insert(self, row: Decoded) -> None:
        """Append a row; near damage, where a decoder may output frames out of order, insert it by
        its timestamp."""
        at = len(self.waiting)
        if row.pts is not None and self._is_near_damage():
            while at and _is_later(self.waiting[at - 1], row.part, row.pts):
                at -= 1
        self.waiting.insert(at, row)

    def _is_near_damage(self) -> bool:
        return (
            self.last_damaged is not None and self.number - self.last_damaged <= self.reorder_delay
        )

    def drain(self, stream: VideoStream) -> None:
        """Take the frames that are still buffered in the decoder."""
        with suppress(av.FFmpegError):
            for frame in stream.codec_context.decode(None):
                self.add_frame(frame, logged_error=False)

    def ready_rows(self, *, ended: bool = False) -> Iterator[Decoded]:
        """The rows that no earlier frame can precede any more."""
        while self.waiting:
            # A frame waits while an expected earlier one may still be inside the decoder.
            earlier = [e for e in self.expected if _is_later(self.waiting[0], e.part, e.pts)]
            if not ended and any(
                self.number < entry.number + self.reorder_delay for entry in earlier
            ):
                return
            yield from self._missing_frames(earlier)
            yield self._count(self.waiting.popleft())
        if ended:
            yield from self._missing_frames(self.expected)
        elif len(self.expected) > MAX_PENDING_PACKETS:
            yield from self._missing_frames([min(self.expected, key=lambda entry: entry.place)])

    def _missing_frames(self, unseen: list[_ExpectedFrame]) -> Iterator[Decoded]:
        """Rows without pixels for expected frames that will not come out any more."""
        for entry in sorted(unseen, key=lambda entry: entry.place):
            self.expected.remove(entry)
            # In interlaced video a packet without a frame is the second field of the one before.
            self.fields_paired = self.fields_paired or (self.interlaced and not entry.refused)
            if entry.certain and self.pts_match and not self.fields_paired:
                self.silent += not entry.refused
                yield self._count(Decoded(None, entry.pts, True, entry.part))
            else:
                self.counts.undecodable += entry.refused

    def _count(self, row: Decoded) -> Decoded:
        self.counts.decoded += row.frame is not None
        self.counts.unreadable += row.frame is None
        self.counts.corrupt += row.frame is not None and row.damaged
        return row

    def close(self) -> None:
        """Count what has no row of its own: lost and hidden frames."""
        if self.one_frame_per_packet and not self.interlaced:
            self.counts.lost = max(0, self.accepted - self.silent - self.counts.decoded)
            self.counts.packets = self.taken
        self.counts.hidden = sum(self.accepted - before > MAX_REORDER for before in self.discarded)


def _is_later(row: Decoded, part: int, pts: int) -> bool:
    """True if a row comes after a timestamp of a part; False where the row has no time."""
    return row.pts is not None and (row.part, row.pts) > (part, pts)


def _decode_packet(
    packet: Packet | None,
) -> tuple[list[av.VideoFrame] | None, bool]:
    """Decode a packet: (frames, or None where it was refused; whether an error was logged)."""
    if packet is None:
        return None, True
    with av.logging.Capture() as log:  # of this thread only: others may be decoding too
        try:
            return packet.decode(), any(level <= av.logging.ERROR for level, _, _ in log)
        except av.FFmpegError:
            return None, True
