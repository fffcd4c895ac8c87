"""Files that a glob matches, found within a limit.

As ``glob.glob(recursive=True)``, whose work multiplies with each ``**``, and which says nothing
until it is done. Here every folder is listed once, for all parts of the pattern that it may be at.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterator

from vfiscope.errors import SourceError

__all__ = ["matching"]

MAX_FOLDERS = 30_000
"""Folders that a glob may list, which takes some seconds."""
ANY_FOLDERS = "**"


def matching(pattern: str) -> Iterator[str]:
    """The files, not folders, that a glob matches, in any order.

    ``**`` stands for any number of folders. A name that begins with a point is matched only by a
    part that does.

    Args:
        pattern: an absolute path with ``*``, ``?``, ``[`` or ``**`` in its parts.

    Raises:
        SourceError: more than ``MAX_FOLDERS`` folders would have to be listed.
    """
    parts = _parts(pattern)
    fits = [re.compile(fnmatch.translate(part)).match for part in parts]
    waiting, listed, last = [(os.sep, {0})], 0, len(parts) - 1
    while waiting:
        folder, places = waiting.pop()
        places |= {at + 1 for at in places if parts[at] == ANY_FOLDERS and at < last}
        listed += any(glob.has_magic(parts[at]) for at in places)
        if listed > MAX_FOLDERS:
            raise SourceError(
                f"{pattern!r} would search more than {MAX_FOLDERS} folders: begin it with the"
                " folder that holds the images"
            )
        for name, is_folder in _entries(folder, [parts[at] for at in places]):
            path = os.path.join(folder, name)
            found = {
                at for at in places if fits[at](name) and (name[0] != "." or parts[at][0] == ".")
            }
            if last in found and not is_folder:
                yield path
            deeper = {at if parts[at] == ANY_FOLDERS else at + 1 for at in found} - {last + 1}
            if is_folder and deeper:
                waiting.append((path, deeper))


def _parts(pattern: str) -> list[str]:
    """The parts of a path; ``**`` after ``**`` adds nothing and is left out."""
    found: list[str] = []
    for part in filter(None, pattern.split(os.sep)):
        if part != ANY_FOLDERS or found[-1:] != [part]:
            found.append(part)
    return found


def _entries(folder: str, parts: list[str]) -> Iterator[tuple[str, bool]]:
    """The entries of a folder that may fit one of some parts, and whether each is a folder or a
    link to one; none where it cannot be listed."""
    if not any(glob.has_magic(part) for part in parts):
        for part in parts:
            if os.path.lexists(path := os.path.join(folder, part)):
                yield part, os.path.isdir(path)
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name, entry.is_dir()
    except OSError:
        return
