"""Open a result for reading while another process may be changing it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import h5py

from vfiscope.errors import StoreError
from vfiscope.files import HDF5_MARK, absolute, open_regular
from vfiscope.store import schema
from vfiscope.store.lazy_array import reading
from vfiscope.store.overlay import Overlay
from vfiscope.store.parts import Folder
from vfiscope.store.undo import read_through

__all__ = ["State", "check_root", "open_stored", "opened", "settled", "state_of"]

OPEN_TRIES = 50
"""Attempts at reading a file that is changed at the same time."""
OPEN_PAUSE_S = 0.01

T = TypeVar("T")
State = tuple[Any, ...]


def state_of(path: Path) -> State:
    """Values that differ while a file is changed in place, and after it was changed."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, Folder(absolute(path)).undo.exists()


def open_stored(path: Path) -> tuple[Any, Overlay]:
    """An HDF5 file, open for reading, and the file below it, to be closed after it.

    An unfinished change of the file is rolled back; where that is not possible, the old content is
    read through the saved bytes.

    Raises:
        StoreError: it is missing, may not be read or is not an HDF5 file.
    """
    if not os.path.isfile(path):
        raise StoreError(
            f"{path} is {'a folder' if os.path.isdir(path) else 'missing'}: name a result file"
        )
    folder = Folder(absolute(path))
    if folder.undo.exists():
        with suppress(StoreError):  # it is being changed right now, or its folder is not ours
            folder.acquire()
            folder.leave()
    file = None
    try:
        # Through a file object and unlocked: HDF5 would serve a process that has the file open from
        # its cache, without what was stored since.
        file = read_through(path, folder.undo)
        return h5py.File(file, "r"), file
    except OSError as error:
        if file is not None:
            file.close()
        if isinstance(error, PermissionError):
            raise StoreError(f"{path} may not be read: ask for permission") from error
        raise StoreError(f"{path} {_unlike_hdf5(path)}") from error


def _unlike_hdf5(path: Path) -> str:
    """Why a file cannot be opened as HDF5, and what to do."""
    with suppress(OSError), open_regular(path) as file:
        if file.read(len(HDF5_MARK)) == HDF5_MARK:
            return "is damaged or cut short: copy it again, or make it again"
    return "is not an HDF5 file, or is damaged: name a result of vfiscope"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An HDF5 file, open for reading.

    Raises:
        as :func:`open_stored`.
    """
    h5, file = open_stored(path)
    try:
        yield h5
    finally:
        h5.close()
        file.close()


def settled(path: Path, read: Callable[[], T], discard: Callable[[], None] = lambda: None) -> T:
    """The result of a function that reads a file, called again if the file changed meanwhile.

    Args:
        path: of the file.
        read: opens and reads it.
        discard: called after a ``read`` whose result may mix two states of the file.

    Raises:
        StoreError: ``read`` raised it while nothing changed, or the file changes all the time.
    """
    for _ in range(OPEN_TRIES):
        state = state_of(path)
        try:
            found = read()
        except StoreError:
            if state_of(path) == state:
                raise
        else:
            if state_of(path) == state:
                return found
            discard()
        time.sleep(OPEN_PAUSE_S)
    raise StoreError(f"{path} changes all the time: open it when nothing writes to it")


def check_root(path: Path, h5: Any) -> None:
    """Refuse a file that is not a finished vfiscope result, or is of a newer format.

    Raises:
        StoreError: the file is refused.
    """
    with reading(path, "the head"):
        name, version = h5.attrs.get("format"), h5.attrs.get("format_version")
        complete = h5.attrs.get("complete", False)
        if not isinstance(name, str) or name != schema.FORMAT or version is None:
            raise StoreError(
                f"{path} is an HDF5 file but not from vfiscope: name a result of vfiscope"
            )
        if int(version) > schema.FORMAT_VERSION:
            raise StoreError(
                f"{path} has format version {int(version)} and this vfiscope reads up to"
                f" {schema.FORMAT_VERSION}: upgrade vfiscope"
            )
        if not bool(complete):
            raise StoreError(f"{path} is unfinished: run the command that makes it again")
