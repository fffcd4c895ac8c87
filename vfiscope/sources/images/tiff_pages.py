"""The pages of a TIFF file: where their directories lie (TIFF 6.0, section 2; BigTIFF)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal, NamedTuple

from vfiscope.config import MAX_FRAMES

__all__ = ["TiffPages", "find_pages", "first_page_at"]

NEW_SUBFILE_TYPE, SUBFILE_TYPE = 254, 255
REDUCED, MASK = 1, 4
"""Bits of NewSubfileType: a smaller copy of another page, a mask for another page."""
OLD_REDUCED = 2
SHORT, SHORT_BYTES, LONG_BYTES = 3, 2, 4


class TiffPages(NamedTuple):
    """The pages that are images of their own, without smaller copies and masks of others."""

    offsets: list[int]
    """Of their directories."""
    end: int
    """Where a directory should end if that lies outside of the file, else 0."""


@dataclass(frozen=True)
class _Layout:
    """How the numbers of a file are stored."""

    order: str
    big: bool

    @property
    def offset(self) -> struct.Struct:
        return struct.Struct(f"{self.order}{'Q' if self.big else 'L'}")

    @property
    def count(self) -> struct.Struct:
        return struct.Struct(f"{self.order}{'Q' if self.big else 'H'}")

    @property
    def first_at(self) -> int:
        """Where the file says at which offset its first directory lies."""
        return 8 if self.big else 4

    @property
    def entry(self) -> struct.Struct:
        """Of an entry: its tag, its type, and the bytes of its value if that is one number."""
        return struct.Struct(f"{self.order}HH{'8x8s' if self.big else '4x4s'}")

    def subfile(self, entries: bytes) -> dict[int, int]:
        """{tag: value} of the entries that say what kind of image a page is."""
        order: Literal["big", "little"] = "big" if self.order == ">" else "little"
        return {
            tag: int.from_bytes(value[: SHORT_BYTES if kind == SHORT else LONG_BYTES], order)
            for tag, kind, value in self.entry.iter_unpack(entries)
            if tag in (NEW_SUBFILE_TYPE, SUBFILE_TYPE)
        }


def first_page_at(head: bytes, offset: int) -> tuple[int, bytes]:
    """Where to write which bytes so that a file begins with the page of a directory.

    Args:
        head: the first bytes of the file, 4 or more.
        offset: of the directory.
    """
    layout = _layout(head)
    return layout.first_at, layout.offset.pack(offset)


def find_pages(stream: BinaryIO) -> TiffPages:
    """The pages of a TIFF file, in order.

    Raises:
        ValueError: directories lie over each other, so that walking them could take for ever.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    layout = _layout(stream.read(4))
    stream.seek(layout.first_at)
    offsets: list[int] = []
    seen: set[int] = set()
    walked = 0
    at = _number(stream, layout.offset)
    while at and at not in seen and len(seen) < MAX_FRAMES:
        if at + layout.count.size > size:
            return TiffPages(offsets, at + layout.count.size)
        seen.add(at)
        stream.seek(at)
        length = _number(stream, layout.count) * layout.entry.size
        end = stream.tell() + length + layout.offset.size
        if end > size:
            return TiffPages(offsets, end)
        walked += layout.count.size + length
        if walked > size:
            raise ValueError("its directories overlap")
        tags = layout.subfile(stream.read(length))
        extra = tags.get(NEW_SUBFILE_TYPE, 0) & (REDUCED | MASK)
        if not offsets or not (extra or tags.get(SUBFILE_TYPE) == OLD_REDUCED):
            offsets.append(at)
        at = _number(stream, layout.offset)
    return TiffPages(offsets, 0)


def _layout(head: bytes) -> _Layout:
    order = ">" if head[:2] == b"MM" else "<"
    return _Layout(order, head[2:4] in (b"+\0", b"\0+"))


def _number(stream: BinaryIO, form: struct.Struct) -> int:
    data = stream.read(form.size)
    return int(form.unpack(data)[0]) if len(data) == form.size else 0
