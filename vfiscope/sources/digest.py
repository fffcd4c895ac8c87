"""The identity of what was read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from vfiscope.errors import SourceError
from vfiscope.files import file_digest
from vfiscope.sources.array import ArrayInfo
from vfiscope.types import SourceInfo

__all__ = ["digest"]


def digest(info: SourceInfo, of_file: Callable[[str], str] = file_digest) -> str:
    """``sha256:`` and 64 hexadecimal digits that stand for the content of a source.

    Videos: over the bytes of the file. Images: over name (relative to the folder that all share),
    size and SHA-256 of every file in order, so that a folder keeps its digest when it is moved.
    Arrays: over dtype, shape and bytes.

    Args:
        info: of the source.
        of_file: the SHA-256 of a file, like :func:`~vfiscope.files.kept_digest`.

    Raises:
        SourceError: a file cannot be read.
    """
    if isinstance(info, ArrayInfo):
        return info.content
    if not info.files:
        return f"sha256:{_file_digest(info.path, of_file)}"
    total = hashlib.sha256()
    for name, file in zip(info.names, info.files, strict=True):
        entry = (name, *_image_digest(file, of_file))
        total.update(os.fsencode("\0".join(entry) + "\n"))
    return f"sha256:{total.hexdigest()}"


def _image_digest(path: str, of_file: Callable[[str], str]) -> tuple[str, str]:
    """Size and digest of an image; a file that cannot be read keeps its place, as its frame keeps
    its row."""
    try:
        return str(os.path.getsize(path)), _file_digest(path, of_file)
    except (OSError, SourceError):
        return "0", "unreadable"


def _file_digest(path: str, of_file: Callable[[str], str]) -> str:
    try:
        return of_file(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
