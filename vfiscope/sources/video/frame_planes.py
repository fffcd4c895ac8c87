"""Planes of decoded frames as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

__all__ = ["PLANAR_8_BIT", "lines_of"]

PLANAR_8_BIT = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
"""Pixel formats of 8 bits with a plane each for Y, U and V."""


BYTES = np.dtype(np.uint8)


def lines_of(plane: VideoPlane, dtype: np.dtype[Any] = BYTES) -> NDArray[Any]:
    """A plane as (H, samples with padding), the top line first; the memory lives as long as the
    frame."""
    columns = abs(plane.line_size) // dtype.itemsize
    samples = np.frombuffer(memoryview(plane), dtype, count=plane.height * columns)
    lines = samples.reshape(plane.height, columns)
    return lines if plane.line_size > 0 else lines[::-1]  # stored from the bottom up
