"""Read the header of an image file without decoding it."""

from __future__ import annotations

import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from vfiscope.errors import SourceError
from vfiscope.sources.geometry import UPRIGHT, Orientation, from_exif_orientation
from vfiscope.sources.images.avif import AVIF_HEAD_BYTES, avif_bits
from vfiscope.sources.images.heic import is_heic, open_heic
from vfiscope.sources.images.tiff_pages import find_pages

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "DAMAGED",
    "EXTENSIONS",
    "HEIC_EXTENSIONS",
    "MAX_PIXELS",
    "ImageHeader",
    "check_pixels",
    "quietly",
    "read_header",
]

HEIC_EXTENSIONS = (".heic", ".heif")
EXTENSIONS = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".avif"),
    *HEIC_EXTENSIONS,
    ".gif",
)
MAX_PIXELS = 2**27
"""Larger images are refused before they are decoded."""
PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "AVIF", "GIF")
EXIF_ORIENTATION = 0x0112
TIFF_WIDTH, TIFF_HEIGHT, TIFF_BITS_PER_SAMPLE, TIFF_DESCRIPTION = 256, 257, 258, 270
IMAGEJ_COUNT = re.compile(r"\AImageJ=[^\n]*\nimages=([0-9]{1,8})\n")
PNG_BIT_DEPTH_AT = 24
DAMAGED = (
    *(SyntaxError, ValueError, TypeError, LookupError),
    *(OSError, EOFError, ArithmeticError, RuntimeError, struct.error),
)
"""What Pillow raises on a file that it cannot read."""
HEAD_BYTES = 64


_QUIET = threading.Lock()
"""Warning filters belong to the whole process: two threads that replace them at once would not
restore them."""


class ImageHeader(NamedTuple):
    """Size as displayed, depth, and the values needed to decode the pixels."""

    width: int
    height: int
    bit_depth: int
    """8, or 16 for anything deeper."""
    orientation: Orientation
    has_alpha: bool
    premultiplied: bool
    """True if the decoder itself composites transparent pixels over black (8-bit TIFF)."""
    pages: int
    """Images in the file."""
    format: str
    """PNG, JPEG, BMP, TIFF, WEBP, AVIF, GIF or HEIC: by the content, whatever the name says."""


def read_header(stream: BinaryIO, name: str, *, count: bool = True) -> ImageHeader:
    """The header of an image, without decoding it.

    Args:
        stream: the file, at its start.
        name: for messages.
        count: False if the images in the file need not be counted.

    Raises:
        SourceError: it is not an image of a known kind, or has more than ``MAX_PIXELS`` pixels.
        FormatError: it is a HEIC image, and the package that reads it is not installed.
    """
    from PIL import Image, UnidentifiedImageError

    start = stream.tell()
    heic = is_heic(stream.read(HEAD_BYTES))
    stream.seek(start)
    if heic:
        return _read_heic(stream, name)
    with quietly():
        try:
            return _read(stream, name, count)
        except Image.DecompressionBombError as error:
            raise SourceError(f"{name} is refused: {error}") from error
        except UnidentifiedImageError as error:
            raise SourceError(
                f"{name} is not a readable image: it may be damaged or another kind of file"
            ) from error
        except DAMAGED as error:
            raise SourceError(f"{name} has a damaged header: {error}") from error


@contextmanager
def quietly() -> Iterator[None]:
    """Without Pillow's warnings: the limit below is the one that counts, and notes say what is
    unusual."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read_heic(stream: BinaryIO, name: str) -> ImageHeader:
    images = open_heic(stream, name)
    width, height = images[0].size
    check_pixels(name, width, height)
    depth = 8 if images[0].info.get("bit_depth", 8) == 8 else 16
    has_alpha = bool(images[0].has_alpha)
    return ImageHeader(width, height, depth, UPRIGHT, has_alpha, False, len(images), "HEIC")


def check_pixels(name: str, width: int, height: int) -> None:
    """Refuse an image or a frame of more than ``MAX_PIXELS`` pixels.

    Raises:
        SourceError: it has more.
    """
    if width * height > MAX_PIXELS:
        raise SourceError(
            f"{name} has {width}x{height} pixels, more than {MAX_PIXELS}: scale it down first"
        )


def _read(stream: BinaryIO, name: str, count: bool) -> ImageHeader:
    from PIL import Image

    image = Image.open(stream, formats=PILLOW_FORMATS)
    width, height = image.size
    check_pixels(name, width, height)
    if image.mode == "F":
        raise SourceError(f"{name} holds floating point values: convert it to 8 or 16 bits")
    orientation, stored = _orientation(image)
    height, width = orientation.size(*stored)
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    depth = _bit_depth(image, stream)
    premultiplied = image.format == "TIFF" and depth == 8
    return ImageHeader(
        width,
        height,
        depth,
        orientation,
        has_alpha,
        premultiplied,
        _pages(image, stream) if count else 1,
        "JPEG" if image.format == "MPO" else str(image.format),  # of several JPEG images
    )


def _pages(image: Image.Image, stream: BinaryIO) -> int:
    if image.format == "TIFF":
        found = find_pages(stream)
        there = len(found.offsets) + (found.end > 0)  # one of which at least a part is missing
        # Of more than 4 GB, ImageJ writes one directory and says how many images follow.
        said = IMAGEJ_COUNT.search(str(getattr(image, "tag_v2", {}).get(TIFF_DESCRIPTION, "")))
        return max(there, int(said[1]) if said else 1)
    return int(getattr(image, "n_frames", 1))


def _orientation(image: Image.Image) -> tuple[Orientation, tuple[int, int]]:
    """The EXIF orientation, and the (height, width) of the pixels as they are stored."""
    from PIL import Image

    try:
        # The method of the base class: that of PNG decodes the whole image in search of a late
        # chunk.
        orientation = from_exif_orientation(
            int(Image.Image.getexif(image).get(EXIF_ORIENTATION, 1))
        )
    except DAMAGED:  # decoders take an image whose EXIF they cannot read as upright
        orientation = UPRIGHT
    if image.format == "TIFF":  # newer Pillow swaps the sides of turned TIFF itself
        tags = getattr(image, "tag_v2", {})
        return orientation, (int(tags[TIFF_HEIGHT]), int(tags[TIFF_WIDTH]))
    return orientation, (image.height, image.width)


def _bit_depth(image: Image.Image, stream: BinaryIO) -> int:
    """8 or 16. Pillow's mode does not tell for colour images."""
    if image.format == "PNG":
        stream.seek(PNG_BIT_DEPTH_AT)
        return 16 if stream.read(1) == b"\x10" else 8
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(TIFF_BITS_PER_SAMPLE, (8,))
        return 8 if max(bits) <= 8 else 16
    if image.format == "AVIF":
        stream.seek(0)
        return 8 if avif_bits(stream.read(AVIF_HEAD_BYTES)) == 8 else 16
    return 8
