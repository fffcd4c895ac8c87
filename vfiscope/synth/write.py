"""Writing frames as a video or as image files, one frame at a time."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.synth.clip import Clip

__all__ = ["write_images", "write_video"]

CRF_CODECS = frozenset(
    {"libx264", "libx264rgb", "libx265", "libvpx-vp9", "libsvtav1", "libaom-av1"}
)
CRF = 18
REPEATABLE = {"libx264": {"mbtree": "0"}, "libx264rgb": {"mbtree": "0"}}
"""x264 gives other bytes at every run where its macroblock tree meets B-frames, even with one
thread."""
HD_HEIGHT = 720
"""From this height on a video is BT.709 unless said otherwise, below it BT.601."""


@dataclass(frozen=True)
class _Matrix:
    """The names of a matrix in swscale and in ISO 23091-2 tags (primaries, transfer, matrix)."""

    swscale: Colorspace
    primaries: int
    transfer: int
    matrix: int


ENCODER_MATRICES = {
    "bt709": _Matrix(Colorspace.ITU709, 1, 1, 1),
    "bt601": _Matrix(Colorspace.ITU601, 6, 6, 6),
}
RGB_MATRIX = 0
MP4 = frozenset({".mp4", ".mov", ".m4v"})
COLOR_RANGES = {"limited": ColorRange.MPEG, "full": ColorRange.JPEG}


def write_video(
    path: str | Path,
    frames: Iterable[NDArray[Any]] | Clip,
    *,
    rate: Fraction | float | int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    crf: int | None = None,
    pts: Iterable[int] | None = None,
    time_base: Fraction | None = None,
    matrix: str = "auto",
    color_range: str = "limited",
    tagged: bool = True,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Encode frames as they come, holding none; an existing file is replaced once the new one is
    complete.

    The same frames and settings give the same bytes with the same encoder: one thread, no dates or
    versions of the muxer. Files in the MP4 family have their index in front.

    Args:
        path: the extension chooses the container. Matroska keeps times in whole milliseconds, MP4
            exactly.
        frames: (H, W, 3) RGB, uint8, or uint16 over the full 16 bits; all of one size. A clip is
            written at its own times where ``pts`` is not given.
        rate: frames per second, used where ``pts`` is not given.
        codec: name of an FFmpeg encoder.
        pix_fmt: FFmpeg pixel format in the file.
        crf: constant rate factor; None is 18 for the codecs that have one.
        pts: time of each frame in ``time_base`` units, strictly increasing, as many as frames.
        time_base: seconds per unit of ``pts``; None is 1 / rate.
        matrix: "bt709", "bt601", or "auto": BT.709 from 720 rows on. Used in the conversion, not
            only written.
        color_range: "limited" or "full".
        tagged: False leaves matrix and range out of the file.
        options: further options of the encoder.

    Returns:
        The path.

    Raises:
        UsageError: no frames; frames of different sizes; times missing, spare or not increasing; a
            codec, format or option that FFmpeg does not take. An existing file at ``path`` stays
            unchanged then.
    """
    path = Path(path)
    if isinstance(frames, Clip):
        if pts is None:
            pts, time_base, rate = frames.pts.tolist(), frames.time_base, frames.rate
        frames = frames.frames
    if matrix not in ("auto", *ENCODER_MATRICES):
        raise UsageError(f"matrix is {matrix!r}: choose one of auto, {', '.join(ENCODER_MATRICES)}")
    if color_range not in COLOR_RANGES:
        raise UsageError(f"color_range is {color_range!r}: choose one of {', '.join(COLOR_RANGES)}")
    if not rate > 0:
        raise UsageError(f"rate is {rate}: pass frames per second above 0")
    if crf is not None and codec not in CRF_CODECS:
        raise UsageError(f"crf is {crf}, but {codec} has none: leave it out")
    exact_rate = Fraction(rate).limit_denominator(1001)
    if crf is None and codec in CRF_CODECS:
        crf = CRF
    quality = {} if crf is None else {"crf": str(crf)}
    settings = {**REPEATABLE.get(codec, {}), **quality, **(options or {})}
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    encoder = _Encoder(
        part, codec, pix_fmt, exact_rate, time_base or 1 / exact_rate, matrix, color_range, tagged
    )
    try:
        encoder.run(_timed(frames, pts), settings)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def write_images(
    folder: str | Path,
    frames: Iterable[NDArray[np.uint8]] | Clip,
    pattern: str = "frame_%04d.png",
    *,
    quality: int = 95,
    first: int = 0,
) -> list[Path]:
    """Write each frame as an image file; the folder is made where it is missing.

    Args:
        frames: (H, W, 3) uint8 RGB; uint16 too where the format takes it (png, tiff); or a clip.
        pattern: file name with one printf number; the extension chooses the format.
        quality: 1..100, of JPEG and WebP.
        first: the number of the first image.

    Returns:
        The paths in order.

    Raises:
        UsageError: the pattern has no number or an unknown extension, or a frame is not RGB.
    """
    folder = Path(folder)
    try:
        distinct = (pattern % 0) != (pattern % 1)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"pattern is {pattern!r}: pass a name with one number, as in frame_%04d.png"
        ) from error
    if not distinct or Path(pattern).suffix.lower() not in {
        ".png",
        ".jpg",
        ".jpeg",
        ".tif",
        ".tiff",
        ".webp",
        ".bmp",
    }:
        raise UsageError(
            f"pattern is {pattern!r}: pass a name with one number and an extension: frame_%04d.png"
        )
    folder.mkdir(parents=True, exist_ok=True)
    options = (
        [cv2.IMWRITE_JPEG_QUALITY, quality]
        if Path(pattern).suffix.lower() in {".jpg", ".jpeg"}
        else []
    )
    if Path(pattern).suffix.lower() == ".webp":
        options = [cv2.IMWRITE_WEBP_QUALITY, quality]
    paths = []
    for number, frame in enumerate(frames.frames if isinstance(frames, Clip) else frames, first):
        _check_frame(frame, None)
        _, data = cv2.imencode(
            Path(pattern).suffix, np.ascontiguousarray(frame[..., ::-1]), options
        )
        paths.append(folder / (pattern % number))
        paths[-1].write_bytes(data.tobytes())
    return paths


def _timed(
    frames: Iterable[NDArray[Any]], pts: Iterable[int] | None
) -> Iterator[tuple[NDArray[Any], int]]:
    """Frames with their times, checked on the way."""
    last: int | None = None
    size: tuple[int, ...] | None = None
    spare = object()
    pairs: Iterator[tuple[Any, Any]]
    pairs = (
        zip(frames, itertools.count())
        if pts is None
        else itertools.zip_longest(frames, pts, fillvalue=spare)
    )
    for frame, time in pairs:
        if frame is spare or time is spare:
            missing = "frames" if frame is spare else "pts"
            raise UsageError(
                f"there are fewer {missing} than {'pts' if frame is spare else 'frames'}: pass as"
                " many"
            )
        if last is not None and time <= last:
            raise UsageError(
                f"pts {time} follows {last}: pass each frame a later time than the one before it"
            )
        _check_frame(frame, size)
        last, size = int(time), frame.shape
        yield frame, last


def _mux(container: Any, packets: Iterable[Any], duration: int) -> None:
    """Packets into the file; the last of all keeps its duration, the others are as long as the next
    one is away."""
    for packet in packets:
        packet.duration = duration
        container.mux(packet)


def _check_frame(frame: NDArray[Any], shape: tuple[int, ...] | None) -> None:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype not in (np.uint8, np.uint16):
        raise UsageError(f"frame is {frame.shape} {frame.dtype}: pass (H, W, 3) uint8 or uint16")
    if shape is not None and frame.shape != shape:
        raise UsageError(
            f"frame is {frame.shape} where the first was {shape}: pass frames of one size"
        )


@dataclass(frozen=True)
class _Encoder:
    path: Path
    codec: str
    pix_fmt: str
    rate: Fraction
    time_base: Fraction
    matrix: str
    color_range: str
    tagged: bool
    converter: VideoReformatter = field(default_factory=VideoReformatter)

    def run(self, timed: Iterator[tuple[NDArray[Any], int]], settings: dict[str, str]) -> None:
        """Encode to the end."""
        first = next(timed, None)
        if first is None:
            raise UsageError("there are no frames to write: pass at least one")
        height, width = first[0].shape[:2]
        if "420" in self.pix_fmt and (height % 2 or width % 2):
            raise UsageError(
                f"frames are {height} x {width}, odd sizes do not fit {self.pix_fmt}: use yuv444p"
            )
        muxer = {"fflags": "+bitexact"}
        if self.path.suffix.lower() in MP4:
            muxer |= {
                "movflags": "+faststart",
                "video_track_timescale": str(self.time_base.denominator),
            }
        with self._explained(settings):
            container = av.open(str(self.path), "w", options=muxer)
        with container:
            with self._explained(settings):
                stream = self._stream(container, height, width, settings)
                stream.codec_context.open()
            if stream.codec_context.options:
                unknown = ", ".join(stream.codec_context.options)
                raise UsageError(f"{self.codec} has no option {unknown}: leave it out of options")
            last, gap = None, round(1 / (self.rate * self.time_base))
            for frame, time in itertools.chain([first], timed):
                gap, last = (gap if last is None else time - last), time
                with self._explained(settings):
                    _mux(container, stream.encode(self._converted(frame, time)), gap)
            with self._explained(settings):
                _mux(container, stream.encode(None), gap)
                container.close()

    @contextlib.contextmanager
    def _explained(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Errors of FFmpeg as one line that says what was asked of it; errors of the caller's
        frames stay theirs."""
        try:
            yield
        except (av.FFmpegError, av.codec.codec.UnknownCodecError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise UsageError(
                f"{self.codec} {self.pix_fmt} {dict(settings)} cannot be written to"
                f" {self.path.parent} as {self.path.suffix}: {reason}: pass another codec, pix_fmt,"
                " option or path"
            ) from error

    def _stream(self, container: Any, height: int, width: int, settings: dict[str, str]) -> Any:
        stream = container.add_stream(self.codec, rate=self.rate, options=settings)
        stream.width, stream.height, stream.pix_fmt = width, height, self.pix_fmt
        context = stream.codec_context
        context.thread_count = 1
        context.time_base = stream.time_base = self.time_base
        context.flags |= int(av.codec.context.Flags.bitexact)
        if self.tagged:
            tags = self._matrix(height)
            context.color_primaries, context.color_trc = tags.primaries, tags.transfer
            context.colorspace = RGB_MATRIX if self._is_rgb else tags.matrix
            context.color_range = self._range
        return stream

    @property
    def _is_rgb(self) -> bool:
        return bool(av.VideoFormat(self.pix_fmt).is_rgb)

    @property
    def _range(self) -> ColorRange:
        return ColorRange.JPEG if self._is_rgb else COLOR_RANGES[self.color_range]

    def _matrix(self, height: int) -> _Matrix:
        name = (
            ("bt709" if height >= HD_HEIGHT else "bt601") if self.matrix == "auto" else self.matrix
        )
        return ENCODER_MATRICES[name]

    def _converted(self, frame: NDArray[Any], time: int) -> Any:
        source = "rgb24" if frame.dtype == np.uint8 else "rgb48le"
        out = self.converter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=source),
            format=self.pix_fmt,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=self._matrix(frame.shape[0]).swscale,
            dst_color_range=self._range,
            threads=1,
        )
        out.pts, out.time_base = time, self.time_base
        return out
