"""A file that HDF5 can change in memory, without writing to the disk."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["PAGE", "Change", "Overlay"]

PAGE = 4096
"""Bytes of a page."""


class Change(NamedTuple):
    """The old and new bytes at an offset; their lengths differ where the file changes its size."""

    offset: int
    old: bytes
    new: bytes


class Overlay:
    """A file object for HDF5 that keeps all writes in memory, page by page.

    Args:
        path: the file; it is only read.
        pages: {offset: bytes} that are read instead of the file's.
        size: length of the file as it is read; the file's own where None.
    """

    def __init__(
        self, path: Path, pages: Mapping[int, bytes] | None = None, size: int | None = None
    ) -> None:
        self._file = io.FileIO(path, "r")
        self.old_size = os.fstat(self._file.fileno()).st_size
        self.size = self.old_size if size is None else size
        self._end = self.old_size
        """Beyond this offset the bytes of the file itself are no longer valid."""
        self._pages: dict[int, bytearray] = {}
        self._place = 0
        for offset, data in (pages or {}).items():
            self._keep(offset, data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """The present offset in bytes."""
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; zeros where nothing was ever written."""
        view = memoryview(buffer)
        start, size = self._place, len(view)
        view[:] = self._own(start, size)
        for number in range(start // PAGE, -(-(start + size) // PAGE)) if self._pages else ():
            if (page := self._pages.get(number)) is not None:
                first, last = max(number * PAGE, start), min((number + 1) * PAGE, start + size)
                view[first - start : last - start] = page[first % PAGE :][: last - first]
        self._place = start + size
        return size

    def read(self, size: int) -> bytes:
        """Read bytes; h5py recognises a file object by this method."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def write(self, data: Any) -> int:
        """Keep the bytes in memory."""
        view = memoryview(data)
        self._keep(self._place, view)
        self._place += len(view)
        self.size = max(self.size, self._place)
        return len(view)

    def truncate(self, size: int) -> int:
        """Cut or extend the file."""
        self.size, self._end = size, min(self._end, size)
        for number in [number for number in self._pages if (number + 1) * PAGE > size]:
            kept = max(0, size - number * PAGE)
            self._pages[number][kept:] = bytes(PAGE - kept)
        return size

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Close the file below."""
        self._file.close()

    def changes(self) -> Iterator[Change]:
        """The changes, from the end of the file to its start: so space on the disk is allocated
        before any old byte is overwritten."""
        cut = range(self._end // PAGE, -(-self.old_size // PAGE))
        for number in sorted({*self._pages, *cut}, reverse=True):
            start = number * PAGE
            old = self._read_file(start, min(PAGE, max(0, self.old_size - start)))
            self._place = start
            new = self.read(min(PAGE, max(0, self.size - start)))
            if old != new:
                yield Change(start, old, new)

    def _keep(self, start: int, data: Any) -> None:
        stop = start + len(data)
        for number in range(start // PAGE, -(-stop // PAGE)):
            if number not in self._pages:
                self._pages[number] = bytearray(self._own(number * PAGE, PAGE))
            first, last = max(number * PAGE, start), min((number + 1) * PAGE, stop)
            at = first % PAGE
            self._pages[number][at : at + last - first] = data[first - start : last - start]

    def _own(self, start: int, size: int) -> bytes:
        """The file's own bytes, and zeros behind its end."""
        found = self._read_file(start, min(size, max(0, self._end - start)))
        return found + bytes(size - len(found))

    def _read_file(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        pieces = []
        while size > 0 and (piece := self._file.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)
