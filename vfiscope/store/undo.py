"""Changing a finished file in place, safe against a kill or a power cut at any moment.

The bytes that will be overwritten are saved in ``<out>.parts/undo`` and synced before the first
byte of the file changes; they are removed after its last byte is synced. A process that locks the
file (:meth:`vfiscope.store.parts.Folder.acquire`) and finds saved bytes restores them; a reader
without write permission reads the saved bytes in place of the file's.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vfiscope.errors import StoreError
from vfiscope.files import (
    bytes_digest,
    disk_errors,
    open_regular,
    sync_folder,
    write_all,
    write_durably,
)
from vfiscope.store.overlay import Change, Overlay

__all__ = ["apply", "read_through", "roll_back"]


def apply(out: Path, undo: Path, overlay: Overlay) -> None:
    """Write the content of an overlay into its file.

    Raises:
        DiskFullError: it does not fit; the file is as it was.
        StoreError: the file cannot be written; it is as it was.
    """
    changes = list(overlay.changes())
    needed = max(0, overlay.size - overlay.old_size)
    with disk_errors(out, needed):
        io.FileIO(out, "r+").close()  # refuses before anything is written
        write_durably(undo, _packed(overlay.old_size, changes))
        sync_folder(undo.parent.parent)
        try:
            _put(out, [(change.offset, change.new) for change in changes], overlay.size)
        except OSError:
            roll_back(out, undo)
            raise
        _forget(undo)


def roll_back(out: Path, undo: Path) -> None:
    """Restore a file after an unfinished change; do nothing where there is none.

    Raises:
        StoreError: the saved bytes are damaged or of another file, or the file cannot be written.
    """
    if not undo.exists():
        return
    if out.exists():
        size, changes = _read(undo)
        with disk_errors(out):
            _check_is_between(out, undo, size, changes)
            # From the start to the end: a file that the change made shorter grows without holes, so
            # that a rollback that is killed too leaves a state that the next one accepts.
            _put(out, [(change.offset, change.old) for change in reversed(changes)], size)
    with disk_errors(undo):
        _forget(undo)


def read_through(out: Path, undo: Path) -> Overlay:
    """A file as it was before an unfinished change, or as it is where there is none.

    Raises:
        StoreError: the saved bytes are damaged or of another file.
        OSError: the file cannot be read.
    """
    try:
        size, changes = _read(undo)
    except FileNotFoundError:
        return Overlay(out)
    _check_is_between(out, undo, size, changes)
    return Overlay(out, {change.offset: change.old for change in changes}, size)


def _put(out: Path, pieces: Sequence[tuple[int, bytes]], size: int) -> None:
    """Write into a file, set its size and sync it."""
    with io.FileIO(out, "r+") as file:
        for offset, data in pieces:
            place(file, offset, data)
        file.truncate(size)
        # Readers detect the change by this time, so it must grow however coarse the clock is.
        later = max(time.time_ns(), os.fstat(file.fileno()).st_mtime_ns + 1)
        os.utime(out, ns=(later, later))
        os.fsync(file.fileno())


def place(file: io.FileIO, offset: int, data: bytes) -> None:
    """Write bytes at an offset."""
    file.seek(offset)
    write_all(file, data)


def _forget(undo: Path) -> None:
    undo.unlink()
    sync_folder(undo.parent)


def _check_is_between(out: Path, undo: Path, old_size: int, changes: Sequence[Change]) -> None:
    """Refuse a file that is not in any state between before and after the change.

    Raises:
        StoreError: it is another file.
        OSError: it cannot be read.
    """
    ends = [old_size, *(change.offset + len(change.new) for change in changes)]
    with io.FileIO(out, "r") as file:
        fits = min(ends) <= os.fstat(file.fileno()).st_size <= max(ends)
        for change in changes:
            file.seek(change.offset)
            fits = fits and _is_mixed(file.read(len(change.old)), change)
    if not fits:
        raise _unusable(undo, out)


def _is_mixed(now: bytes, change: Change) -> bool:
    """True if every byte is the old or the new one at its place; a file may end within them."""
    found, old, new = (np.frombuffer(b, np.uint8) for b in (now, change.old, change.new))
    found, old, new = (b[: min(len(now), len(change.new))] for b in (found, old, new))
    rest = now[len(found) :]
    return bool(((found == old) | (found == new)).all()) and change.old[len(found) :].startswith(
        rest
    )


def _packed(size: int, changes: Sequence[Change]) -> bytes:
    """The digest of what follows; the old size and the lengths of the changes; their bytes."""
    head = {
        "size": size,
        "changes": [[change.offset, len(change.old), len(change.new)] for change in changes],
    }
    parts = [part for change in changes for part in (change.old, change.new)]
    body = json.dumps(head).encode() + b"\n" + b"".join(parts)
    return bytes_digest(body).encode() + b"\n" + body


def _read(undo: Path) -> tuple[int, list[Change]]:
    """The old size and the changes.

    Raises:
        FileNotFoundError: nothing was saved.
        StoreError: it is damaged.
    """
    with open_regular(undo) as file:
        digest, _, body = file.read().partition(b"\n")
    if bytes_digest(body).encode() != digest:
        raise _unusable(undo, undo.parent.with_suffix(""))
    head, _, data = body.partition(b"\n")
    stored, changes, at = json.loads(head), [], 0
    for offset, old, new in stored["changes"]:
        changes.append(Change(offset, data[at : at + old], data[at + old : at + old + new]))
        at += old + new
    return stored["size"], changes


def _unusable(undo: Path, out: Path) -> StoreError:
    return StoreError(
        f"{undo}, saved before {out.name} was changed, is damaged or of another file: remove it to"
        f" read {out.name} as it is"
    )
