"""Single frames of a video through its keyframes, each proved to be the one that reading the whole
gives.

Nothing that a container or a codec promises about keyframes makes a frame right: groups may be
open, parameter sets may have changed, an index may point elsewhere. So nothing of it is believed.
The first pass notes the time and a checksum of every frame that it decodes; a frame that seeking
finds is taken only if both agree, and where they do not, the caller decodes from the start.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from typing import Literal, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.sources.source import Counts
from vfiscope.sources.video.container import opened
from vfiscope.sources.video.decode import Decoded
from vfiscope.sources.video.deinterlace import deinterlace_frames
from vfiscope.types import NOT_WHOLE, SeekTable

__all__ = ["Disagreement", "FirstPass", "can_seek", "seek"]

Skip = Literal["NONREF", "DEFAULT"]
SKIPS: tuple[Skip, ...] = ("NONREF", "DEFAULT")
"""What a decoder may leave out on the way to a frame: first those that no other frame refers to,
which halves the work; where a decoder takes that otherwise than meant, nothing."""
BEFORE, AFTER = 2, 1
"""Frames around one that bwdif looks at; one more before it, because its first frame is special."""


class Disagreement(Exception):
    """What seeking gave is not what the first pass noted; the caller decodes from the start."""


class Sought(NamedTuple):
    """A frame that was found, and its decode ordinal."""

    ordinal: int
    place: Decoded


class FirstPass:
    """Notes what is needed to find frames again, while they are decoded one after the other."""

    def __init__(self) -> None:
        self.keyframes: list[tuple[int | None, int | None]] = []
        """(dts, pts) of the keyframes among the packets so far."""
        self.ended = False
        self._pts, self._checksums = array("q"), array("q")

    def noted(self, places: Generator[Decoded]) -> Generator[Decoded]:
        """The same places, with the checksum of each noted."""
        with closing(places):
            for place in places:
                whole = place.frame is not None and place.pts is not None and not place.damaged
                self._checksums.append(
                    _checksum(place.frame) if place.frame is not None and whole else NOT_WHOLE
                )
                yield place
                del place

    def stamp(self, pts: int) -> None:
        """Note the time of the next frame."""
        self._pts.append(pts)

    def table(self) -> SeekTable:
        """What was noted so far; keyframes that were only read ahead are left out."""
        n = len(self._pts)
        pts = np.array(self._pts, np.int64)
        last = int(pts.max()) if n else 0
        keys = [
            (pts if dts is None else dts, pts)
            for dts, pts in self.keyframes
            if pts is not None and n and pts <= last
        ]
        columns = np.array(keys, np.int64).reshape(-1, 2)
        checksums = np.array(self._checksums[:n], np.int64)
        return SeekTable(pts, checksums, columns[:, 1].copy(), columns[:, 0].copy(), self.ended)


def _checksum(frame: av.VideoFrame) -> int:
    """CRC-32 of the samples of a frame, and of all that decides how they are read as RGB."""
    name, size = frame.format.name, (frame.width, frame.height)
    color = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
    head = (name, size, [int(tag) for tag in color], frame.interlaced_frame)
    found = zlib.crc32(repr(head).encode())
    for number, plane in enumerate(frame.planes):
        lines = np.frombuffer(memoryview(plane), np.uint8)
        if not (frame.format.has_palette and number):
            # What stands behind the end of a line is padding that nothing defines.
            lines = lines[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
            lines = np.ascontiguousarray(lines[:, : _line_bytes(frame, number, plane.width)])
        found = zlib.crc32(lines.data, found)
    return found


def _line_bytes(frame: av.VideoFrame, number: int, width: int) -> int:
    video_format = frame.format
    if video_format.has_palette:
        return width
    if len(frame.planes) == 1:
        return -(-width * video_format.padded_bits_per_pixel // 8)
    own = [part for part in video_format.components if part.plane == number]
    return sum(width * -(-part.bits // 8) for part in own)


def can_seek(table: SeekTable | None, ordinal: int, *, neighbours: bool) -> bool:
    """Whether it is worth the try to find a frame by seeking.

    Args:
        table: of the first pass, None where there was none.
        ordinal: of the frame.
        neighbours: whether the frames beside it are needed, to deinterlace it.
    """
    if table is None or ordinal >= len(table) or not len(table.keyframe_pts):
        return False
    if neighbours and ordinal + AFTER >= len(table) and not table.ended:
        return False
    around = _around(ordinal, table) if neighbours else range(ordinal, ordinal + 1)
    return bool((table.checksum[around.start : around.stop] != NOT_WHOLE).all()) and table.rises


def _around(ordinal: int, table: SeekTable) -> range:
    return range(max(0, ordinal - BEFORE), min(len(table), ordinal + AFTER + 1))


def seek(
    path: str,
    number: int | None,
    table: SeekTable,
    ordinals: Sequence[int],
    *,
    deinterlace: bool = False,
) -> Generator[Sought]:
    """Those frames, each as the first pass had it.

    Args:
        path: of the video.
        number: of the stream, None for the best.
        table: of the first pass over the same file.
        ordinals: rising, each of them one that :func:`can_seek` agrees to.
        deinterlace: whether interlaced frames are made whole from their neighbours, which are
            sought and compared too.

    Raises:
        Disagreement: a frame is not found, or is another one than the first pass had.
        SourceError: the file cannot be opened.
    """
    if deinterlace:
        yield from _deinterlaced(path, number, table, ordinals)
        return
    left, failed = list(ordinals), ""
    for skip in SKIPS:
        try:
            with _opened_fast(path, number) as (container, stream):
                for found in _sought(container, stream, table, tuple(left), skip):
                    yield found
                    left.remove(found.ordinal)
            return
        except (Disagreement, av.FFmpegError, OSError) as error:
            failed = str(error)
    raise Disagreement(failed)


def _deinterlaced(
    path: str, number: int | None, table: SeekTable, ordinals: Sequence[int]
) -> Generator[Sought]:
    wanted = set(ordinals)
    needed = sorted({i for ordinal in ordinals for i in _around(ordinal, table)})
    with closing(seek(path, number, table, needed)) as found:
        for _, numbered in groupby(enumerate(needed), lambda at: at[1] - at[0]):
            following = [ordinal for _, ordinal in numbered]
            places = (next(found).place for _ in following)
            whole = deinterlace_frames(places, Counts())
            for ordinal, place in zip(following, whole, strict=True):
                if ordinal in wanted:
                    yield Sought(ordinal, place)


@contextmanager
def _opened_fast(path: str, number: int | None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """As :func:`opened`, with several frames decoded at once: what damage that would conceal
    otherwise does not pass the comparison."""
    with opened(path, number) as (container, stream):
        stream.thread_type = "AUTO"
        try:
            yield container, stream
        finally:
            # It waits for the threads without holding Python's lock, which they need to report an
            # error; freeing the decoder would hold it.
            stream.codec_context.flush_buffers()


def _sought(
    container: InputContainer,
    stream: VideoStream,
    table: SeekTable,
    ordinals: Sequence[int],
    skip: Skip,
) -> Iterator[Sought]:
    """As :func:`seek`, from an open container."""
    keyframes = table.keyframe_pts.tolist()

    def entry(ordinal: int) -> int:
        return bisect_right(keyframes, table.pts[ordinal]) - 1

    for key, group in groupby(ordinals, entry):
        # Frames before the first keyframe are of a group that began before the recording.
        container.seek(int(table.keyframe_dts[max(0, key)]), stream=stream)
        yield from _group(container, stream, table, list(group), skip)


def _group(
    container: InputContainer,
    stream: VideoStream,
    table: SeekTable,
    ordinals: list[int],
    skip: Skip,
) -> Iterator[Sought]:
    """Rising frames of one group, decoded from where the container stands now."""
    wanted = {int(table.pts[ordinal]): ordinal for ordinal in ordinals}
    last, begun = max(wanted), False
    for packet in container.demux(stream):
        begun = begun or packet.is_keyframe
        if not begun and packet.size:
            continue
        stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else skip
        for frame in packet.decode():
            ordinal = None if frame.pts is None else wanted.pop(frame.pts, None)
            if ordinal is not None:
                if frame.is_corrupt or _checksum(frame) != table.checksum[ordinal]:
                    raise Disagreement(f"frame {ordinal} comes out otherwise")
                yield Sought(ordinal, Decoded(frame, frame.pts, damaged=False))
            # Frames come out in the order of their times: what is late will not come.
            if wanted and frame.pts is not None and frame.pts > last:
                raise Disagreement(f"frame {min(wanted.values())} does not come out")
        if not wanted:
            return
    raise Disagreement(f"frame {min(wanted.values())} does not come out")
