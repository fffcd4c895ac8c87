"""The elements of Matroska and WebM files (RFC 8794, RFC 9559), as far as frames hang on them."""

from __future__ import annotations

import os
from collections.abc import Container, Generator, Iterator
from typing import BinaryIO, NamedTuple

__all__ = ["EBML", "UNKNOWN_SIZES", "enter_segment", "number_at", "structure_fault"]

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", 0x18538067
UNKNOWN_SIZES = tuple((1 << (7 * n)) - 1 for n in range(9))
CLUSTER, TRACKS, TRACK_ENTRY, TRACK_NUMBER = 0x1F43B675, 0x1654AE6B, 0xAE, 0xD7
TIMESTAMP, SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
ANYWHERE = frozenset({0xEC, 0xBF})
"""Void and CRC-32."""
IN_SEGMENT = frozenset(
    {CLUSTER, TRACKS, 0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
)
"""Beside clusters and tracks: SeekHead, Info, Cues, Attachments, Chapters, Tags."""
SMALL_IN_CLUSTER = frozenset({TIMESTAMP, 0xA7, 0xAB})
"""Numbers of up to 8 bytes: the time, Position, PrevSize."""
IN_CLUSTER = ANYWHERE | SMALL_IN_CLUSTER | {SIMPLE_BLOCK, BLOCK_GROUP, 0xAF, 0x5854}
"""Those, blocks, and the old EncryptedBlock and SilentTracks."""
SMALL_IN_GROUP = frozenset({0x9B, 0xFA, 0xFB, 0xFD, 0x75A2})
"""Numbers: BlockDuration, ReferencePriority, ReferenceBlock, ReferenceVirtual, DiscardPadding."""
IN_GROUP = ANYWHERE | SMALL_IN_GROUP | {BLOCK, 0xA2, 0xA4, 0x75A1, 0x8E, 0xC8}
"""Those, the block, and BlockVirtual, CodecState, BlockAdditions, Slices, ReferenceFrame."""
ELEMENT_HEAD = 16
"""Bytes that are read of an element: its name and length are up to 12."""


class _Element(NamedTuple):
    name: int
    at: int
    begin: int
    """Where its content begins."""
    end: int
    """That of its parent where its own length is unknown."""
    open: bool
    """Whether its length is unknown, as in live recordings."""
    first: int
    """Number at the beginning of its content: the track of a block."""


def enter_segment(file: BinaryIO) -> tuple[int, int] | None:
    """Move from after the first four bytes to the content of the segment: (its length, bytes of
    that number)."""
    header = number_at(file)
    if header is None:
        return None
    file.seek(header[0], os.SEEK_CUR)
    return number_at(file) if int.from_bytes(file.read(4), "big") == SEGMENT else None


def number_at(file: BinaryIO) -> tuple[int, int] | None:
    """(value, bytes) of an EBML number of variable length."""
    first = file.read(1)
    return _number(first + file.read(8 - first[0].bit_length()), 0) if first.strip(b"\0") else None


def _number(data: bytes, at: int) -> tuple[int, int] | None:
    """(value, bytes) of an EBML number of variable length within bytes; a missing end is zeros."""
    if at >= len(data) or not data[at]:
        return None
    count = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + count].ljust(count, b"\0"), "big")
    return value & ((1 << (7 * count)) - 1), count


def structure_fault(file: BinaryIO, size: int) -> int | None:
    """Where the first element begins that cannot be where it is, or does not fill it, or holds a
    frame of no track: players skip such, with the frames in it. None where there is none.

    Of a file that ends within its segment nothing is said.

    Args:
        file: a Matroska file.
        size: its bytes.
    """
    file.seek(len(EBML))
    length = enter_segment(file)
    if length is None:
        return None
    at, live = file.tell(), length[0] == UNKNOWN_SIZES[length[1]]
    end = size if live else at + length[0]
    fault = next(_segment_faults(file, at, end), None) if end <= size else None
    if live and fault is not None and _runs_out(file, fault, size):
        return None  # a recording that was stopped
    return fault


def _runs_out(file: BinaryIO, at: int, size: int) -> bool:
    """True where the element at a position is not whole, because the file ends."""
    element = _element(file, at, 2 * size + ELEMENT_HEAD)
    return at + ELEMENT_HEAD > size or (element is not None and size < element.end)


def _element(file: BinaryIO, at: int, end: int) -> _Element | None:
    """The element at a position; None where none fits in before the end of its parent."""
    file.seek(at)
    head = file.read(ELEMENT_HEAD)
    name = _number(head, 0)
    length = None if name is None else _number(head, name[1])
    if name is None or length is None or name[1] > 4:
        return None
    begin = at + name[1] + length[1]
    unknown = length[0] == UNKNOWN_SIZES[length[1]]
    stop = end if unknown else begin + length[0]
    if stop > end:
        return None
    first = _number(head, begin - at)
    code = int.from_bytes(head[: name[1]], "big")
    return _Element(code, at, begin, stop, unknown, -1 if first is None else first[0])


def _elements(file: BinaryIO, parent: _Element, names: Container[int]) -> Iterator[_Element | int]:
    """The elements inside of one, up to the first that may not be there, of which the position is
    yielded."""
    at = parent.begin
    while at < parent.end:
        element = _element(file, at, parent.end)
        if element is None or element.open or element.name not in names:
            yield at
            return
        yield element
        at = element.end


def _segment_faults(file: BinaryIO, at: int, end: int) -> Iterator[int]:
    tracks: set[int] = set()
    while at < end:
        element = _element(file, at, end)
        if element is None or element.name not in IN_SEGMENT | ANYWHERE:
            yield at
            return
        if element.name == TRACKS:
            tracks |= _track_numbers(file, element)
        if element.name == CLUSTER:
            at = yield from _cluster_faults(file, element, tracks)
        else:
            at = element.end


def _track_numbers(file: BinaryIO, tracks: _Element) -> set[int]:
    found = set()
    for entry in _elements(file, tracks, {TRACK_ENTRY} | ANYWHERE):
        if isinstance(entry, int):
            break
        at = entry.begin
        while entry.name == TRACK_ENTRY and at < entry.end:
            element = _element(file, at, entry.end)
            if element is None:
                break
            if element.name == TRACK_NUMBER:
                file.seek(element.begin)
                found.add(int.from_bytes(file.read(element.end - element.begin), "big"))
            at = element.end
    return found


def _cluster_faults(
    file: BinaryIO, cluster: _Element, tracks: set[int]
) -> Generator[int, None, int]:
    """Faults in a cluster; returns where it ends."""
    at, times = cluster.begin, 0
    while at < cluster.end:
        element = _element(file, at, cluster.end)
        if cluster.open and element is not None and element.name in IN_SEGMENT:
            break
        if element is None or element.open or element.name not in IN_CLUSTER:
            yield at
            return at
        times += element.name == TIMESTAMP
        small = element.name not in SMALL_IN_CLUSTER or element.end - element.begin <= 8
        stray = element.name == SIMPLE_BLOCK and element.first not in tracks
        if not small or stray or (element.name == BLOCK_GROUP and _is_odd(file, element, tracks)):
            yield at
        at = element.end
    if times != 1:
        yield cluster.at
    return at


def _is_odd(file: BinaryIO, group: _Element, tracks: set[int]) -> bool:
    """True unless a group holds what it may, with one block of a track."""
    blocks = 0
    for element in _elements(file, group, IN_GROUP):
        if isinstance(element, int):
            return True
        if element.name in SMALL_IN_GROUP and element.end - element.begin > 8:
            return True
        if element.name == BLOCK:
            blocks += 1
            if element.first not in tracks:
                return True
    return blocks != 1
