"""Recognise the kind of a target and open it."""

from __future__ import annotations

import glob
import io
import math
import os
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from fractions import Fraction
from typing import Any, Unpack

from vfiscope.errors import SourceError, UsageError
from vfiscope.files import open_regular
from vfiscope.options import ReadOptions
from vfiscope.options.crop import BARS, box_of
from vfiscope.options.keyword_types import options_of_reading, with_options
from vfiscope.options.keywords import ReadKeywords
from vfiscope.options.reading_options import IMAGE_RATE
from vfiscope.sources.array import ArraySource
from vfiscope.sources.array_forms import as_stack, held
from vfiscope.sources.bars import content_box
from vfiscope.sources.images.image_header import ImageHeader, read_header
from vfiscope.sources.images.image_source import ImageSource
from vfiscope.sources.images.listing import (
    Listing,
    has_pattern,
    is_image_name,
    list_folder,
    list_glob,
    list_pattern,
)
from vfiscope.sources.images.paged_files import PAGED_FORMATS
from vfiscope.sources.images.paged_source import PagedSource
from vfiscope.sources.selection import Options, Selection
from vfiscope.sources.source import Source, check_file
from vfiscope.sources.video.video_source import VideoSource

__all__ = ["is_address", "open_source", "open_with", "parse_position"]

MOVING = ("PNG", "AVIF")
"""Formats of images whose animations FFmpeg decodes as videos."""
MAX_TIME_BASE = 1001 * 1000
CLOCK = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,9}(?:\.[0-9]{1,18})?)")
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
SECONDS_PATTERN = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})s")


@with_options(options_of_reading())
def open_source(
    target: Any,
    *,
    resize: tuple[int, int, str] | None = None,
    **options: Unpack[ReadKeywords],
) -> Source:
    """Open a video, images or an array as a source of frames.

    A path that exists is a folder, an image (by its ending) or a video; one that does not exist is
    a glob where it has ``*``, ``?`` or ``[``, and a printf pattern where it has ``%d``. Names are
    always those of local files.

    Args:
        target: path, glob (``shots/*.jpg``, ``x/*/frame_01.png``), pattern (``f_%04d.png``), or a
            numpy or torch array (N, H, W, 3) or (H, W, 3), uint8 or uint16; or frames in other
            forms, see :func:`vfiscope.sources.array_forms.as_stack`.
        resize: (height, width, filter) to which frames of another size are brought; None refuses
            frames of another size than the first.
        options: listed below; of ``start`` and ``stop`` see :func:`parse_position`. ``fps`` is also
            that of videos that have neither times nor a rate.

    Raises:
        SourceError: the target cannot be read at all.
        UsageError: an option has an impossible value.
    """
    if resize is None:
        return open_with(target, ReadOptions(**options))
    height, width, name = resize
    if height < 1 or width < 1:
        raise UsageError(f"resize to {width}x{height}: pass a height and a width of 1 or more")
    return open_with(target, ReadOptions(**options, resize=name), (height, width))


def open_with(target: Any, reading: ReadOptions, size: tuple[int, int] | None = None) -> Source:
    """As :func:`open_source`, with validated options.

    Args:
        target: as there.
        reading: how to read it.
        size: (height, width) to which frames of another size are brought with the filter that
            ``reading`` names; None refuses frames of another size than the first.

    Raises:
        SourceError: the target cannot be read at all.
        UsageError: an option does not go with the target.
    """
    options = _delivery(reading, size)
    if reading.crop == BARS:
        target = held(target, _limit(options))
        with _opened(target, replace(options, resize=None, max_width=None)) as whole:
            options = replace(options, crop=content_box(whole))
    return _opened(target, options)


def _limit(options: Options) -> int | None:
    """How many frames of a generator are taken at most."""
    stop = options.selection.stop
    return stop if isinstance(stop, int) else None


def _opened(target: Any, options: Options) -> Source:
    frames = as_stack(target, _limit(options))
    if frames is not None:
        _check_images_only(options, "an array")
        _check_video_only(options, "an array")
        return ArraySource(frames, options)
    if isinstance(target, Source):
        origin = target.info.path if target.info.kind in ("video", "images") else ""
        raise SourceError(
            f"a {type(target).__name__} was opened before: pass what it was opened from,"
            f" {repr(origin) if origin else 'the array itself'}"
        )
    if not isinstance(target, (str, os.PathLike)):
        raise SourceError(f"a {type(target).__name__} is not a source: pass {_instead_of(target)}")
    path = os.fspath(target)
    if is_address(path) and not os.path.lexists(path):
        raise SourceError(
            f"{path!r} is an address, and only local files are read: download it and pass its path"
        )
    path = os.path.abspath(os.fsdecode(path)) if path else path
    listing = _listing(path)
    if listing is None:
        return _open_file(path, options)
    _check_video_only(options, path)
    return ImageSource(path, listing, options)


def _instead_of(target: Any) -> str:
    """What to pass instead of an object called x."""
    if hasattr(target, "__array__"):
        return "np.asarray(x)"
    if isinstance(target, io.IOBase):
        return "the name of the file"
    frames = isinstance(target, Iterable) and not isinstance(target, (Mapping, Set, bytes))
    return "iter(x) if it yields frames" if frames else "a path, a glob, a pattern or an array"


def _open_file(path: str, options: Options) -> Source:
    """A single file: an image, several images, or a video."""
    header = _image_header(path) if is_image_name(path) else None
    if header is not None and header.pages > 1 and header.format in PAGED_FORMATS:
        _check_images_only(options, path)
        _check_video_only(options, path)
        return PagedSource(path, header, options)
    if header is None or header.format == "GIF" or (header.pages > 1 and header.format in MOVING):
        _check_images_only(options, path)
        return VideoSource(path, options)
    _check_video_only(options, path)
    return ImageSource(path, Listing((path,), ()), options)


def _image_header(path: str) -> ImageHeader:
    """The header of an image file.

    Raises:
        SourceError: it is not an image of a known kind.
    """
    try:
        with open_regular(path) as stream:
            return read_header(stream, path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error


def _delivery(reading: ReadOptions, size: tuple[int, int] | None) -> Options:
    """The options for reading frames."""
    return Options(
        selection=Selection(
            _position("start", reading.start), _position("stop", reading.stop), reading.step
        ),
        batch=reading.batch,
        fps=1 / (1 / Fraction(reading.fps or IMAGE_RATE)).limit_denominator(MAX_TIME_BASE),
        resize=None if size is None or reading.resize is None else (*size, reading.resize),
        tonemap=reading.tonemap,
        time_from=reading.time_from,
        stream=reading.stream,
        deinterlace=reading.deinterlace,
        raw_size=_raw_size(reading.raw_size),
        raw_format=reading.raw_format,
        crop=None if reading.crop in (None, BARS) else box_of(reading.crop),
        max_width=reading.max_width,
    )


def _raw_size(size: str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    width, _, height = size.partition("x")
    return int(width), int(height)


def parse_position(value: str | int | float | None) -> int | Fraction | None:
    """The start or stop of a range: an ordinal as int, a time in seconds from the first frame as
    Fraction, or None.

    Ordinals are whole numbers and strings of digits. Times are floats, "2.5s", "1:02.5" and
    "0:01:02.5"; a float means its shortest decimal, so that 0.1 is a tenth of a second.

    Raises:
        UsageError: the value is none of these, or negative.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, float) and math.isfinite(value) and value >= 0:
        return Fraction(str(value))
    text = value.strip() if isinstance(value, str) else ""
    if re.fullmatch("[0-9]{1,18}", text):
        return int(text)
    if seconds := SECONDS_PATTERN.fullmatch(text):
        return Fraction(seconds[1])
    if clock := CLOCK.fullmatch(text):
        return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + Fraction(clock[3])
    raise UsageError(
        f"{value!r} is not a position: pass a frame number (120) or a time (2.5s, 0:01:02.5)"
    )


def _position(name: str, value: str | int | float | None) -> int | Fraction | None:
    try:
        return parse_position(value)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from error


def is_address(target: Any) -> bool:
    """True for a text that begins like a network address; it may still be the name of a file."""
    return isinstance(target, str) and ADDRESS.match(target) is not None


def _listing(path: str) -> Listing | None:
    """The image files that a path means, or None if it is a file."""
    if os.path.isdir(path):
        return list_folder(path)
    if not os.path.lexists(path):
        if glob.has_magic(path):
            return list_glob(path)
        if has_pattern(path):
            return list_pattern(path)
    check_file(path)
    return None


def _check_images_only(options: Options, what: str) -> None:
    if options.time_from not in (None, "fps"):
        raise UsageError(
            f"--time-from {options.time_from} is for image folders, and {what} is none: leave"
            " it out"
        )


def _check_video_only(options: Options, what: str) -> None:
    if options.stream is not None:
        raise UsageError(
            f"--stream {options.stream} is for videos, and {what} is none: leave it out"
        )
