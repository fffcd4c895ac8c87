"""Frames that are in memory already."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from vfiscope.sources.array_forms import Stack
from vfiscope.sources.selection import Options
from vfiscope.sources.source import RGB_COLOR, Counts, Pixels, Row, Source
from vfiscope.types import SourceInfo, Status

__all__ = ["ArrayInfo", "ArraySource"]


@dataclass(frozen=True)
class ArrayInfo(SourceInfo):
    """A source in memory, whose content cannot be found again by its path."""

    content: str = ""
    """``sha256:`` and the digest over dtype, shape and bytes."""


class ArraySource(Source):
    """Frames in memory, full range RGB. What was passed is not changed."""

    def __init__(self, frames: Stack, options: Options) -> None:
        first = frames.rgb(0)
        info = ArrayInfo(
            path="array",
            kind="array",
            width=first.shape[1],
            height=first.shape[0],
            bit_depth=8 if first.dtype == np.uint8 else 16,
            frames_expected=len(frames),
            duration_s=float(len(frames) / options.fps),
            time_base=1 / options.fps,
            rate=options.fps,
            decoder=f"numpy {np.__version__}",
            color=RGB_COLOR,
            size_bytes=len(frames) * first.nbytes,
            notes=frames.notes,
            content=_digest(frames),
        )
        super().__init__(info, options)
        self._frames = frames

    def close(self) -> None:
        super().close()
        self._frames = replace(self._frames, frames=())

    def _rows(self, counts: Counts) -> Generator[Row]:
        for index in range(len(self._frames)):
            counts.decoded += 1
            yield Row(index, index, partial(self._paint, index))
        counts.ended = True

    def _paint(self, index: int, out: Pixels) -> Status:
        self._deliver(self._frames.rgb(index), out)
        return Status.OK


def _digest(frames: Stack) -> str:
    first = frames.rgb(0)
    digest = hashlib.sha256(f"{first.dtype.str} {(len(frames), *first.shape)}\n".encode())
    for index in range(len(frames)):
        digest.update(np.ascontiguousarray(frames.rgb(index)).data)
    return f"sha256:{digest.hexdigest()}"
