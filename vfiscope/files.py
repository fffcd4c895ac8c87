"""Files of others opened safely, atomic file writes and file digests."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from vfiscope.errors import DiskFullError, OutputExistsError, StoreError

__all__ = [
    "HDF5_MARK",
    "absolute",
    "bytes_digest",
    "disk_error",
    "disk_errors",
    "file_digest",
    "kept_digest",
    "open_regular",
    "output_file",
    "read_whole",
    "replacing",
    "replacing_all",
    "rest_of",
    "sync_folder",
    "write_all",
    "write_durably",
]

HDF5_MARK = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file, such as a result."""
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
NOT_REGULAR = "not a regular file"
USUAL_NAME_MAX = 255
SHOWN_NAME = 60
"""Characters of a name that is too long."""
LONGEST_SUFFIX = 9
"""Characters of an extension that a temporary file has too."""


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a regular file for reading: the one way in which files of others are opened.

    What was opened is checked, not what the name meant a moment before, and nothing is waited for:
    opening a pipe without a writer would wait for ever, and a device may never end.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe, a device or a socket.
    """
    return open(path, "rb", opener=_without_waiting)


def _without_waiting(path: str, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno != errno.ENXIO:  # a socket, or a device that is not there
            raise
        raise OSError(errno.EINVAL, NOT_REGULAR, path) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, NOT_REGULAR, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_whole(path: str | os.PathLike[str], limit: int) -> bytes:
    """All bytes of a regular file of at most ``limit`` bytes, whatever size it claims.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger.
    """
    with open_regular(path) as file:
        return rest_of(file, limit)


def rest_of(file: BinaryIO, limit: int) -> bytes:
    """The bytes from the current position of a file to its end, at most ``limit`` of them.

    Raises:
        OSError: it cannot be read, or there are more.
    """
    claimed = max(0, os.fstat(file.fileno()).st_size - file.tell())
    if claimed > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes")
    data = file.read(claimed + 1)  # Python reserves as much as it is asked for
    if data is None:  # a file of the kernel that would have to be waited for
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    if len(data) > claimed:  # it has grown, or claims no size at all
        data += file.read(limit + 1 - len(data))
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes")
    return data


def file_digest(path: str | os.PathLike[str]) -> str:
    """The 64 hexadecimal digits of the SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_digest(path: str | os.PathLike[str]) -> str:
    """The same, cached until the file changes: many jobs use one file of weights, and a job asks
    several times for its normal images.

    Raises:
        OSError: it cannot be read.
    """
    found = os.stat(path)
    stamp = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    return _digest_of(os.path.abspath(path), stamp)


@lru_cache(maxsize=2**16)
def _digest_of(path: str, stamp: tuple[int, ...]) -> str:
    return file_digest(path)


def bytes_digest(data: bytes) -> str:
    """The 64 hexadecimal digits of the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def disk_error(error: OSError, path: Path, needed: int) -> StoreError:
    """The error to raise for a failed write of ``needed`` bytes."""
    if error.errno in DISK_FULL:
        free = shutil.disk_usage(path.parent).free
        return DiskFullError(
            f"{path} needs {needed} bytes and {free} are free ({error.strerror}): "
            "free space and run the same command to resume"
        )
    reason = error.strerror or type(error).__name__
    return StoreError(f"{_short(path)} cannot be written ({reason}): {_remedy(error, path)}")


def _remedy(error: OSError, path: Path) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return f"its file system takes names of {_most_bytes(path.parent)} bytes, use a shorter one"
    if error.errno in NOT_ALLOWED:
        return f"allow writing into {path.parent}, or pass another --out"
    return "fix that or pass another --out"


def _most_bytes(folder: Path) -> int:
    """Bytes that the name of a file may have in a folder."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError, AttributeError):  # it is not there, or the system is Windows
        return USUAL_NAME_MAX


def _short(path: Path) -> str:
    """A path, of a long name only the beginning."""
    name = path.name
    return str(path) if len(name) <= SHOWN_NAME else f"{path.with_name(name[:SHOWN_NAME])}..."


def absolute(path: str | os.PathLike[str]) -> Path:
    """The path with links resolved, so that all names of a file share one parts folder."""
    try:
        return Path(path).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise StoreError(
            f"{str(path)!r} is not a usable path ({error}): pass another --out"
        ) from error


def output_file(out: str | os.PathLike[str], *, overwrite: bool = True, beside: str = "") -> Path:
    """Where a file that a user named is written: the one place that decides it, before anything is
    computed or removed. A link is followed, so that it stays a link.

    Args:
        out: the name.
        overwrite: whether the file may exist.
        beside: what is appended to its name for files beside it.

    Raises:
        OutputExistsError: it exists and ``overwrite`` is False.
        StoreError: it is a folder, a pipe, a device or a socket, its folder does not exist, or the
            name cannot be one.
    """
    path = absolute(out)
    size, most = len(os.fsencode(path.name + beside)), _most_bytes(path.parent)
    if size > most:
        raise StoreError(
            f"{_short(path)} is too long a name: it has {size - len(beside)} bytes, and"
            f" {most - len(beside)} are the most here: use a shorter one"
        )
    said = Path(out) if os.path.abspath(out) == str(path) else path
    with disk_errors(path):
        _refuse_special(path, said, overwrite)
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist: make it or pass another --out")
    return path


def _refuse_special(path: Path, said: Path, overwrite: bool) -> None:
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        raise StoreError(f"{said} is a folder: pass a file name as --out")
    if not stat.S_ISREG(mode):
        raise StoreError(f"{said} is not a regular file: pass another --out")
    if not overwrite:
        raise OutputExistsError(f"{said} exists: pass --overwrite or another --out")


@contextmanager
def disk_errors(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn the OSError of a write into a one-line StoreError."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path, needed) from error


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that new and renamed files survive a crash."""
    if os.name == "nt":  # Windows has no such call; NTFS journals its names.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Write and sync a whole file; after an error the old content is untouched."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        # Unbuffered, so that closing after a failed write does not write again.
        with open(temporary, "wb", buffering=0) as file:
            write_all(file, data)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_all(file: Any, data: bytes) -> None:
    """Write all bytes to an unbuffered file."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place at the end, or is removed after an
    error. Of a link, the file that it leads to is replaced.

    Raises:
        OutputExistsError: the file exists and ``overwrite`` is False.
        DiskFullError, StoreError: the file cannot be written.
    """
    path = output_file(path, overwrite=overwrite)
    temporary = path.with_name(f".vfiscope-{secrets.token_hex(6)}{path.suffix[:LONGEST_SUFFIX]}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with suppress(OSError):  # where it could not be made, it cannot be removed either
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_all(folder: Path, names: Sequence[str], *, overwrite: bool) -> Iterator[Path]:
    """A temporary folder whose files of these names take their places in ``folder`` at the end,
    where earlier ones of these names are removed; after an error everything is as before. Links
    are followed.

    Raises:
        OutputExistsError: one of them exists and ``overwrite`` is False.
        DiskFullError, StoreError: the folder or a file cannot be written.
    """
    places = [folder / name for name in names]
    if there := next((path for path in places if path.is_dir()), None):
        raise StoreError(f"{there} is a folder: remove it, or name another folder")
    if there := next((path for path in places if path.exists() and not path.is_file()), None):
        raise StoreError(f"{there} is not a regular file: remove it, or name another folder")
    if not overwrite and (there := next((path for path in places if path.exists()), None)):
        raise OutputExistsError(f"{there} exists: pass --overwrite or another folder")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    temporary = folder / f".vfiscope-{secrets.token_hex(6)}"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _place_all(temporary, folder, names)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):  # another run may already use a folder
            for path in made:
                path.rmdir()
        reason = error if isinstance(error, OSError) else error.__cause__
        if isinstance(reason, OSError):
            raise _unwritten(folder, reason) from error
        raise
    shutil.rmtree(temporary, ignore_errors=True)


def _place_all(temporary: Path, folder: Path, names: Sequence[str]) -> None:
    """Move files into a folder, and out of it what had their names; after an error move back."""
    earlier = temporary / "earlier"
    earlier.mkdir()
    places = {name: (folder / name).resolve() for name in names}
    placed: list[Path] = []
    try:
        for name, place in places.items():
            if place.exists():
                os.replace(place, earlier / name)
            if (temporary / name).exists():
                os.replace(temporary / name, place)
                placed.append(place)
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        for path in earlier.iterdir():
            os.replace(path, places[path.name])
        raise


def _unwritten(path: Path, error: OSError) -> StoreError:
    """The error to raise where a new file cannot take its place."""
    if error.errno in DISK_FULL:
        return DiskFullError(
            f"{path} does not fit on the disk: free some space or name another folder"
        )
    return disk_error(error, path, 0)
