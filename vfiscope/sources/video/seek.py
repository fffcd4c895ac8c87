"""Find single frames of a video through its keyframes, verified against a first full pass.

Keyframe flags are not enough to decode a frame correctly: GOPs may be open, parameter sets may have
changed, an index may point elsewhere. So the first pass records the time and a checksum of every
frame; a frame that is found by seeking is accepted only if both agree, and otherwise the caller
decodes from the start.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle, groupby
from typing import Literal, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.sources.source import Counts
from vfiscope.sources.video.checksum import checksum, has_checksum
from vfiscope.sources.video.container import VideoFile, opened
from vfiscope.sources.video.decode import Decoded
from vfiscope.sources.video.deinterlace import deinterlace_frames
from vfiscope.types import NOT_WHOLE, SeekTable

__all__ = ["Disagreement", "FirstPass", "can_seek", "seek"]

Skip = Literal["NONREF", "DEFAULT"]
SKIPS: tuple[Skip, ...] = ("NONREF", "DEFAULT")
"""Frames that the decoder may skip on the way, in the order of attempts: non-reference frames,
which halves the work; then none, for decoders that skip others too."""
DECODERS = 2
"""GOPs that are decoded at the same time."""
BEFORE, AFTER = 2, 1
"""Frames on each side that bwdif uses; one more before, because it treats its first frame
specially."""


class Disagreement(Exception):
    """Seeking found another frame than the first pass recorded; the caller decodes from the
    start."""


class Sought(NamedTuple):
    """A frame that was found, and its decode ordinal."""

    ordinal: int
    place: Decoded


class FirstPass:
    """Records a seek table during a sequential pass.

    Args:
        checks: False to save the checksums; no frame can then be sought.
    """

    def __init__(self, *, checks: bool = True) -> None:
        self._checks = checks
        self.keyframes: list[tuple[int | None, int | None]] = []
        """(dts, pts) of the keyframes among the packets so far."""
        self.ended = False
        self._pts, self._checksums = array("q"), array("q")

    def noted(self, places: Generator[Decoded]) -> Generator[Decoded]:
        """The same rows, with the checksum of each recorded."""
        with closing(places):
            for place in places:
                whole = self._checks and place.pts is not None and not place.damaged
                self._checksums.append(
                    checksum(place.frame) if place.frame is not None and whole else NOT_WHOLE
                )
                yield place
                del place

    def stamp(self, pts: int) -> None:
        """Record the time of the next frame."""
        self._pts.append(pts)

    def table(self) -> SeekTable:
        """The table so far, without keyframes that were only read ahead."""
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


def can_seek(table: SeekTable | None, ordinal: int, *, neighbours: bool) -> bool:
    """True if it makes sense to find a frame by seeking.

    Args:
        table: of the first pass, None where there was none.
        ordinal: of the frame.
        neighbours: True if the adjacent frames are needed to deinterlace it.
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
    video: VideoFile,
    table: SeekTable,
    ordinals: Sequence[int],
    *,
    deinterlace: bool = False,
) -> Generator[Sought]:
    """Yield frames, each verified to be the one of the first pass.

    Args:
        video: the stream.
        table: of the first pass over the same file.
        ordinals: rising, each of them one that :func:`can_seek` agrees to.
        deinterlace: True to deinterlace frames with their neighbours, which are then found and
            verified too.

    Raises:
        Disagreement: a frame is not found, or differs from that of the first pass.
        SourceError: the file cannot be opened.
    """
    if deinterlace:
        yield from _deinterlaced(video, table, ordinals)
        return
    left, failed = list(ordinals), ""
    for skip in SKIPS:
        try:
            with closing(_sought(video, table, tuple(left), skip)) as places:
                for found in places:
                    yield found
                    left.remove(found.ordinal)
            return
        except (Disagreement, av.FFmpegError, OSError) as error:
            failed = str(error)
    raise Disagreement(failed)


def _deinterlaced(video: VideoFile, table: SeekTable, ordinals: Sequence[int]) -> Generator[Sought]:
    wanted = set(ordinals)
    needed = sorted({i for ordinal in ordinals for i in _around(ordinal, table)})
    with closing(seek(video, table, needed)) as found:
        for _, numbered in groupby(enumerate(needed), lambda at: at[1] - at[0]):
            following = [ordinal for _, ordinal in numbered]
            places = (next(found).place for _ in following)
            whole = deinterlace_frames(places, Counts())
            for ordinal, place in zip(following, whole, strict=True):
                if ordinal in wanted:
                    yield Sought(ordinal, place)


@contextmanager
def _opened_fast(video: VideoFile, *, alone: bool) -> Iterator[tuple[InputContainer, VideoStream]]:
    """As :func:`opened`; with frame threads where no other decoder works beside it. They may
    conceal damage differently, but such frames fail the verification."""
    with opened(video) as (container, stream):
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 0 if alone else 1
        try:
            yield container, stream
        finally:
            # It waits for the threads without holding Python's lock, which they need to report an
            # error; freeing the decoder would hold it.
            stream.codec_context.flush_buffers()


def _sought(
    video: VideoFile, table: SeekTable, ordinals: Sequence[int], skip: Skip
) -> Generator[Sought]:
    """As :func:`seek`. While the frames of one GOP are taken, the way from the keyframe to the
    first frame of the next is decoded in parallel."""
    keyframes = table.keyframe_pts.tolist()

    def entry(ordinal: int) -> int:
        return bisect_right(keyframes, table.pts[ordinal]) - 1

    groups = [(key, list(group)) for key, group in groupby(ordinals, entry)]
    with ExitStack() as stack:
        several = range(min(DECODERS, len(groups)))
        decoders = [
            stack.enter_context(_opened_fast(video, alone=len(several) == 1)) for _ in several
        ]
        pool = stack.enter_context(ThreadPoolExecutor(len(decoders)))
        ahead: deque[tuple[Future[Sought], Iterator[Sought]]] = deque()
        for (key, group), (container, stream) in zip(groups, cycle(decoders), strict=False):
            if len(ahead) == len(decoders):
                yield from _taken(*ahead.popleft())
            # Frames before the first keyframe belong to a GOP that began before the recording.
            start = int(table.keyframe_dts[max(0, key)])
            found = _group(container, stream, table, start, group, skip)
            ahead.append((pool.submit(next, found), found))
        while ahead:
            yield from _taken(*ahead.popleft())


def _taken(first: Future[Sought], others: Iterator[Sought]) -> Iterator[Sought]:
    yield first.result()
    yield from others


def _group(
    container: InputContainer,
    stream: VideoStream,
    table: SeekTable,
    start: int,
    ordinals: list[int],
    skip: Skip,
) -> Iterator[Sought]:
    """Frames of one GOP in order, decoded from its keyframe, whose decoding time is ``start``."""
    container.seek(start, stream=stream)
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
                if frame.is_corrupt or not has_checksum(frame, int(table.checksum[ordinal])):
                    raise Disagreement(f"frame {ordinal} comes out otherwise")
                yield Sought(ordinal, Decoded(frame, frame.pts, damaged=False))
            # Frames come out in the order of their times: one that was passed will not come.
            if wanted and frame.pts is not None and frame.pts > last:
                raise Disagreement(f"frame {min(wanted.values())} does not come out")
        if not wanted:
            return
    raise Disagreement(f"frame {min(wanted.values())} does not come out")
