"""Open the container of a video: the allowed formats, and the choice of the stream."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import av
import av.logging
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.errors import SourceError
from vfiscope.files import open_regular
from vfiscope.sources.images.image_header import MAX_PIXELS

__all__ = ["is_picture", "opened"]

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,av1,obu,"
    "ivf,flv,asf,gif,apng,mxf,nut,ogg,yuv4mpegpipe,dv,vc1,mjpeg,wtv"
)
"""Allowed demuxers. None of them follows references to other files, as playlists do."""
CONTAINER_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}


@contextmanager
def opened(path: str, number: int | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream: that with the number, else the best.

    FFmpeg gets an open file, never a name that it could interpret as an address.
    """
    _listen()
    try:
        file = open_regular(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    with file:
        try:
            container = av.open(
                file, "r", container_options=CONTAINER_OPTIONS, metadata_errors="replace"
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(
                f"{path} is not a readable video ({reason}): it may be incomplete, a playlist,"
                " or not a video"
            ) from error
        with container:
            stream = _video_stream(path, container, number)
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            stream.thread_type = "SLICE"  # frame threads conceal damage differently in every run
            yield container, stream


def _video_stream(path: str, container: InputContainer, number: int | None) -> VideoStream:
    """The video stream with a number, or the best one that is not an attached picture."""
    videos = [video for video in container.streams.video if not is_picture(video)]
    if not videos:
        raise SourceError(f"{path} has no video stream: pass a file that holds one")
    if number is not None and number not in [video.index for video in videos]:
        there = ", ".join(
            f"{video.index} ({video.codec_context.name})" for video in videos if video.codec_context
        )
        raise SourceError(f"{path} has no video stream {number}: choose from {there}")
    best = container.streams.best("video")
    wanted = number if best is None or number is not None else best.index
    stream = next((video for video in videos if video.index == wanted), videos[0])
    if stream.codec_context is None:
        raise SourceError(
            f"{path}: there is no decoder for its video stream in this build of PyAV: re-encode it"
        )
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MAX_PIXELS:
        raise SourceError(
            f"{path} has {width}x{height} pixels, more than {MAX_PIXELS}: scale it down first"
        )
    return stream


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
