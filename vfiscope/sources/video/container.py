"""Open the container of a video: the allowed formats, and the choice of the stream."""

from __future__ import annotations

import errno
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

import av
import av.logging
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.errors import SourceError
from vfiscope.files import HDF5_MARK, open_regular
from vfiscope.sources.images.image_header import MAX_PIXELS, check_pixels
from vfiscope.sources.video.raw_video import RawVideo
from vfiscope.sources.video.y4m import y4m_size

__all__ = ["VideoFile", "is_picture", "opened", "streams_in"]

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,av1,obu,"
    "ivf,flv,asf,gif,apng,mxf,nut,ogg,yuv4mpegpipe,dv,vc1,mjpeg,wtv"
)
"""Allowed demuxers. None of them follows references to other files, as playlists do."""
FRAMES_AHEAD = 250
"""Frames of another stream after which a stream with a single frame is taken for a still."""
FEW_PIXELS = 640 * 480
"""Pixels of a frame up to which a decoder takes more processor time with threads, and no less
elapsed time."""
SENSELESS = (errno.EBUSY, errno.EINVAL, errno.ENOMEM, errno.EPERM, errno.ERANGE)
"""Codes that FFmpeg returns for what a header says, not for what the system did."""
CONTAINER_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}


class VideoFile(NamedTuple):
    """A video stream in a file."""

    path: str
    number: int | None = None
    """Of the stream; None for the best."""
    raw: RawVideo | None = None
    """How a file without a header is read."""


@contextmanager
def opened(video: VideoFile) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream.

    FFmpeg gets an open file, never a name that it could interpret as an address.
    """
    path, number, raw = video
    _listen()
    try:
        file = open_regular(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    with file, _container(path, file, raw) as container:
        if number is None and len(_videos(container)) > 1:
            with open_regular(path) as again, _container(path, again) as ahead:
                number = _best(ahead)
        stream = _video_stream(path, container, number)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.thread_type = "SLICE"  # frame threads conceal damage differently in every run
        if stream.codec_context.width * stream.codec_context.height <= FEW_PIXELS:
            stream.codec_context.thread_count = 1
        yield container, stream


def _container(path: str, file: BinaryIO, raw: RawVideo | None = None) -> InputContainer:
    """The container of an open file.

    Raises:
        SourceError: FFmpeg cannot open it.
    """
    options = CONTAINER_OPTIONS if raw is None else raw.as_options()
    form = None if raw is None else "rawvideo"
    try:
        return av.open(file, "r", format=form, container_options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        _check_y4m(path, file)
        _check_result(path, file)
        reason = getattr(error, "strerror", None) or str(error)
        if getattr(error, "errno", None) in SENSELESS:
            reason = "its header makes no sense"
        raise SourceError(
            f"{path} is not a readable video ({reason}): it may be incomplete, a playlist,"
            " or not a video"
        ) from error


def _check_result(path: str, file: BinaryIO) -> None:
    """Refuse a result of vfiscope, or another HDF5 file."""
    file.seek(0)
    if file.read(len(HDF5_MARK)) == HDF5_MARK:
        raise SourceError(
            f"{path} is an HDF5 file, such as a result: pass a video or images here, and a result"
            " to vfiscope info, plot, table or export"
        )


def _check_y4m(path: str, file: BinaryIO) -> None:
    """Refuse a Y4M file of more pixels than may be, for which FFmpeg has no words."""
    size = y4m_size(file)
    if size is not None:
        check_pixels(path, *size)


def _videos(container: InputContainer) -> list[VideoStream]:
    """The video streams that are not attached pictures."""
    return [video for video in container.streams.video if not is_picture(video)]


def _best(container: InputContainer) -> int:
    """The number of the best of several video streams: FFmpeg's choice, unless that is a still
    beside a stream of many frames. What the container claims about frames is not believed, so
    packets are counted."""
    videos = _videos(container)
    best = container.streams.best("video")
    numbers = [video.index for video in videos]
    favourite = numbers[0] if best is None or best.index not in numbers else best.index
    counted = _packets_ahead(container, videos, favourite)
    most = max(numbers, key=lambda number: counted[number])
    return most if counted[favourite] < 2 <= counted[most] else favourite


def _packets_ahead(
    container: InputContainer, videos: Sequence[VideoStream], favourite: int
) -> Counter[int]:
    """{stream: packets}, up to the second of the favourite or the last that matters."""
    counted: Counter[int] = Counter()
    with suppress(av.FFmpegError, OSError):
        for packet in container.demux(*videos):
            counted[packet.stream_index] += packet.size > 0
            if counted[favourite] > 1 or counted[packet.stream_index] >= FRAMES_AHEAD:
                break
    return counted


def _video_stream(path: str, container: InputContainer, number: int | None) -> VideoStream:
    """The video stream with a number, or the only one."""
    videos = _videos(container)
    if not videos:
        raise SourceError(f"{path} has no video stream: pass a file that holds one")
    if number is not None and number not in [video.index for video in videos]:
        raise SourceError(
            f"{path} has no video stream {number}: choose from {streams_in(container)}"
        )
    stream = next((video for video in videos if video.index == number), videos[0])
    if stream.codec_context is None:
        raise SourceError(
            f"{path}: there is no decoder for its video stream in this build of PyAV: re-encode it"
        )
    check_pixels(path, stream.codec_context.width, stream.codec_context.height)
    return stream


def streams_in(container: InputContainer) -> str:
    """The video streams as text: "0: png 320x240, 1: h264 160x120"."""
    contexts = [(video.index, video.codec_context) for video in _videos(container)]
    return ", ".join(
        f"{index}: {each.name} {each.width}x{each.height}" for index, each in contexts if each
    )


def is_picture(stream: VideoStream) -> bool:
    """True for an attached cover image, which is not the video."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _listen() -> None:
    """Route FFmpeg's errors to :class:`av.logging.Capture`, unless logging is already set up.

    Done when the first file is opened, because importing a module must not change the process.
    """
    if av.logging.get_level() is None:
        av.logging.set_level(av.logging.ERROR)
        # PyAV would drop a message that repeats the one before, even for another frame.
        av.logging.set_skip_repeated(False)
        logging.getLogger("libav").addHandler(logging.NullHandler())
        logging.getLogger("libav").propagate = False
