"""Videos, decoded one frame after the other with PyAV (FFmpeg)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial

import av
import numpy as np

from vfiscope.errors import SourceError
from vfiscope.pixels import Beside
from vfiscope.sources.batching import SelectedRow
from vfiscope.sources.geometry import UPRIGHT
from vfiscope.sources.selection import Options
from vfiscope.sources.source import Counts, Pixels, Row, Source, check_file
from vfiscope.sources.video.clock_parts import PartClock
from vfiscope.sources.video.color import Color, RgbConverter, bits_of, decide
from vfiscope.sources.video.container import VideoFile
from vfiscope.sources.video.decode import Decoded, Progress, decode
from vfiscope.sources.video.deinterlace import deinterlace_frames
from vfiscope.sources.video.frame_claims import emptied_places
from vfiscope.sources.video.integrity import failed_checksums, why_cut_short
from vfiscope.sources.video.packet_list import list_packets
from vfiscope.sources.video.probe import Begun, First, StreamClaims, begin
from vfiscope.sources.video.raw_video import RawVideo, raw_video
from vfiscope.sources.video.seek import Disagreement, FirstPass, can_seek, seek
from vfiscope.types import Code, Note, PacketIndex, SeekTable, SourceInfo, Status

__all__ = ["VideoSource"]

log = logging.getLogger("vfiscope")


class VideoSource(Source):
    """The frames of a local video file, upright, in presentation order.

    The stream is decoded from its start at every iteration; what the container claims about counts,
    durations and rates is recorded but not relied upon.

    Raises:
        SourceError: the file is not a video, holds no video stream, or no frame of it can be
        decoded.
    """

    def __init__(self, path: str, options: Options) -> None:
        path = os.path.abspath(path)
        size_bytes = check_file(path)
        raw = raw_video(path, options)
        first, stream, begun = begin(VideoFile(path, options.stream, raw))
        try:
            super().__init__(_described(path, size_bytes, raw, first, stream, options), options)
        except BaseException:
            begun.close()
            raise
        self._begun: Begun | None = begun
        self._first = first
        self._video = VideoFile(path, stream.number, raw)
        self._claims = stream.claims
        self._sums_checked = False
        self._seeks = True
        self._deinterlaces = options.deinterlace == "bwdif"

    def _rows(self, counts: Counts) -> Generator[Row]:
        times = PartClock.of(self._info.rate, self._info.time_base)
        clock = _Clock(times, synthetic=not self._first.has_pts)
        convert = RgbConverter(self._info.path, self._options.tonemap)
        noted = FirstPass(checks=not self.is_shrunk)
        places = noted.noted(self._decoded(Progress(counts, noted.keyframes)))
        if self._deinterlaces:
            places = deinterlace_frames(places, counts)
        try:
            with closing(places):
                for index, place in enumerate(places):
                    convert.reach(place.frame)
                    pts = clock.stamp(place, index)
                    # A time that stands twice in the file leads nowhere: it is not sought.
                    noted.stamp(place.pts if place.part and place.pts is not None else pts)
                    if clock.note is not None:
                        self._note(clock.note)
                    yield Row(index, pts, partial(self._paint, place, index, convert))
                    del place
            noted.ended = not counts.gave_up
        finally:
            self._remember(noted.table())
        counts.short = self._claims.short(counts.decoded, (times.last or 0) * self._info.time_base)
        counts.lost += self._claims.unseen(self._info.path, counts.packets)
        counts.hidden = counts.hidden or emptied_places(noted.table().pts, counts.skipped)
        counts.surplus = self._claims.surplus(counts.decoded + counts.unreadable)
        self._check_sums()
        counts.ended = not counts.gave_up

    def _decoded(self, progress: Progress) -> Generator[Decoded]:
        """The rows of the file. The first pass goes on with the decoding that told how to read it,
        while the file is the same."""
        begun, self._begun = self._begun, None
        if begun is not None and begun.is_current:
            return begun.rows(progress)
        if begun is not None:
            begun.close()
        return decode(self._video, progress)

    def close(self) -> None:
        """As that of every source; a decoding that nobody went on with ends."""
        super().close()
        self._end_begun()

    def _end_begun(self) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.close()

    def _remember(self, table: SeekTable) -> None:
        """Keep the table of a pass, unless an earlier pass went further or to the end."""
        known = self.seek_table
        if known is None or (len(table), table.ended) >= (len(known), known.ended):
            self.seek_table = table

    def _rows_at(self, ordinals: list[int]) -> Generator[SelectedRow]:
        """Read frames through keyframes where a seek table is known and verified, else by decoding
        from the start."""
        path, table = self._info.path, self.seek_table if self._seeks else None
        if table is not None and table.ended:  # a frame that is not in the table is not in the file
            ordinals = [ordinal for ordinal in ordinals if ordinal < len(table)]
        hard = [i for i in ordinals if not can_seek(table, i, neighbours=self._deinterlaces)]
        left = [i for i in ordinals if not hard or i > hard[-1]]
        yield from super()._rows_at([i for i in ordinals if hard and i <= hard[-1]])
        if table is None or not left:
            return
        self._end_begun()  # who seeks needs no first pass
        convert = RgbConverter(path, self._options.tonemap)
        found = seek(self._video, table, left, deinterlace=self._deinterlaces)
        try:
            with closing(found), self._without_notes():
                for i, place in found:
                    convert.reach(None)
                    pts = int(table.pts[i])
                    seconds = float((pts - int(table.pts[0])) * self._info.time_base)
                    yield SelectedRow(i, pts, seconds, partial(self._paint, place, i, convert))
                    left.remove(i)
        except Disagreement as error:
            log.info("%s is decoded from its start: by seeking, %s", path, error)
            self._seeks = False
            yield from super()._rows_at(left)

    @cached_property
    def packets(self) -> PacketIndex | None:
        return list_packets(self._video) if self._first.has_pts else None

    @property
    def _length(self) -> int | None:
        return None if self.seek_table is None else len(self.seek_table)

    def _check_sums(self) -> None:
        """Verify the checksums in the file; done at the end, because it reads the whole file."""
        if not self._sums_checked:
            damage = _asked(failed_checksums, self._info.path)
            self._info = replace(self._info, damage=(*self._info.damage, *damage))
            self._sums_checked = True

    def _paint(
        self,
        place: Decoded,
        index: int,
        convert: RgbConverter,
        out: Pixels,
        beside: Beside | None = None,
    ) -> Status:
        if place.frame is None:
            for written in (out, *(beside or ())):
                written[...] = 0
            return Status.UNREADABLE
        self._convert(place.frame, index, convert, out, beside)
        return Status.CORRUPT if place.damaged else Status.OK

    def _convert(
        self,
        frame: av.VideoFrame,
        index: int,
        convert: RgbConverter,
        out: Pixels,
        beside: Beside | None,
    ) -> None:
        color = decide(frame, self._info.path)
        if color != self._first.color:
            _check_hdr(color, self._info.path, self._options)
            values = {"matrix": color.matrix, "range": color.range, "transfer": color.transfer}
            self._note(Note(Code.COLOR_CHANGES, {"frame": index, **values}))
        if (bits_of(frame.format) > 8) != (self._info.bit_depth > 8):
            raise SourceError(
                f"{self._info.path} changes to {frame.format.name} at frame {index}: split it where"
                " the depth changes"
            )
        orientation = self._first.orientation
        size = orientation.size(frame.height, frame.width)
        whole = orientation == UPRIGHT and self.crop is None
        if whole and size == out.shape[:2]:
            convert(frame, color, out, beside)
            return
        usual = whole and size == (self._info.height, self._info.width)
        if usual and self.is_shrunk and convert.shrunk(frame, color, out, beside):
            return
        self._check_size(index, size)
        stored = np.empty((frame.height, frame.width, 3), out.dtype)
        convert(frame, color, stored)
        self._deliver(orientation.apply(stored), out)
        if beside is not None:
            beside.fill(out)

    def _check_size(self, index: int, size: tuple[int, int]) -> None:
        expected = (self._info.height, self._info.width)
        if not self._options.any_size and size != expected:
            raise SourceError(
                f"{self._info.path} changes its size at frame {index}: from"
                f" {expected[1]}x{expected[0]} to {size[1]}x{size[0]}; split it there, or use"
                f" --resize{'' if self.crop is None else ' without --crop'}"
            )


def _described(
    path: str,
    size_bytes: int,
    raw: RawVideo | None,
    first: First,
    stream: StreamClaims,
    options: Options,
) -> SourceInfo:
    """The description of the source."""
    _check_hdr(first.color, path, options)
    height, width = first.orientation.size(*first.size)
    return SourceInfo(
        path=path,
        kind="video",
        width=width,
        height=height,
        bit_depth=8 if first.bits <= 8 else 16,
        frames_expected=stream.frames if raw is None else size_bytes // raw.frame_bytes,
        duration_s=stream.duration_s,
        time_base=stream.time_base if first.has_pts else 1 / (stream.rate or options.fps),
        rate=stream.rate if raw is None else None,  # nobody claims one
        decoder=stream.decoder,
        color={
            **first.color.as_mapping(),
            **({"tonemap": str(options.tonemap)} if first.color.is_hdr else {}),
        },
        size_bytes=size_bytes,
        damage=_asked(why_cut_short, path),
        notes=(
            *stream.notes,
            *first.notes,
            *_interlaced_note(first, options),
            *_hdr_note(first.color, options),
        ),
    )


@dataclass
class _Clock:
    """Presentation times, with a note of what is irregular."""

    times: PartClock
    synthetic: bool
    """True if times are counted, because the first frame has none."""
    note: Note | None = None
    """The first irregularity."""

    def stamp(self, place: Decoded, index: int) -> int:
        """The time of the frame in units of the time base."""
        pts = None if self.synthetic else place.pts
        last, part = self.times.last, self.times.part
        time = self.times.count(pts, place.part)
        code = None
        if pts is None and not self.synthetic:
            code = Code.FRAME_WITHOUT_TIME
        elif self.times.part != part:
            code = Code.CLOCK_RESTARTS
        elif last is not None and time <= last:
            code = Code.TIME_NOT_INCREASING
        if self.note is None and code is not None:
            self.note = Note(code, {"frame": index})
        return time


def _asked(check: Callable[[str], Note | None], path: str) -> tuple[Note, ...]:
    """Notes from a check of the file's structure."""
    try:
        damage = check(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    return () if damage is None else (damage,)


def _check_hdr(color: Color, path: str, options: Options) -> None:
    if color.is_hdr and options.tonemap is None:
        raise SourceError(
            f"{path} is HDR (transfer {color.transfer}, primaries {color.primaries}), whose values"
            " mean other brightnesses than ordinary video: add --tonemap reinhard, or --tonemap"
            " none to take them as stored"
        )


def _interlaced_note(first: First, options: Options) -> list[Note]:
    if not first.interlaced:
        return []
    return [Note(Code.DEINTERLACED if options.deinterlace == "bwdif" else Code.INTERLACED)]


def _hdr_note(color: Color, options: Options) -> list[Note]:
    if not color.is_hdr:
        return []
    if options.tonemap == "none":
        return [Note(Code.HDR_AS_STORED, {"transfer": color.transfer})]
    values = {"transfer": color.transfer, "tonemap": options.tonemap}
    return [Note(Code.HDR_TONE_MAPPED, values)]
