"""The folder of unfinished work beside a result: ``<out>.parts``.

::

    lock            held by the writing process
    owner.json      who holds the lock, for the message to others
    header.json     what the run measures
    part-000000.h5  some rows, a whole HDF5 file
    journal.jsonl   one line per synced part, with its SHA-256
    merged.tmp      the result while it is being merged
    undo            old bytes of the finished result while it is changed in place

A part is synced under its final name before its journal line is written. So after a crash at any
moment, the longest run of journal lines with matching parts is the work that was done.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vfiscope.errors import LockedError, ResumeError, StoreError
from vfiscope.files import (
    bytes_digest,
    disk_errors,
    file_digest,
    read_whole,
    sync_folder,
    write_all,
    write_durably,
)
from vfiscope.store.undo import roll_back

__all__ = ["Folder", "Part"]

LOCK_TRIES = 20
DONE_SUFFIX = ".parts.done"
"""Of the folder while it is removed: the longest name beside the result."""
MAX_OWN_BYTES = 2**28
LOCK, OWNER, HEADER, JOURNAL, MERGED, UNDO = (
    "lock",
    "owner.json",
    "header.json",
    "journal.jsonl",
    "merged.tmp",
    "undo",
)
OWN_NAME = re.compile(
    r"lock|undo|owner\.json|header\.json|journal\.jsonl|part-\d+\.h5|.+\.tmp|\.nfs.+"
)


@dataclass(frozen=True)
class Part:
    """Rows ``start`` to ``stop`` of an unfinished result, safely stored."""

    name: str
    start: int
    stop: int
    sha256: str
    size: int
    """Bytes on the disk."""


@dataclass(frozen=True)
class Work:
    """The claimed content of a parts folder, not verified yet."""

    parts: Sequence[Part] = ()
    merged: Mapping[str, Any] | None = None
    """The journal's line about the finished merge: bytes and created."""

    def __bool__(self) -> bool:
        return bool(self.parts) or self.merged is not None


class Folder:
    """The parts folder of one result and the lock in it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out.with_name(f"{out.name}.parts")
        self.done = out.with_name(f"{out.name}{DONE_SUFFIX}")
        self.left_over = False
        """True if a process was killed before it had removed the folder; known once it is ours."""
        self._lock: FileLock | None = None
        self._locked: tuple[int, int] | None = None
        """The folder that the lock is in."""

    @property
    def merged(self) -> Path:
        """Path of the result while it is being merged."""
        return self.path / MERGED

    @property
    def undo(self) -> Path:
        """Path of the bytes saved before an unfinished change of the result."""
        return self.path / UNDO

    @property
    def held(self) -> bool:
        """True while this object holds the lock."""
        return self._lock is not None

    def file(self, part: Part) -> Path:
        """Path of a part."""
        return self.path / part.name

    def clear_removed(self) -> None:
        """Remove the unused leftovers of a killed process; refuse a folder that is not from
        vfiscope."""
        with disk_errors(self.done):
            _check_own(self.done)
        shutil.rmtree(self.done, ignore_errors=True)

    def exists(self) -> bool:
        """True if the folder exists, or what is left of one that was being removed.

        Raises:
            StoreError: the file system cannot hold that name, or the temporary name for its
            removal.
        """
        with disk_errors(self.out):
            return _is_there(self.done) | _is_there(self.path)

    def acquire(self) -> None:
        """Create the folder where it is missing, lock it, and roll an unfinished change of the
        result back.

        Raises:
            LockedError: another writer holds the lock.
            StoreError: the folder cannot be made, or that name belongs to something else.
        """
        self.left_over = self.exists()
        with disk_errors(self.done):
            _check_own(self.done)
        for _ in range(LOCK_TRIES):
            lock = FileLock(self.path / LOCK, timeout=0, thread_local=False)
            with disk_errors(self.path):
                self.path.mkdir(exist_ok=True)
                before = self._identity()
                try:
                    lock.acquire()
                except Timeout as timeout:
                    raise LockedError(self._locked_message()) from timeout
                except FileNotFoundError:
                    continue
            # The holder before us may have moved the folder away between mkdir and lock: then the
            # lock is in its folder, not in ours.
            if before is not None and before == self._identity():
                self._lock, self._locked = lock, before
                self._settle()
                return
            lock.release()
        raise LockedError(
            f"{self.path} keeps changing: another process is writing {self.out}; try again later"
        )

    def _identity(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino

    def _settle(self) -> None:
        """Refuse a folder that is not from vfiscope, and write who holds the lock."""
        owner = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        try:
            with disk_errors(self.path / OWNER, len(owner)):
                try:
                    _check_own(self.path)
                except StoreError:
                    (self.path / LOCK).unlink()
                    self._release()
                    raise
                write_durably(self.path / OWNER, owner)
            self.clear_removed()  # not before: a kill in between would leave no trace of it
            roll_back(self.out, self.undo)
        except BaseException:
            self.leave()
            raise

    def _locked_message(self) -> str:
        try:
            owner = json.loads(read_whole(self.path / OWNER, MAX_OWN_BYTES))
            who = f"process {owner['pid']} on {owner['host']}"
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            who = "another process"  # it has not written its name yet
        return f"{self.out} is being written by {who}: wait for it or pass another --out"

    def leave(self) -> None:
        """Release the lock; the folder stays only if it holds work."""
        if self._lock is None:
            return
        work = self.read_work()
        if not work and not self.undo.exists():
            self.remove()
            return
        if work.merged is None:
            self.merged.unlink(missing_ok=True)
        (self.path / OWNER).unlink(missing_ok=True)
        self._release()

    def remove(self) -> None:
        """Remove the folder and release the lock."""
        # An interrupted call may have moved the folder already; the path may then be another
        # writer's.
        if self._identity() == self._locked:
            self.clear_removed()
            # In one step: a crash while removing must not leave a folder that looks like unfinished
            # work.
            with disk_errors(self.path):
                os.replace(self.path, self.done)
        self._release()
        # What cannot be removed now (a network file system keeps open files) goes at the next
        # entry.
        self.clear_removed()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = self._locked = None

    def start(self, header: Mapping[str, Any]) -> None:
        """Discard the unfinished work and start over with this header."""
        data = json.dumps(header).encode()
        with disk_errors(self.path / HEADER, len(data)):
            # The journal first: without it nothing that is left counts as work.
            (self.path / JOURNAL).unlink(missing_ok=True)
            self._sweep({LOCK, OWNER})
            write_durably(self.path / HEADER, data)

    def _sweep(self, kept: Collection[str]) -> None:
        """Delete every file but these."""
        for path in self.path.iterdir():
            if path.name not in kept:
                path.unlink()

    def read_header(self) -> dict[str, Any]:
        """The header of the unfinished work.

        Raises:
            ResumeError: it is missing or damaged.
        """
        try:
            header = json.loads(read_whole(self.path / HEADER, MAX_OWN_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            raise ResumeError(
                f"the unfinished work in {self.path} has no readable {HEADER}: --no-resume discards"
                " the unfinished work"
            ) from error
        if not isinstance(header, dict) or not isinstance(header.get("config", {}), dict):
            raise ResumeError(
                f"{self.path / HEADER} is not a header: --no-resume discards the unfinished work"
            )
        return header

    def read_work(self) -> Work:
        """The content of the journal, up to its first damaged or missing line."""
        path = self.path / JOURNAL
        if not path.exists():
            return Work()
        parts: list[Part] = []
        for line in read_whole(path, MAX_OWN_BYTES).splitlines(keepends=True):
            entry = _parse(line)
            if entry.get("merged") is True:
                return Work(parts, entry)
            part = _as_part(entry, len(parts), parts[-1].stop if parts else 0)
            if part is None:
                break
            parts.append(part)
        return Work(parts)

    def keep_valid(self, parts: Sequence[Part]) -> list[Part]:
        """Verify parts by their digests, keep the longest valid run and discard the rest."""
        kept: list[Part] = []
        for part in parts:
            path = self.file(part)
            if not path.is_file() or file_digest(path) != part.sha256:
                break
            kept.append(part)
        text = "".join(_line(part) for part in kept).encode()
        with disk_errors(self.path / JOURNAL, len(text)):
            if text != (self.path / JOURNAL).read_bytes():
                write_durably(self.path / JOURNAL, text)
            self._sweep({LOCK, OWNER, HEADER, JOURNAL, *(part.name for part in kept)})
        return kept

    def commit(self, number: int, start: int, stop: int, image: bytes) -> Part:
        """Store the bytes of a part; when this returns they survive a crash.

        Raises:
            DiskFullError: they do not fit; what was stored before stays.
        """
        name = _part_name(number)
        part = Part(name, start, stop, bytes_digest(image), len(image))
        with disk_errors(self.path / name, len(image)):
            write_durably(self.path / name, image)
            self._log(_line(part).encode())
        return part

    def log_merged(self, created: str) -> None:
        """Record that ``merged.tmp`` is complete and synced."""
        entry = {"merged": True, "bytes": self.merged.stat().st_size, "created": created}
        with disk_errors(self.path / JOURNAL, len(str(entry))):
            self._log(f"{json.dumps(entry)}\n".encode())

    def _log(self, line: bytes) -> None:
        with open(self.path / JOURNAL, "ab", buffering=0) as file:
            size = file.tell()
            try:
                write_all(file, line)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)  # a later line must not follow half of this one
                raise
        if not size:
            sync_folder(self.path)

    def publish(self) -> None:
        """Move the merged file onto the final path and remove the folder."""
        with disk_errors(self.out):
            os.replace(self.merged, self.out)
            sync_folder(self.out.parent)
        self.remove()


def _check_own(folder: Path) -> None:
    """Refuse a folder with any file that vfiscope does not write; it may be missing."""
    with suppress(FileNotFoundError):
        for path in sorted(folder.iterdir()):
            if path.is_dir() or not OWN_NAME.fullmatch(path.name):
                raise StoreError(
                    f"{folder} holds {path.name!r}, not only unfinished work: move it away"
                )


def _is_there(path: Path) -> bool:
    """As ``Path.exists``, which in some versions of Python hides that a name is too long."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _part_name(number: int) -> str:
    return f"part-{number:06d}.h5"


def _line(part: Part) -> str:
    entry = {
        "part": part.name,
        "rows": [part.start, part.stop],
        "sha256": part.sha256,
        "bytes": part.size,
    }
    return f"{json.dumps(entry)}\n"


def _parse(line: bytes) -> dict[str, Any]:
    """A journal line; empty where it is torn."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else {}
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _as_part(entry: Mapping[str, Any], number: int, start: int) -> Part | None:
    """The part that a journal line names, None unless it is the next one."""
    match entry:
        case {
            "part": str(name),
            "rows": [int(first), int(stop)],
            "sha256": str(digest),
            "bytes": int(size),
        }:
            if name == _part_name(number) and first == start and stop > start:
                return Part(name, first, stop, digest, size)
    return None
