"""Frames that are in memory already."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.sources.selection import Options
from vfiscope.sources.source import RGB_COLOR, Counts, Pixels, Row, Source
from vfiscope.types import SourceInfo, Status

__all__ = ["ArrayInfo", "ArraySource", "as_array"]

DTYPES = (np.uint8, np.uint16)


@dataclass(frozen=True)
class ArrayInfo(SourceInfo):
    """A source in memory, whose content cannot be found again by its path."""

    content: str = ""
    """``sha256:`` and the digest over dtype, shape and bytes."""


class ArraySource(Source):
    """The frames of an (N, H, W, 3) or (H, W, 3) array, uint8 or uint16, full range RGB. The array
    is not changed.

    Raises:
        SourceError: the array has another shape or dtype, or is empty.
    """

    def __init__(self, frames: NDArray[Any], options: Options) -> None:
        if (
            frames.ndim not in (3, 4)
            or frames.shape[-1] != 3
            or frames.dtype not in DTYPES
            or not frames.size
        ):
            raise SourceError(
                f"an array {frames.shape} {frames.dtype} is not a sequence of frames: pass (N, H,"
                " W, 3) or (H, W, 3), uint8 or uint16, with at least one pixel"
            )
        frames = frames[np.newaxis] if frames.ndim == 3 else frames
        info = ArrayInfo(
            path="array",
            kind="array",
            width=frames.shape[2],
            height=frames.shape[1],
            bit_depth=8 if frames.dtype == np.uint8 else 16,
            frames_expected=len(frames),
            duration_s=float(len(frames) / options.fps),
            time_base=1 / options.fps,
            rate=options.fps,
            decoder=f"numpy {np.__version__}",
            color=RGB_COLOR,
            size_bytes=frames.nbytes,
            content=_digest(frames),
        )
        super().__init__(info, options)
        self._frames = frames

    def close(self) -> None:
        super().close()
        self._frames = self._frames[:0]

    def _rows(self, counts: Counts) -> Generator[Row]:
        for index, frame in enumerate(self._frames):
            counts.decoded += 1
            yield Row(index, index, partial(self._paint, frame))
        counts.ended = True

    def _paint(self, frame: NDArray[Any], out: Pixels) -> Status:
        self._deliver(frame, out)
        return Status.OK


def as_array(target: Any) -> NDArray[Any] | None:
    """A numpy or torch array as numpy, without copying where that is possible; None for anything
    else.

    Torch is recognised by its name, so that it need not be imported.
    """
    if isinstance(target, np.ndarray):
        return target
    if type(target).__module__.partition(".")[0] == "torch" and hasattr(target, "detach"):
        array: NDArray[Any] = target.detach().cpu().numpy()
        return array
    return None


def _digest(frames: NDArray[Any]) -> str:
    digest = hashlib.sha256(f"{frames.dtype.str} {frames.shape}\n".encode())
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).data)
    return f"sha256:{digest.hexdigest()}"
