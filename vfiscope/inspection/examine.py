"""Examination of every frame of a medium, without converting the pixels of a video."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import av

from vfiscope.errors import SourceError
from vfiscope.files import open_regular
from vfiscope.inspection.findings import DoctorCode
from vfiscope.sources.bars import Borders, look
from vfiscope.sources.geometry import UPRIGHT
from vfiscope.sources.images.image_header import read_header
from vfiscope.sources.images.image_source import decode_opaque, read_image
from vfiscope.sources.open import open_source
from vfiscope.sources.source import Counts, Source
from vfiscope.sources.video.clock_parts import PartClock
from vfiscope.sources.video.color import decide
from vfiscope.sources.video.container import VideoFile, is_picture, opened
from vfiscope.sources.video.decode import Progress, decode
from vfiscope.sources.video.frame_claims import Claims
from vfiscope.sources.video.integrity import failed_checksums
from vfiscope.types import Code, Note, SourceInfo, Status

__all__ = ["Examination", "Timing", "examine"]

MAX_KINDS = 4096
"""Distinct intervals that are counted."""


@dataclass(frozen=True)
class Timing:
    """Statistics of the presentation times of a video."""

    start_s: float = 0.0
    duration_s: float = 0.0
    """From the first frame to the last, plus one median interval."""
    interval_s: float | None = None
    """The median of the intervals."""
    rate: float | None = None
    """Frames per second from the first frame to the last, gaps included."""
    intervals: Mapping[float, int] = field(default_factory=dict)
    """{seconds: how often}, the most frequent first."""
    constant: bool = True
    """True if all intervals but gaps equal the median one, to a tick of the time base."""
    gaps: int = 0
    """Places where frames are missing at an otherwise constant rate."""
    gap_frames: int = 0
    missing: int = 0
    repeated: int = 0
    backward: int = 0
    negative: int = 0
    restart: int | None = None
    """Ordinal of the frame at which the clock first starts again, as in joined files; times are
    counted on from there."""


@dataclass(frozen=True)
class Examination:
    """What a medium actually contains."""

    info: SourceInfo
    container: str
    """The format by its content, as FFmpeg or Pillow names it."""
    frames: int
    """Frames, or images that can be read."""
    skipped: int
    corrupt: int
    undecodable: int
    """Packets, or images, that should have given a frame and did not."""
    broken: int
    """Packets that the demuxer reports as damaged."""
    lost: int
    """Packets that gave neither a frame nor an error."""
    formats: Mapping[str, int]
    """{pixel format or kind of image: frames}"""
    sizes: Mapping[tuple[int, int], int]
    """{(height, width) as stored: frames}"""
    colors: Mapping[str, int]
    """{"matrix range transfer": frames}"""
    surplus: int = 0
    """Frames beyond an exact claim of the container."""
    interlaced: int = 0
    covers: int = 0
    starts_with_key: bool = True
    turned: int = 0
    """Images with an EXIF orientation other than upright."""
    timing: Timing | None = None
    borders: Borders | None = None
    """Of what is shown, with its black bars; None where frames are of several sizes or cannot be
    read."""
    failure: Note | None = None
    """Why reading ended early, or what is wrong with the first image that cannot be read."""


def examine(path: str) -> Examination:
    """Read a video or a set of images from the first frame to the last.

    Raises:
        SourceError: it cannot be opened at all.
    """
    with open_source(path, tonemap="none") as source:
        info, borders = source.info, _borders(source)
    found = _examine_video(info) if info.kind == "video" else _examine_images(info)
    return replace(found, borders=borders)


def _borders(source: Source) -> Borders | None:
    """The borders of a source; None where its frames are of several sizes or cannot be read."""
    try:
        return look(source)
    except SourceError:
        return None


# ------------------------------------------------------------------------------------------ a video


@dataclass
class _Tally:
    clock: PartClock
    counts: Counts = field(default_factory=Counts)
    formats: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    colors: Counter[str] = field(default_factory=Counter)
    intervals: Counter[int] = field(default_factory=Counter)
    ends: list[int] = field(default_factory=list)
    """The first presentation time and the latest."""
    missing: int = 0
    negative: int = 0
    interlaced: int = 0
    restart: int | None = None
    """Ordinal of the first frame after the clock first started again."""

    def add(self, frame: av.VideoFrame, path: str, part: int) -> None:
        self.interlaced += frame.interlaced_frame
        self.formats[frame.format.name] += 1
        self.sizes[frame.height, frame.width] += 1
        color = decide(frame, path)
        self.colors[f"{color.matrix} {color.range} {color.transfer}"] += 1
        self._time(frame.pts, part)

    def _time(self, pts: int | None, part: int) -> None:
        before = self.clock.part
        time = self.clock.count(pts, part)
        if pts is None:
            self.missing += 1
            return
        self.negative += pts < 0
        if self.clock.part != before and self.restart is None:
            self.restart = self.counts.decoded - 1
        if self.ends:
            interval = time - self.ends[-1]
            if interval in self.intervals or len(self.intervals) < MAX_KINDS:
                self.intervals[interval] += 1
        self.ends = [self.ends[0] if self.ends else time, time]


def _examine_video(info: SourceInfo) -> Examination:
    tally, failure = _Tally(PartClock.of(info.rate, info.time_base)), None
    video = VideoFile(info.path)
    with opened(video) as (container, stream):
        name = container.format.name
        covers = sum(is_picture(video) for video in container.streams.video)
        claims = Claims.of(container, stream, stream.frames, None, None)
        starts_with_key = _starts_with_key(container.demux(stream))
    try:
        with closing(decode(video, Progress(tally.counts))) as places:
            for place in places:
                if place.frame is not None:
                    tally.add(place.frame, info.path, place.part)
                del place
        failure = tally.counts.given_up(info.path)
        tally.counts.lost += claims.unseen(info.path, tally.counts.packets)
        failed = failed_checksums(info.path)
        info = info if failed is None else replace(info, damage=(*info.damage, failed))
    except SourceError as error:
        failure = Note(DoctorCode.READING_ENDS_EARLY, {"reason": str(error)})
    return Examination(
        info=info,
        container=name,
        frames=tally.counts.decoded,
        skipped=tally.counts.skipped,
        corrupt=tally.counts.corrupt,
        undecodable=tally.counts.undecodable + tally.counts.unreadable,
        broken=tally.counts.broken,
        lost=tally.counts.lost,
        surplus=claims.surplus(tally.counts.decoded + tally.counts.unreadable),
        formats=dict(tally.formats.most_common()),
        sizes=dict(tally.sizes.most_common()),
        colors=dict(tally.colors.most_common()),
        interlaced=tally.interlaced,
        covers=covers,
        starts_with_key=starts_with_key,
        timing=_timing(tally, info.time_base),
        failure=failure,
    )


def _starts_with_key(packets: Iterable[Any]) -> bool:
    try:
        return all(packet.is_keyframe for packet in [next(iter(packets))])
    except (StopIteration, av.FFmpegError):
        return True  # no finding here: the decoder counts what it cannot read


def _timing(tally: _Tally, time_base: Fraction) -> Timing:
    intervals = tally.intervals
    if not tally.ends:
        return Timing(missing=tally.missing)
    usual = sorted(intervals.elements())[sum(intervals.values()) // 2] if intervals else 0
    forward = {ticks: count for ticks, count in intervals.items() if ticks > 0}
    jumps = {
        ticks: count for ticks, count in forward.items() if usual > 0 and 2 * ticks >= 3 * usual
    }
    whole = all(abs(ticks - usual * round(ticks / usual)) <= 1 for ticks in jumps)
    even = all(abs(ticks - usual) <= 1 for ticks in forward if ticks not in jumps)
    constant = even and whole
    return Timing(
        start_s=float(tally.ends[0] * time_base),
        duration_s=float((tally.ends[1] - tally.ends[0] + max(usual, 0)) * time_base),
        interval_s=float(usual * time_base) if usual > 0 else None,
        rate=_mean_rate(tally, time_base),
        intervals={float(ticks * time_base): count for ticks, count in intervals.most_common()},
        constant=constant,
        gaps=sum(jumps.values()) if constant else 0,
        gap_frames=sum((round(ticks / usual) - 1) * count for ticks, count in jumps.items())
        if constant
        else 0,
        missing=tally.missing,
        repeated=intervals[0],
        backward=sum(count for ticks, count in intervals.items() if ticks < 0),
        negative=tally.negative,
        restart=tally.restart,
    )


def _mean_rate(tally: _Tally, time_base: Fraction) -> float | None:
    length = (tally.ends[1] - tally.ends[0]) * time_base
    return float((tally.counts.decoded - tally.missing - 1) / length) if length > 0 else None


# ------------------------------------------------------------------------------------------- images


def _examine_images(info: SourceInfo) -> Examination:
    if not info.files:
        return _examine_pages(info)
    formats: Counter[str] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    turned, deep = 0, Counter[int]()
    failures: list[Note] = []
    several: list[Note] = []
    alpha: list[Note] = []
    for file in info.files:
        try:
            header, data = read_image(file)
            _, transparent = decode_opaque(header, data, file)
        except SourceError as error:
            failures.append(Note(Code.IMAGE_UNREADABLE, {"reason": str(error)}))
            continue
        formats[header.format] += 1
        if header.pages > 1 and not several:
            values = {"file": os.path.basename(file), "pages": header.pages}
            several.append(Note(Code.IMAGE_PAGES, values))
        if transparent and not alpha:
            alpha.append(Note(Code.IMAGE_TRANSPARENT, {"file": os.path.basename(file)}))
        sizes[header.height, header.width] += 1
        turned += header.orientation != UPRIGHT
        deep[header.bit_depth] += 1
    return Examination(
        info=replace(info, notes=(*info.notes, *several, *alpha)),
        container=formats.most_common(1)[0][0] if formats else "unknown",
        frames=sum(formats.values()),
        skipped=0,
        corrupt=0,
        undecodable=len(failures),
        broken=0,
        lost=0,
        formats=dict(formats.most_common()),
        sizes=dict(sizes.most_common()),
        colors={f"rgb full, {bits} bit": count for bits, count in deep.most_common()},
        turned=turned,
        failure=failures[0] if failures else None,
    )


def _examine_pages(info: SourceInfo) -> Examination:
    """A single file of several images."""
    statuses: Counter[Status] = Counter()
    failure = None
    with open_regular(info.path) as stream:
        form = read_header(stream, info.path).format
    with open_source(info.path) as source:
        try:
            statuses.update(
                single.status for single in source.singles(range(info.frames_expected or 0))
            )
        except SourceError as error:
            failure = Note(DoctorCode.READING_ENDS_EARLY, {"reason": str(error)})
        alpha, unread = (
            [note for note in source.info.notes if note.code == code]
            for code in (Code.IMAGE_TRANSPARENT, Code.IMAGE_UNREADABLE)
        )
    frames = statuses[Status.OK]
    return Examination(
        info=replace(info, notes=(*info.notes, *alpha)),
        container=form,
        frames=frames,
        skipped=0,
        corrupt=0,
        undecodable=statuses[Status.UNREADABLE],
        broken=0,
        lost=0,
        formats={form: frames},
        sizes={(info.height, info.width): frames},
        colors={f"rgb full, {info.bit_depth} bit": frames},
        failure=failure or (unread[0] if unread else None),
    )
