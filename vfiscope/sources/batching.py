"""Gather rows into batches of Frames: the only place where the frames of a source are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import Beside
from vfiscope.types import Frames, Status

__all__ = ["SelectedRow", "arrange", "gather"]


@dataclass(frozen=True, slots=True)
class SelectedRow:
    """One selected frame: where it is, when it is shown, and how its pixels are written."""

    index: int
    pts: int
    time_s: float
    paint: Callable[..., Status]
    """Writes the frame into (H, W, 3), and what belongs beside it if it is called with that."""


def gather(
    rows: Iterator[SelectedRow],
    *,
    shape: tuple[int, int, int, int],
    bit_depth: int,
    time_base: Fraction,
    with_beside: bool = False,
) -> Iterator[Frames]:
    """Batches of ``shape[0]`` frames, the last one shorter where the rows run out.

    A batch is painted row by row while its frame is the current one, so nothing is copied twice, no
    two batches share pixels, and no decoded frame outlives its turn.

    Args:
        rows: the frames, in order.
        shape: (batch, height, width, 3).
        bit_depth: 8 for uint8, more for uint16.
        time_base: seconds per unit of pts.
        with_beside: True to have the rows write what belongs beside their pixels, too.
    """
    blocks = _Blocks(shape, np.dtype(np.uint8 if bit_depth == 8 else np.uint16))
    planes = _Blocks(shape[:3], np.dtype(np.uint8)) if with_beside else None
    while (first := next(rows, None)) is not None:
        data = blocks.take()
        beside = None if planes is None else (planes.take(), np.empty((shape[0], 3), np.int64))
        index: list[int] = []
        pts: list[int] = []
        time_s: list[float] = []
        status: list[Status] = []
        for row in chain([first], islice(rows, shape[0] - 1)):
            place = len(index)
            written = () if beside is None else (Beside(*(each[place] for each in beside)),)
            status.append(row.paint(data[place], *written))
            index.append(row.index)
            pts.append(row.pts)
            time_s.append(row.time_s)
        yield frames_from_array(
            data[: len(index)],
            index=np.array(index, np.int64),
            pts=np.array(pts, np.int64),
            time_s=np.array(time_s, np.float64),
            status=np.array(status, np.uint8),
            time_base=time_base,
            bit_depth=bit_depth,
            beside=None if beside is None else [each[: len(index)] for each in beside],
        )
        # Their memory may be used again as soon as the receiver has done with it.
        del data, beside, written


class _Blocks:
    """Memory for batches, each block used again once nothing refers to its last batch any more.

    The system clears memory that it gives out, page by page, which for large batches took as long
    as decoding them. There are as many blocks as batches are held at once.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._shape, self._dtype = shape, dtype
        self._free: list[memoryview] = []

    def take(self) -> NDArray[Any]:
        """An array of undefined content."""
        block = self._free.pop() if self._free else np.empty(self._shape, self._dtype).data
        # All views of an array refer to the one that got its memory from elsewhere: to this one.
        owner = np.frombuffer(block, self._dtype)
        finalize(owner, self._free.append, block).atexit = False
        return owner.reshape(self._shape)


def arrange(
    rows: Iterable[SelectedRow],
    ordinals: Sequence[int],
    *,
    size: tuple[int, int],
    bit_depth: int,
    time_base: Fraction,
) -> Frames:
    """Rows as one batch, in the order of some ordinals, which may repeat.

    Args:
        rows: each of the ordinals once, in any order.
        ordinals: the content of the batch.
        size: (height, width).
        bit_depth: 8 for uint8, more for uint16.
        time_base: seconds per unit of pts.

    Raises:
        KeyError: with the first ordinal that has no row.
    """
    data = np.empty((len(ordinals), *size, 3), np.uint8 if bit_depth == 8 else np.uint16)
    places: dict[int, int] = {}
    for place, ordinal in enumerate(ordinals):
        places.setdefault(ordinal, place)
    told: dict[int, tuple[int, float, Status]] = {}
    for row in rows:
        told[row.index] = (row.pts, row.time_s, row.paint(data[places[row.index]]))
    columns = [told[ordinal] for ordinal in ordinals]
    for place, ordinal in enumerate(ordinals):
        if places[ordinal] != place:
            data[place] = data[places[ordinal]]
    return frames_from_array(
        data,
        index=np.array(ordinals, np.int64),
        pts=np.array([pts for pts, _, _ in columns], np.int64),
        time_s=np.array([seconds for _, seconds, _ in columns], np.float64),
        status=np.array([status for _, _, status in columns], np.uint8),
        time_base=time_base,
        bit_depth=bit_depth,
    )


def frames_from_array(
    data: NDArray[Any],
    *,
    index: NDArray[np.int64],
    pts: NDArray[np.int64],
    time_s: NDArray[np.float64],
    status: NDArray[np.uint8],
    time_base: Fraction,
    bit_depth: int,
    beside: Iterable[NDArray[Any]] | None = None,
) -> Frames:
    """Frames over (N, H, W, 3) C-contiguous pixels; their data is a transposed view of the same
    memory. ``beside`` are their luma and sums."""
    planes = data.transpose(0, 3, 1, 2)
    return Frames(planes, index, pts, time_s, status, time_base, bit_depth, *(beside or ()))
