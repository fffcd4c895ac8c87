"""Check PNG files before they are decoded: libpng prints warnings to stderr by itself, so it gets
only chunks that cause none."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError

__all__ = ["AROUND_BYTES", "PIXELS", "strip_png"]

SIGNATURE_BYTES = 8
AROUND_BYTES = 12
"""Of a chunk besides what it holds: its length, its name, its checksum."""
PIXELS = (b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT")
"""Ancillary chunks on which pixels depend: transparency, orientation, and what tells frames of an
animation apart."""


class _Chunk(NamedTuple):
    name: bytes
    start: int
    stop: int


def strip_png(data: NDArray[np.uint8], file: str) -> NDArray[np.uint8]:
    """The bytes of a PNG without chunks that do not affect pixels, such as colour profiles and
    texts.

    Raises:
        SourceError: it is cut short, or what pixels depend on differs from its CRC-32 (PNG
        specification, 5.3).
    """
    kept, whole = [slice(0, SIGNATURE_BYTES)], data.data
    for chunk in _chunks(whole, file):
        if chunk.name[:1].isupper() or chunk.name in PIXELS:
            at = chunk.stop - 4
            if zlib.crc32(whole[chunk.start + 4 : at]) != int.from_bytes(
                whole[at : chunk.stop], "big"
            ):
                name = chunk.name.decode("ascii", "replace")
                raise SourceError(
                    f"{file} cannot be decoded: it is damaged, its {name} differs from its checksum"
                )
            kept.append(slice(chunk.start, chunk.stop))
    return np.concatenate([data[part] for part in kept])


def _chunks(data: memoryview, file: str) -> Iterator[_Chunk]:
    """The chunks up to the one that ends the file."""
    name, at = b"", SIGNATURE_BYTES
    while name != b"IEND":
        name = bytes(data[at + 4 : at + 8])
        stop = at + AROUND_BYTES + int.from_bytes(data[at : at + 4], "big")
        if stop > len(data):
            raise SourceError(
                f"{file} cannot be decoded: it is incomplete, and ends before its end mark"
            )
        yield _Chunk(name, at, stop)
        at = stop
