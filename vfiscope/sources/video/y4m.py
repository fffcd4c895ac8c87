"""The structure of Y4M files (YUV4MPEG2): a line, then frames that each begin with a line."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

__all__ = ["Y4M_MAGIC", "y4m_end", "y4m_size"]

Y4M_MAGIC = b"YUV4MPEG2 "
MAX_LINE_BYTES = 256
CHROMA = {b"420": (2, 2), b"411": (4, 1), b"422": (2, 1), b"444": (1, 1), b"mono": None}
"""{beginning of the tag C: columns and rows of pixels to a sample of colour, or None}"""
OPACITY, DEEP = b"alpha", re.compile(rb"(?:mono|p)([0-9]{1,2})$")


def y4m_size(file: BinaryIO) -> tuple[int, int] | None:
    """(width, height) that a file claims; None for another kind of file."""
    tags = _tags(file)
    try:
        return int(tags[b"W"]), int(tags[b"H"])
    except (KeyError, ValueError):
        return None


def y4m_end(file: BinaryIO) -> int | None:
    """Where the last frame that has begun should end; None where the format is not known."""
    frame = _frame_bytes(_tags(file))
    if frame is None:
        return None
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    at = len(file.readline(MAX_LINE_BYTES))
    while at < size:
        file.seek(at)
        at += len(file.readline(MAX_LINE_BYTES)) + frame
    return at


def _tags(file: BinaryIO) -> dict[bytes, bytes]:
    """{letter: value} of the first line."""
    file.seek(0)
    line = file.readline(MAX_LINE_BYTES)
    if not line.startswith(Y4M_MAGIC):
        return {}
    return {word[:1]: word[1:] for word in line.split()[1:]}


def _frame_bytes(tags: dict[bytes, bytes]) -> int | None:
    space = tags.get(b"C", b"420")
    kind = next((name for name in CHROMA if space.startswith(name)), None)
    if kind is None or not (tags.get(b"W", b"").isdigit() and tags.get(b"H", b"").isdigit()):
        return None
    width, height, steps = int(tags[b"W"]), int(tags[b"H"]), CHROMA[kind]
    color = 0 if steps is None else 2 * -(-width // steps[0]) * -(-height // steps[1])
    samples = width * height * (2 if space.endswith(OPACITY) else 1) + color
    deep = DEEP.search(space)
    return samples * (2 if deep is not None and int(deep[1]) > 8 else 1)
