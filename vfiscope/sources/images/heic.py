"""HEIC images, decoded by the optional package pillow-heif (libheif)."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import FormatError, MissingPackageError, SourceError, optional_import
from vfiscope.pixels import is_transparent, over_black

__all__ = ["heic_pixels", "is_heic", "open_heic"]

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MAX_HEIC_BYTES = 2**30
"""What lies behind is not read."""
AVIF_BRANDS = (b"avif", b"avis")


def is_heic(head: bytes) -> bool:
    """True for the first bytes of a HEIF file that is no AVIF.

    Args:
        head: 64 bytes, which hold the brands that the file claims to be compatible with.
    """
    if head[4:8] != b"ftyp" or head[8:12] not in BRANDS:
        return False
    length = min(int.from_bytes(head[:4], "big"), len(head))
    claimed = [head[at : at + 4] for at in (8, *range(16, length, 4))]
    return not set(claimed) & set(AVIF_BRANDS)


def open_heic(stream: BinaryIO, name: str) -> Any:
    """The images of a HEIC file, which are decoded when their pixels are asked for; the one that
    the file calls its primary first.

    Raises:
        FormatError: pillow-heif is not installed.
        SourceError: the file is damaged.
    """
    try:
        heif = optional_import("pillow_heif", "heic")
    except MissingPackageError as error:
        raise FormatError(f"{name} is a HEIC image, and {error}") from error
    try:
        found = heif.open_heif(io.BytesIO(stream.read(MAX_HEIC_BYTES)), convert_hdr_to_8bit=False)
        images = [found[index] for index in range(len(found))]
    except (ValueError, OSError, RuntimeError, SyntaxError, EOFError) as error:
        raise SourceError(f"{name} has a damaged header: {error}") from error
    first = found.primary_index
    return [images[first], *images[:first], *images[first + 1 :]]


def heic_pixels(image: Any, name: str) -> tuple[NDArray[Any], bool]:
    """Upright (H, W, 3) RGB of one image, and whether some of its pixels were transparent and lie
    on black now.

    Raises:
        SourceError: it cannot be decoded.
    """
    try:
        pixels = np.asarray(image)
    except (ValueError, OSError, RuntimeError, SyntaxError, EOFError) as error:
        raise SourceError(f"{name} cannot be decoded: {error}") from error
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, -1)
    bits = int(image.info.get("bit_depth", 8))
    if bits != 8:
        white = ((1 << bits) - 1) << (16 - bits)
        pixels = np.rint(pixels * (65535 / white)).astype(pixels.dtype)
    return over_black(pixels) if pixels.shape[-1] == 4 else pixels, is_transparent(pixels)
