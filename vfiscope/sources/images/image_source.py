"""Sequences of image files, and single images: decoded with OpenCV, their headers checked with
Pillow first."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope import config
from vfiscope.errors import FormatError, SourceError
from vfiscope.files import open_regular, rest_of
from vfiscope.pixels import is_transparent, over_black
from vfiscope.sources.images.avif import AVIF_HEAD_BYTES, avif_bits, to_full_range
from vfiscope.sources.images.capture_times import MICROSECOND
from vfiscope.sources.images.heic import heic_pixels, open_heic
from vfiscope.sources.images.image_header import DAMAGED, ImageHeader, read_header
from vfiscope.sources.images.jpeg_checks import check_scans
from vfiscope.sources.images.listing import Listing
from vfiscope.sources.images.png_checks import strip_png
from vfiscope.sources.images.time_order import Taken, taken
from vfiscope.sources.selection import Options
from vfiscope.sources.source import RGB_COLOR, Counts, Pixels, Row, Source
from vfiscope.types import Code, Note, SourceInfo, Status

__all__ = [
    "ImageSource",
    "check_like",
    "decode_image",
    "decode_opaque",
    "read_image",
    "total_size",
]

MAX_IMAGE_BYTES = 2**30
"""Larger files are not read: the pixels of the largest image that is decoded take no more."""


class ImageSource(Source):
    """Image files as a sequence, one frame each, upright by their EXIF tag, at a rate that is
    given.

    Values are taken as stored: gray and palette images become RGB, ICC profiles are not applied,
    16-bit images keep their depth, and a transparent image is composited over black. A file that
    cannot be decoded keeps its row.

    Raises:
        SourceError: no file has a readable header; while iterating: a file has another size or
        depth than the first.
    """

    def __init__(self, path: str, listing: Listing, options: Options) -> None:
        stop = options.selection.stop if isinstance(options.selection.stop, int) else None
        if len(listing.files) > config.MAX_FRAMES:
            raise SourceError(
                f"{path} holds {len(listing.files)} images, more than {config.MAX_FRAMES}: split it"
            )
        order = taken(listing.files, options.time_from, stop)
        files, end = order.files, len(order.files) if stop is None else max(1, stop)
        first, header = _first_readable(path, files)
        info = SourceInfo(
            path=path,
            kind="images",
            width=header.width,
            height=header.height,
            bit_depth=header.bit_depth,
            frames_expected=len(files),
            **_timing(order, options),
            decoder=f"OpenCV {cv2.__version__}",
            color=RGB_COLOR,
            size_bytes=total_size(files[:end]),
            files=files[:end],
            unread=files[end:],
            notes=(*_still_true(listing.notes, order), *order.notes),
            times_from=order.how,
            gaps=[
                gap
                for gap in (() if order.how else listing.gaps)
                if not options.selection.after(gap.row, gap.row / options.fps)
            ],
        )
        super().__init__(info, options)
        self._files = files
        self._first = first
        self._pts: Sequence[int] = range(len(files)) if order.moments is None else order.moments

    def _seconds(self, position: int | Fraction | None) -> float | None:
        if not isinstance(position, int) or not self._info.times_from:
            return super()._seconds(position)
        last = min(position, len(self._pts) - 1)
        return float((self._pts[last] - self._pts[0]) * self._info.time_base)

    def _rows(self, counts: Counts) -> Generator[Row]:
        pts = self._pts
        for index in range(len(self._files)):
            if index == len(pts):  # after a stop, where times were not looked for
                pts = self._times_after_stop()
            yield Row(index, pts[index], partial(self._paint, index, counts))
        counts.ended = True

    def _times_after_stop(self) -> Sequence[int]:
        whole = taken(self._files, self._options.time_from).moments
        return range(len(self._files)) if whole is None else whole

    def _paint(self, index: int, counts: Counts, out: Pixels) -> Status:
        file = self._files[index]
        try:
            header, data = read_image(file)
            pixels, transparent = decode_opaque(header, data, file)
        except SourceError as error:
            counts.unreadable += 1
            self._note(Note(Code.IMAGE_UNREADABLE, {"reason": str(error)}))
            out[...] = 0
            return Status.UNREADABLE
        name = os.path.basename(file)
        if transparent:
            self._note(Note(Code.IMAGE_TRANSPARENT, {"file": name}))
        if header.pages > 1:
            self._note(Note(Code.IMAGE_PAGES, {"file": name, "pages": header.pages}))
        check_like(file, pixels, self._first, self._info, self._options)
        self._deliver(pixels, out)
        counts.decoded += 1
        return Status.OK


def _timing(order: Taken, options: Options) -> dict[str, Any]:
    """The duration, time base and rate of images; no duration where times after a stop were not
    looked for."""
    moments, fps = order.moments, options.fps
    if moments is None:
        return {"duration_s": float(len(order.files) / fps), "time_base": 1 / fps, "rate": fps}
    whole = len(moments) == len(order.files)
    length = (moments[-1] - moments[0]) / MICROSECOND if whole else None
    return {"duration_s": length, "time_base": Fraction(1, MICROSECOND), "rate": None}


def check_like(
    name: str, pixels: NDArray[Any], first: str, info: SourceInfo, options: Options
) -> None:
    """Refuse an image that is not like the first of its source.

    Args:
        name: of the image.
        pixels: (H, W, 3), as decoded.
        first: name of the first image.
        info: of the source.
        options: whether other sizes are resized.

    Raises:
        SourceError: it has another depth, or another size that is not to be resized.
    """
    depth = 8 * pixels.dtype.itemsize
    if depth != info.bit_depth:
        raise SourceError(
            f"{name} has {depth} bits, {first} has {info.bit_depth}: convert them to one depth"
        )
    height, width = pixels.shape[:2]
    if not options.any_size and (height, width) != (info.height, info.width):
        raise SourceError(
            f"{name} is {width}x{height}, {first} is {info.width}x{info.height}: "
            "pass images of one size, or use --resize area"
            f"{'' if options.crop is None else ' without --crop'}"
        )


def total_size(files: Sequence[str]) -> int:
    """The size in bytes of all image files that are there."""
    return sum(os.stat(file).st_size for file in files if os.path.exists(file))


def _still_true(notes: Sequence[Note], order: Taken) -> list[Note]:
    """The notes of a listing that times do not make void: dates in names are no numbering, and the
    order of time is not that of counters."""
    moved = any(note.code == Code.READ_BY_TIME for note in order.notes)
    void = {Code.NUMBERING_GAPS} if order.how == "name" or moved else set()
    void |= {Code.COUNTER_STARTS_AGAIN} if order.how else set()
    return [note for note in notes if note.code not in void]


def _first_readable(path: str, files: Sequence[str]) -> tuple[str, ImageHeader]:
    errors: list[SourceError] = []
    for file in files:
        try:
            with open_regular(file) as stream:
                return file, read_header(stream, file)
        except SourceError as error:
            errors.append(error)
        except OSError as error:
            errors.append(SourceError(f"{file} cannot be read: {error.strerror}"))
    if len(files) == 1 or isinstance(errors[0], FormatError):
        raise errors[0]
    raise SourceError(
        f"none of the {len(files)} images of {path} can be read; the first: {errors[0]}"
    )


def read_image(file: str) -> tuple[ImageHeader, NDArray[np.uint8]]:
    """The header of an image file and all of its bytes.

    Raises:
        SourceError: it cannot be read, or is not an image of a known kind.
    """
    try:
        with open_regular(file) as stream:
            header = read_header(stream, file)
            stream.seek(0)
            return header, np.frombuffer(rest_of(stream, MAX_IMAGE_BYTES), np.uint8)
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {error.strerror or error}") from error


def decode_image(header: ImageHeader, data: NDArray[np.uint8], file: str) -> NDArray[Any]:
    """Upright (H, W, 3) RGB pixels, see :func:`decode_opaque`."""
    return decode_opaque(header, data, file)[0]


def decode_opaque(
    header: ImageHeader, data: NDArray[np.uint8], file: str
) -> tuple[NDArray[Any], bool]:
    """Upright (H, W, 3) RGB pixels, and whether some of them were transparent and lie on black now;
    True also where an alpha channel cannot be looked at.

    OpenCV turns images upright itself except in the mode that keeps alpha. It is asked for BGR,
    because its RGB mode mixes up the channels of 16-bit TIFF (5.0.0).
    """
    if header.format == "GIF":
        return _decode_gif(data, file)
    if header.format == "HEIC":
        return heic_pixels(open_heic(io.BytesIO(data.data), file)[0], file)
    # Of AVIF, the header knows the orientation better, which may not be in its EXIF data.
    keep_alpha = header.format == "AVIF" or (header.has_alpha and not header.premultiplied)
    flags = cv2.IMREAD_UNCHANGED if keep_alpha else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    if header.format == "JPEG":
        check_scans(data, header, file)
    data = strip_png(data, file) if header.format == "PNG" else data
    try:
        found = cv2.imdecode(data, flags)
    except cv2.error as error:
        raise SourceError(f"{file} cannot be decoded: {error.err}") from error
    if found is None:
        raise SourceError(f"{file} cannot be decoded: it is damaged or incomplete")
    pixels: NDArray[Any] = found
    if pixels.dtype not in (np.uint8, np.uint16):
        raise SourceError(f"{file} holds {pixels.dtype} values: convert it to 8 or 16 bits")
    if header.format == "AVIF":
        pixels = to_full_range(pixels, avif_bits(bytes(data[:AVIF_HEAD_BYTES])))
    transparent = header.has_alpha
    if keep_alpha:
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        transparent = is_transparent(pixels)
        pixels = header.orientation.apply(over_black(pixels) if pixels.shape[2] == 4 else pixels)
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2RGB), transparent


def _decode_gif(data: NDArray[np.uint8], file: str) -> tuple[NDArray[Any], bool]:
    """Its first image, and whether it was transparent."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data.data), formats=("GIF",)) as image:
            pixels = np.asarray(image.convert("RGBA"))
            return over_black(pixels), is_transparent(pixels)
    except DAMAGED as error:
        raise SourceError(f"{file} cannot be decoded: {error}") from error
