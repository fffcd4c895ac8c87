"""Frames that come one by one, kept on disk so that they can be read as often as a job needs."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError

__all__ = ["check_alike", "is_stream", "spooled"]


def is_stream(target: Any) -> bool:
    """True for a generator or another iterator, which can be gone through once only."""
    return isinstance(target, Iterator) and not isinstance(target, io.IOBase)


def spooled(
    frames: Iterator[Any], plain: Callable[[Any], NDArray[Any]], limit: int | None = None
) -> NDArray[Any]:
    """The frames of an iterator as one array, mapped from a temporary file without a name.

    One frame is in memory at a time. The file vanishes with the array, however the process ends.

    Args:
        frames: of one shape and dtype.
        plain: makes an array of each.
        limit: how many frames to take at most; None takes all.

    Raises:
        SourceError: there is no frame, one differs in shape or dtype from the first, or the disk is
            full.
    """
    count, form = 0, None
    with tempfile.TemporaryFile(prefix="vfiscope-") as file:
        while limit is None or count < limit:
            frame = next(frames, None)
            if frame is None:
                break
            array = np.ascontiguousarray(plain(frame))
            form = (array.shape, array.dtype) if form is None else form
            check_alike(array, *form, count)
            _write(file, array, count)
            count += 1
            del frame, array  # before the next one is made
        file.flush()
        if form is None:
            raise SourceError("a generator without a frame is not a source: pass one that has some")
        shape, dtype = (count, *form[0]), form[1]
        return np.memmap(file, dtype, "r", shape=shape) if all(shape) else np.empty(shape, dtype)


def check_alike(
    array: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any], index: int
) -> None:
    """Refuse a frame of another shape or dtype than the first has.

    Raises:
        SourceError: it differs.
    """
    if array.shape != shape or array.dtype != dtype:
        raise SourceError(
            f"frame {index} is {array.shape} {array.dtype}, frame 0 is {shape} {dtype}: pass frames"
            " of one size and type"
        )


def _write(file: Any, array: NDArray[Any], index: int) -> None:
    try:
        file.write(array.data)
    except OSError as error:
        raise SourceError(
            f"frame {index} of a generator cannot be kept in {tempfile.gettempdir()}"
            f" ({os.strerror(error.errno or 0)}): set TMPDIR to a folder with more space, or pass"
            " fewer frames"
        ) from error
