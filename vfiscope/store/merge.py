"""Merge parts into one result.

After a failed write HDF5 crashes the process at exit while flushing its metadata
(https://github.com/h5py/h5py/issues/914). So here HDF5 never writes to the disk itself: it writes
through :class:`GuardedFile`, which never fails, and the error is raised after the file is closed.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from vfiscope.errors import StoreError
from vfiscope.files import disk_error, disk_errors
from vfiscope.store import schema
from vfiscope.store.contradictions import check_boxes, check_rows, check_segments
from vfiscope.store.frame_names import write_names
from vfiscope.store.pairing_table import write_pairing
from vfiscope.store.part_file import read_rows
from vfiscope.store.parts import Folder, Part
from vfiscope.store.stage_tables import StageResult
from vfiscope.types import Region, Scores, Segment

__all__ = ["check_stage", "merge", "run_in_thread"]


class GuardedFile:
    """A file object for HDF5 that never fails: after the first OSError it keeps all further writes
    in memory, which are only the caches of HDF5, a few MB.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.error: OSError | None = None
        # Unbuffered, so that no error comes later than the write that caused it.
        self._file = io.FileIO(path, mode)
        self._place = 0
        self._late: list[tuple[int, bytes]] = []
        self._end = 0
        """The size that the file would have if no write had failed."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the file; ``os.SEEK_END`` includes what could not be written."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size()}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """The present offset in bytes."""
        return self._place

    def _size(self) -> int:
        return max(os.fstat(self._file.fileno()).st_size, self._end)

    def write(self, data: Any) -> int:
        """Write all bytes, or remember them."""
        view = memoryview(data)
        size, start = len(view), self._place
        self._place = start + size
        with self._remembered():
            self._file.seek(start)
            while view and self.error is None:
                view = view[self._file.write(view) :]
        if not view:
            return size
        self._late.append((self._place - len(view), bytes(view)))
        self._end = max(self._end, self._place)
        return size

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; zeros where nothing was ever written."""
        view = memoryview(buffer)
        start, size = self._place, len(view)
        filled = 0
        with self._remembered():
            self._file.seek(start)
            while filled < size and (count := self._file.readinto(view[filled:])):
                filled += count
        view[filled:] = bytes(size - filled)
        for offset, data in self._late:
            first, last = max(offset, start), min(offset + len(data), start + size)
            if first < last:
                view[first - start : last - start] = data[first - offset : last - offset]
        self._place = start + size
        return size

    def read(self, size: int) -> bytes:
        """Read bytes; h5py recognises a file object by this method."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def truncate(self, size: int) -> int:
        """Cut or extend the file."""
        with self._remembered():
            if self.error is None:
                self._file.truncate(size)
        return size

    def flush(self) -> None:
        """Nothing is buffered."""

    def sync(self) -> None:
        """Sync and close the file."""
        with self._remembered():
            os.fsync(self._file.fileno())
        with self._remembered():
            self._file.close()

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        """Remember the first OSError instead of raising it."""
        try:
            yield
        except OSError as error:
            self.error = self.error or error


@contextmanager
def open_guarded(path: Path, mode: str, needed: int) -> Iterator[tuple[Any, Callable[[], None]]]:
    """An HDF5 file to write, and a function that raises the first error so far.

    Raises:
        DiskFullError: the file of about ``needed`` bytes does not fit; it is removed.
    """
    with disk_errors(path, needed):
        file = GuardedFile(path, {"w": "w+", "r+": "r+"}[mode])

    def test() -> None:
        if file.error is not None:
            raise disk_error(file.error, path, needed) from file.error

    try:
        try:
            with h5py.File(file, mode) as h5:
                yield h5, test
        finally:
            file.sync()
        test()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def run_in_thread(work: Callable[[threading.Event], None]) -> None:
    """Run in a thread: Ctrl-C reaches only the main thread, so it cannot land inside HDF5's calls
    to a file object.

    An interrupt sets the event passed to the work, and is raised here after the work has ended.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1, "vfiscope-merge") as pool:
        try:
            pool.submit(work, stop).result()
        finally:
            stop.set()


def merge(
    folder: Folder, parts: Sequence[Part], header: schema.Header, ending: schema.Ending
) -> None:
    """Merge the parts into ``merged.tmp``, with one part and one chunk of rows in memory.

    Raises:
        DiskFullError: the result does not fit beside the parts, which stay.
        StoreError: a part cannot be read.
    """
    needed = sum(part.size for part in parts)
    free = shutil.disk_usage(folder.path).free
    if free < needed:
        raise disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), folder.merged, needed)

    def work(stop: threading.Event) -> None:
        with open_guarded(folder.merged, "w", needed) as (h5, test):
            schema.create(h5, header, parts[-1].stop)
            start, last = 0, -1
            # where no array is stored, whole chunks of columns
            rows = schema.CHUNK_ROWS if header.grids else schema.COLUMN_CHUNK_ROWS
            for scores in _slabs((read_part(folder, part) for part in parts), rows):
                check_rows(folder.out, scores.frames, last)
                schema.write_rows(h5, start, scores)
                start, last = start + len(scores), int(scores.frames.index[-1])
                test()
                if stop.is_set():
                    return
            if ending.table is not None:
                write_pairing(h5, ending.table)
            if ending.names:
                write_names(h5, ending.names)
            schema.write_root(h5, header, ending)
            for result in ending.stages:
                check_stage(folder.out, h5, result)

    run_in_thread(work)


def check_stage(out: Path, h5: Any, result: StageResult) -> None:
    """Refuse segments that a stage made outside of the frames of its run, and regions of no place.

    Raises:
        StoreError: naming the first.
    """
    for table in result.tables.values():
        if table.row is Segment and table.rows:
            check_segments(out, schema.read_frames(h5), table.rows)
        if table.row is Region:
            check_boxes(out, table.rows)


def read_part(folder: Folder, part: Part, *, arrays: bool = True) -> Scores:
    """The rows of a part; without ``arrays`` the maps and fields are left out.

    Raises:
        StoreError: the part was damaged since it was written or verified.
    """
    try:
        with h5py.File(folder.file(part), "r", locking=False) as h5:
            return read_rows(h5, arrays=arrays)
    except (OSError, KeyError, RuntimeError) as error:
        raise StoreError(
            f"{folder.file(part)} cannot be read: run the same command to make it again"
        ) from error


def _slabs(pieces: Iterator[Scores], chunk: int) -> Iterator[Scores]:
    """The same rows in whole HDF5 chunks of ``chunk`` rows, so that each chunk is compressed once
    and the file does not depend on the sizes of the parts."""
    held: list[Scores] = []
    rows = 0
    for piece in pieces:
        held.append(piece)
        rows += len(piece)
        if rows >= chunk:
            whole = schema.join(held)
            cut = rows - rows % chunk
            yield schema.sliced(whole, slice(0, cut))
            held, rows = [schema.sliced(whole, slice(cut, rows))], rows - cut
    if rows:
        yield schema.join(held)
