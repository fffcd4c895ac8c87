"""The identity of what was read."""

from __future__ import annotations

import hashlib
import os

from vfiscope.errors import SourceError
from vfiscope.files import file_digest
from vfiscope.sources.array import ArrayInfo
from vfiscope.types import SourceInfo

__all__ = ["digest"]


def digest(info: SourceInfo) -> str:
    """``sha256:`` and 64 hexadecimal digits that stand for the content of a source.

    Videos: over the bytes of the file. Images: over name (relative to the folder that all share),
    size and SHA-256 of every file in order, so that a folder keeps its digest when it is moved.
    Arrays: over dtype, shape and bytes.

    Raises:
        SourceError: a file cannot be read.
    """
    if isinstance(info, ArrayInfo):
        return info.content
    if not info.files:
        return f"sha256:{_file_digest(info.path)}"
    total = hashlib.sha256()
    for name, file in zip(info.names, info.files, strict=True):
        entry = (name, *_image_digest(file))
        total.update(os.fsencode("\0".join(entry) + "\n"))
    return f"sha256:{total.hexdigest()}"


def _image_digest(path: str) -> tuple[str, str]:
    """Size and digest of an image; a file that cannot be read keeps its place, as its frame keeps
    its row."""
    try:
        return str(os.path.getsize(path)), _file_digest(path)
    except (OSError, SourceError):
        return "0", "unreadable"


def _file_digest(path: str) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
