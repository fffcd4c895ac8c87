"""Raw video: frames without any header, whose size and pixel format are told by options."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import get_args

import av
import numpy as np

from vfiscope.errors import SourceError, UsageError
from vfiscope.files import open_regular
from vfiscope.options.reading_options import RawFormat
from vfiscope.sources.selection import Options
from vfiscope.sources.video.y4m import Y4M_MAGIC

__all__ = ["RawVideo", "is_raw_name", "raw_video"]

SUFFIXES = (".yuv", ".raw", ".rgb", ".i420", ".nv12", ".gray")
SIZE_IN_NAME = re.compile(r"(?<![0-9])([1-9][0-9]{1,4})x([1-9][0-9]{1,4})(?![0-9])")
FORMATS: tuple[str, ...] = get_args(RawFormat)
CHECKED_BYTES = 2**20
TEN_BITS_END = 1 << 10
LOW_HIGH_BYTE = 3
"""Largest high byte of a sample of 10 bits."""
TYPICAL_SHARE = 0.5
"""Of the samples of a frame: so many low bytes are larger than any high one, unless it is black."""


@dataclass(frozen=True)
class RawVideo:
    """How the bytes of a file are to be read as frames."""

    width: int
    height: int
    pix_fmt: str
    rate: Fraction

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame, without any padding."""
        form = av.VideoFormat(self.pix_fmt, self.width, self.height)
        return sum(each.width * each.height * -(-each.bits // 8) for each in form.components)

    def as_options(self) -> dict[str, str]:
        """Options of FFmpeg's demuxer."""
        size = f"{self.width}x{self.height}"
        return {"video_size": size, "pixel_format": self.pix_fmt, "framerate": str(self.rate)}

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.pix_fmt}"


def is_raw_name(path: str) -> bool:
    """True for a name that raw video has."""
    return path.lower().endswith(SUFFIXES)


def raw_video(path: str, options: Options) -> RawVideo | None:
    """How to read a file of raw video; None for a file that has a header.

    Raises:
        SourceError: the options are not told, or do not fit the file.
        UsageError: only one of them is told.
    """
    if not is_raw_name(path) or _part(path, len(Y4M_MAGIC)) == Y4M_MAGIC:
        return None
    if options.raw_size is None and options.raw_format is None:
        raise SourceError(_hint(path))
    if options.raw_size is None or options.raw_format is None:
        missing = "--raw-size WIDTHxHEIGHT" if options.raw_size is None else "--raw-format"
        raise UsageError(f"raw video needs a size and a format: pass {missing} too")
    width, height = options.raw_size
    raw = RawVideo(width, height, options.raw_format, options.fps)
    _check_length(path, raw)
    _check_depth(path, raw)
    return raw


def _part(path: str, count: int, start: int = 0) -> bytes:
    try:
        with open_regular(path) as file:
            file.seek(start)
            return file.read(count)
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error


def _hint(path: str) -> str:
    found = SIZE_IN_NAME.findall(os.path.basename(path))
    size = "x".join(found[-1]) if found else "WIDTHxHEIGHT"
    return (
        f"{path} is raw video, which has no header: tell score, scan or open_source what it holds,"
        f" such as --raw-size {size} --raw-format yuv420p --fps 25, or make a Y4M of it: ffmpeg -f"
        f" rawvideo -video_size {size} -pixel_format yuv420p -framerate 25 -i IN.yuv OUT.y4m"
    )


def _check_length(path: str, raw: RawVideo) -> None:
    size, frame = os.path.getsize(path), raw.frame_bytes
    if size % frame == 0:
        return
    others = [RawVideo(raw.width, raw.height, name, raw.rate) for name in FORMATS]
    fitting = [each.pix_fmt for each in others if size % each.frame_bytes == 0]
    fits = f" ({', '.join(fitting)} would fit)" if fitting else ""
    raise SourceError(
        f"{path} has {size} bytes, which is {size / frame:.2f} frames of {raw} ({frame} bytes"
        f" each): check --raw-size and --raw-format{fits}, or cut the file to whole frames"
    )


def _check_depth(path: str, raw: RawVideo) -> None:
    """Refuse samples of two bytes that are read as one, and the reverse, from the first frame and
    the one in the middle. Black ones tell nothing, so some of the samples must be typical."""
    middle = os.path.getsize(path) // raw.frame_bytes // 2 * raw.frame_bytes
    count = min(CHECKED_BYTES, raw.frame_bytes // 2 * 2)
    starts = (0, (middle + raw.frame_bytes // 4) // 2 * 2)
    pieces = [np.frombuffer(_part(path, count, at), np.uint8) for at in starts]
    if raw.pix_fmt.endswith("p10le"):
        highest = max(int(piece.view("<u2").max()) for piece in pieces)
        if highest >= TEN_BITS_END:
            raise SourceError(
                f"{path} holds the value {highest}, and 10 bits end at {TEN_BITS_END - 1}: check"
                f" --raw-format {raw.pix_fmt}, of 8 bits it is {raw.pix_fmt.removesuffix('10le')}"
            )
    if raw.pix_fmt + "10le" in FORMATS:
        highest = max(int(piece[1::2].max()) for piece in pieces)
        typical = max(float((piece[::2] > LOW_HIGH_BYTE).mean()) for piece in pieces)
        if highest <= LOW_HIGH_BYTE and typical >= TYPICAL_SHARE:
            raise SourceError(
                f"in {path} every second byte is at most {highest}, as in samples of 10 bits: check"
                f" --raw-format {raw.pix_fmt}, of 10 bits it is {raw.pix_fmt}10le"
            )
