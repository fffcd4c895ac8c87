"""Check PNG files before they are decoded: libpng prints warnings to stderr by itself and inflates
all that a file holds, so it gets what causes no warning, and only the pixels that the header
claims."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError

__all__ = ["pixels_depend_on", "png_chunks", "strip_png"]

SIGNATURE_BYTES = 8
AROUND_BYTES = 12
"""Of a chunk besides what it holds: its length, its name, its checksum."""
ANCILLARY = (b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT")
"""Ancillary chunks on which pixels depend: transparency, orientation, and what tells frames of an
animation apart."""
GRAY, RGB, INDEXED = 0, 2, 3
PNG_CHANNELS = {GRAY: 1, RGB: 3, INDEXED: 1, 4: 2, 6: 4}
"""{colour type: values per pixel} (PNG specification, 11.2.2)."""
PNG_DEPTHS = {GRAY: (1, 2, 4, 8, 16), INDEXED: (1, 2, 4, 8)}
"""{colour type: bits per value}; 8 or 16 for the others."""
PASSES = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)
"""First row, first column, and the steps to the next ones, in an interlaced image (8.2)."""
FILTER_TYPES = 5
MAX_STORED_BYTES = 2**26
"""Up to this size pixels are passed on as they were inflated, so that it is done once, not twice;
larger ones would be in memory too often."""
PIECE_BYTES = 2**16


class _Chunk(NamedTuple):
    name: bytes
    body: memoryview
    whole: memoryview


class _Header(NamedTuple):
    width: int
    height: int
    depth: int
    color: int
    compression: int
    filtering: int
    interlace: int

    @property
    def is_valid(self) -> bool:
        return (
            min(self.width, self.height) > 0
            and self.color in PNG_CHANNELS
            and self.depth in PNG_DEPTHS.get(self.color, (8, 16))
            and (self.compression, self.filtering) == (0, 0)
            and self.interlace in (0, 1)
        )

    def parts(self) -> Iterator[tuple[int, int]]:
        """Rows of the image, or of each pass of an interlaced one, and their bytes."""
        bits = self.depth * PNG_CHANNELS[self.color]
        for top, left, down, across in PASSES if self.interlace else ((0, 0, 1, 1),):
            rows = -(-(self.height - top) // down)
            columns = -(-(self.width - left) // across)
            if rows > 0 and columns > 0:
                yield rows, 1 + -(-columns * bits // 8)


def strip_png(data: NDArray[np.uint8], file: str) -> NDArray[np.uint8]:
    """The bytes of a PNG of the same pixels, without what does not affect them, such as colour
    profiles and texts.

    Raises:
        SourceError: it is cut short, what pixels depend on differs from its CRC-32 (PNG
        specification, 5.3), or it does not hold just the pixels that its header claims.
    """
    whole = data.data
    chunks = [chunk for chunk in _chunks(whole, file) if pixels_depend_on(chunk.name)]
    for chunk in chunks:
        _check_sum(chunk, file)
    header, palette = _header(chunks, file), _palette(chunks)
    if header.color == INDEXED and palette is None:
        raise _damaged(file, "it has no valid palette")
    pixels = [chunk.body for chunk in chunks if chunk.name == b"IDAT"]
    inflated = _inflated(pixels, header, file)
    if len(inflated) <= MAX_STORED_BYTES:
        pixels = [memoryview(zlib.compress(inflated, 0))]
    del inflated
    at = next(n for n, chunk in enumerate(chunks) if chunk.name == b"IDAT")
    first, last = _kept(chunks[:at], header, palette), _kept(chunks[at:], header, None)
    parts = [whole[:SIGNATURE_BYTES], chunks[0].whole, *first]
    parts += [memoryview(_chunk(b"IDAT", body)) for body in pixels]
    return np.concatenate([np.frombuffer(part, np.uint8) for part in (*parts, *last, END)])


def _chunks(data: memoryview, file: str) -> Iterator[_Chunk]:
    for at, name, stop in png_chunks(lambda at: bytes(data[at : at + 8]), len(data)):
        if stop > len(data):
            raise SourceError(
                f"{file} cannot be decoded: it is incomplete, and ends before its end mark"
            )
        yield _Chunk(name, data[at + 8 : stop - 4], data[at:stop])


def png_chunks(head: Callable[[int], bytes], size: int) -> Iterator[tuple[int, bytes, int]]:
    """(start, name, end) of each chunk of a PNG up to the one that ends it; the last one may lie
    beyond the end of the file.

    Args:
        head: the eight bytes at a position, or fewer at the end of the file.
        size: of the file in bytes.
    """
    name, at = b"", SIGNATURE_BYTES
    while name != b"IEND" and at < size:
        begin = head(at)
        name, stop = begin[4:], at + AROUND_BYTES + int.from_bytes(begin[:4], "big")
        yield at, name, stop
        at = stop
    if name != b"IEND":
        yield at, b"", at + AROUND_BYTES


def _chunk(name: bytes, body: bytes | memoryview) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(name))
    return b"".join([struct.pack(">I", len(body)), name, body, struct.pack(">I", checksum)])


END = memoryview(_chunk(b"IEND", b""))


def pixels_depend_on(name: bytes) -> bool:
    """True for the name of a chunk without which pixels are not right."""
    return name[:1].isupper() or name in ANCILLARY


def _check_sum(chunk: _Chunk, file: str) -> None:
    if zlib.crc32(chunk.body, zlib.crc32(chunk.name)) != int.from_bytes(chunk.whole[-4:], "big"):
        name = chunk.name.decode("ascii", "replace")
        raise _damaged(file, f"its {name} differs from its checksum")


def _header(chunks: Sequence[_Chunk], file: str) -> _Header:
    names = [chunk.name for chunk in chunks]
    known = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    if names[0] != b"IHDR" or names.count(b"IHDR") != 1 or len(chunks[0].body) != 13:
        raise _damaged(file, "it does not begin with its header")
    if strange := {name for name in names if name[:1].isupper()} - known:
        raise _damaged(file, f"it holds {min(strange).decode('ascii', 'replace')!r}")
    if b"IDAT" not in names:
        raise _damaged(file, "it holds no pixels")
    header = _Header(*struct.unpack(">IIBBBBB", chunks[0].body))
    if not header.is_valid:
        raise _damaged(file, "its header is not valid")
    return header


def _palette(chunks: Sequence[_Chunk]) -> _Chunk | None:
    """The palette, if there is one that can be used."""
    found = [chunk for chunk in chunks if chunk.name == b"PLTE"]
    length = len(found[0].body) if len(found) == 1 else 0
    return found[0] if length and length % 3 == 0 and length <= 3 * 256 else None


def _kept(chunks: Sequence[_Chunk], header: _Header, palette: _Chunk | None) -> list[memoryview]:
    """The chunks around the pixels that libpng takes without a warning."""
    kept = [] if palette is None or header.color != INDEXED else [palette.whole]
    clear = [chunk for chunk in chunks if chunk.name == b"tRNS"]
    if clear and _is_transparency(clear[0], header, palette):
        kept.append(clear[0].whole)
    turned = [chunk for chunk in chunks if chunk.name == b"eXIf"]
    kept += [chunk.whole for chunk in turned[:1] if bytes(chunk.body[:4]) in (b"II*\0", b"MM\0*")]
    return kept + [chunk.whole for chunk in chunks if chunk.name in ANCILLARY[2:]]


def _is_transparency(chunk: _Chunk, header: _Header, palette: _Chunk | None) -> bool:
    if header.color == INDEXED:
        return palette is not None and 0 < len(chunk.body) <= len(palette.body) // 3
    return len(chunk.body) == {GRAY: 2, RGB: 6}.get(header.color)


def _inflated(pieces: Sequence[memoryview], header: _Header, file: str) -> bytearray:
    """The filtered rows, which must be just those that the header claims."""
    size = sum(rows * length for rows, length in header.parts())
    inflate, found = zlib.decompressobj(), bytearray()
    try:
        for piece in pieces:
            for at in range(0, len(piece), PIECE_BYTES):
                # One byte more than there should be tells surplus; zero would mean any number.
                found += inflate.decompress(piece[at : at + PIECE_BYTES], size + 1 - len(found))
                if len(found) > size or inflate.unused_data:
                    raise _damaged(file, "it holds more than the pixels that its header claims")
    except zlib.error as error:
        raise _damaged(file, f"its pixels cannot be inflated ({error})") from error
    if len(found) < size or not inflate.eof:
        raise _damaged(file, "it holds less than the pixels that its header claims")
    at = 0
    for rows, length in header.parts():
        filters = np.frombuffer(found, np.uint8, rows * length, at)[::length]
        if filters.max() >= FILTER_TYPES:
            raise _damaged(file, "its rows are filtered in an unknown way")
        at += rows * length
    return found


def _damaged(file: str, why: str) -> SourceError:
    return SourceError(f"{file} cannot be decoded: it is damaged, {why}")
