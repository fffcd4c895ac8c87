"""Check the structure of a video file: truncated files and damaged checksums."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from vfiscope.files import open_regular
from vfiscope.sources.images.png_checks import pixels_depend_on, png_chunks
from vfiscope.sources.video.matroska import (
    EBML,
    UNKNOWN_SIZES,
    enter_segment,
    number_at,
    structure_fault,
)
from vfiscope.sources.video.transport_stream import TS_PACKET, TS_SYNC
from vfiscope.sources.video.y4m import Y4M_MAGIC, y4m_end
from vfiscope.types import Code, Note

__all__ = ["failed_checksums", "is_opendml", "why_cut_short"]

BOXES = (
    b"ftyp",
    b"moov",
    b"mdat",
    b"free",
    b"skip",
    b"wide",
    b"moof",
    b"pnot",
    b"uuid",
    b"styp",
    b"sidx",
    b"mfra",
)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EBML_CRC = b"\xbf\x84"
PIECE = 2**20
MAX_BOXES = 2**6
"""Beside each other that are looked at."""
GIF_EXTENSION, GIF_IMAGE, GIF_END = 0x21, 0x2C, 0x3B


def why_cut_short(path: str) -> Note | None:
    """A note where the structure of an MP4, Matroska, AVI, GIF, APNG, Y4M or MPEG-TS file reaches
    beyond its end, or where a track of MP4 lacks the scale of its times, else None.

    Raises:
        OSError: the file cannot be read.
    """
    size = os.path.getsize(path)
    with open_regular(path) as file:
        head = file.read(12)
        if head[:4] == EBML:
            end = _matroska_end(file)
        elif head[:4] == b"RIFF" and head[8:11] == b"AVI":
            end = _riff_end(file, size)
        elif head.startswith(Y4M_MAGIC):
            end = y4m_end(file)
        elif head[:8] == PNG_SIGNATURE:
            end = max(stop for _, _, stop in _png_chunks(file))
        elif head[4:8] in BOXES:
            end = _boxes_end(file, size)
            if (end is None or end <= size) and not _tracks_have_scales(file, size):
                return Note(Code.TIME_SCALE_MISSING)
        elif head[:4] == b"GIF8":
            return _gif_fault(file)
        elif head[:1] == b"\x47" and size > TS_PACKET and _byte_at(file, TS_PACKET) == TS_SYNC:
            end = -(-size // TS_PACKET) * TS_PACKET
        else:
            return None
    if end is None or end <= size:
        return None
    return Note(Code.FILE_CUT_SHORT, {"end": end, "size": size, "missing": end - size})


def _png_chunks(file: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    def head(at: int) -> bytes:
        file.seek(at)
        return file.read(8)

    return png_chunks(head, os.fstat(file.fileno()).st_size)


def _byte_at(file: BinaryIO, at: int) -> int:
    file.seek(at)
    return (file.read(1) or b"\0")[0]


def _gif_fault(file: BinaryIO) -> Note | None:
    """Walk the blocks of a GIF: a note on an invalid block, or on a missing or early end mark."""
    file.seek(_palette_bytes(_byte_at(file, 10)) + 13)
    while kind := file.read(1):
        if kind[0] == GIF_END:
            return Note(Code.GIF_ENDS_EARLY) if file.read(1) else None
        if kind[0] == GIF_IMAGE:
            head = file.read(9)
            file.seek(_palette_bytes(head[8] if len(head) == 9 else 0) + 1, os.SEEK_CUR)
        elif kind[0] == GIF_EXTENSION:
            file.seek(1, os.SEEK_CUR)
        else:
            return Note(Code.GIF_BAD_BLOCK, {"byte": kind[0]})
        while (size := file.read(1)) and size[0]:
            file.seek(size[0], os.SEEK_CUR)
    return Note(Code.GIF_WITHOUT_END)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _boxes_end(file: BinaryIO, size: int) -> int | None:
    """End of the last box of an MP4; a box of size 0 extends to the end of the file."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return None
        at += length
    return at if at >= size else size + 8 - (size - at)  # a box cut inside its own head


def _tracks_have_scales(file: BinaryIO, size: int) -> bool:
    """True if every track of an MP4 has a media header box, which must be there (ISO 14496-12,
    8.4.2). Without it FFmpeg takes times for milliseconds, and edits hide other frames."""
    media = [
        inner
        for movie in _boxes(file, (0, size), b"moov")
        for track in _boxes(file, movie, b"trak")
        for inner in _boxes(file, track, b"mdia")
    ]
    return all(_boxes(file, inner, b"mdhd") for inner in media)


def _boxes(file: BinaryIO, where: tuple[int, int], name: bytes) -> list[tuple[int, int]]:
    """Where the contents of the boxes of a name begin and end, among the first boxes of a place."""
    found, (at, end) = [], where
    for _ in range(MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        length, begin = int.from_bytes(head[:4], "big"), at + 8
        if length == 1:
            length, begin = int.from_bytes(head[8:], "big"), at + 16
        if length < begin - at or at + length > end:
            break
        if head[4:8] == name:
            found.append((begin, at + length))
        at += length
    return found


def _riff_end(file: BinaryIO, size: int) -> int:
    """End of the last RIFF chunk of an AVI; large files have several."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        if head[:4] != b"RIFF":
            break
        at += 8 + int.from_bytes(head[4:8], "little")
    return at


def is_opendml(path: str) -> bool:
    """True for an AVI that goes on after its first RIFF chunk, which alone the counts in its header
    may be about (OpenDML AVI file format extensions, 1.02).

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(path) as file:
        file.seek(4)
        file.seek(8 + int.from_bytes(file.read(4), "little"))
        return file.read(12)[8:] == b"AVIX"


def _matroska_end(file: BinaryIO) -> int | None:
    """End of the segment, None where its size is unknown (a live recording)."""
    file.seek(4)
    length = enter_segment(file)
    if length is None or length[0] == UNKNOWN_SIZES[length[1]]:
        return None
    return file.tell() + length[0]


def failed_checksums(path: str) -> Note | None:
    """A note where parts of a Matroska file (RFC 8794, 11.3.1) or of an animated PNG (PNG
    specification, 5.3) differ from their CRC-32, or where elements of a Matroska file cannot be
    where they are, else None.

    The file is read once more from its beginning to its end; other formats hold no checksums over
    their packets.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(path) as file:
        head = file.read(4)
        if head == PNG_SIGNATURE[:4]:
            failed = [at for at, good in _checked_chunks(file) if not good]
        elif head == EBML and enter_segment(file) is not None:
            size = os.path.getsize(path)
            failed = [at for at, good in _checked_parts(file, size) if not good]
            if not failed and (fault := structure_fault(file, size)) is not None:
                return Note(Code.STRUCTURE_BROKEN, {"at": fault})
        else:
            return None
    if not failed:
        return None
    return Note(Code.CHECKSUMS_DIFFER, {"parts": len(failed), "first": failed[0]})


def _checked_chunks(file: BinaryIO) -> Iterator[tuple[int, bool]]:
    """(position, True if the checksum matches) of each chunk on which pixels depend."""
    for at, name, stop in _png_chunks(file):
        if pixels_depend_on(name):
            file.seek(at + 4)
            value = _crc(file, stop - 4)
            yield at, value == int.from_bytes(file.read(4), "big")


def _checked_parts(file: BinaryIO, size: int) -> Iterator[tuple[int, bool]]:
    """(position, True if the checksum matches) of each part of a segment that has a checksum and
    lies in the file."""
    while True:
        at = file.tell()
        name, length = number_at(file), number_at(file)
        if (
            name is None
            or length is None
            or length[0] == UNKNOWN_SIZES[length[1]]
            or file.tell() + length[0] > size
        ):
            return
        end = file.tell() + length[0]
        if file.read(2) == EBML_CRC:
            yield at, int.from_bytes(file.read(4), "little") == _crc(file, end)
        file.seek(end)


def _crc(file: BinaryIO, end: int) -> int:
    value = 0
    while piece := file.read(min(PIECE, end - file.tell())):
        value = zlib.crc32(piece, value)
    return value
