"""Checksums of decoded frames, by which a frame that is found again is known to be the same.

Every frame of a pass has one, so it is a sum of 32-bit words with a weight for each place in a
line, in a fifth of the time of a CRC. The weights are drawn, so that small changes of several words
do not cancel out, as they do with weights of any pattern: what differs has another checksum with
all but certainty. Runs of older versions hold the CRC-32, which is less than any sum.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import compiled
from vfiscope.sources.video.frame_planes import lines_of
from vfiscope.sources.video.properties import Properties, properties_of

__all__ = ["checksum", "has_checksum"]

LEAST_SUM = 2**62
MIXING = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: odd, and its multiples lie far apart."""


def checksum(frame: av.VideoFrame) -> int:
    """The checksum of the samples of a frame and of all values that affect their conversion to RGB:
    from 2^62 up to 2^63."""
    total = np.uint64(_crc_of(properties_of(frame)))
    for lines, count in _lines(frame):
        if count % 4 or lines.shape[1] % 4:
            lines = np.pad(lines[:, :count], ((0, 0), (0, -count % 4)))
        total = np.uint64(_add(lines.view(np.uint32), _weights(-(-count // 4)), total))
    return LEAST_SUM + (int(total) >> 2)


def has_checksum(frame: av.VideoFrame, recorded: int) -> bool:
    """True if a frame has a checksum, which may be the CRC-32 of an older version."""
    if recorded >= LEAST_SUM:
        return checksum(frame) == recorded
    found = _crc_of(properties_of(frame))
    for lines, count in _lines(frame):
        found = zlib.crc32(np.ascontiguousarray(lines[:, :count]).data, found)
    return found == recorded


@lru_cache(maxsize=64)
def _crc_of(told: Properties) -> int:
    name, width, height, *colors, interlaced = told
    return zlib.crc32(repr((name, (width, height), colors, interlaced)).encode())


def _lines(frame: av.VideoFrame) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """The lines of each plane, and how many of their bytes are no padding, whose content is
    undefined."""
    planes = frame.planes
    for number, plane in enumerate(planes):
        if frame.format.has_palette and number:
            palette = np.frombuffer(memoryview(plane), np.uint8)
            yield palette[None], len(palette)
        else:
            count = _line_bytes(frame.format.name, len(planes), number, plane.width)
            yield lines_of(plane), count


@lru_cache(maxsize=64)
def _line_bytes(name: str, planes: int, number: int, width: int) -> int:
    """Bytes of a line of one of the planes of a pixel format."""
    video_format = av.VideoFormat(name)
    if video_format.has_palette:
        return width
    if planes == 1:
        return -(-width * video_format.padded_bits_per_pixel // 8)
    own = [part for part in video_format.components if part.plane == number]
    return sum(width * -(-part.bits // 8) for part in own)


@lru_cache(maxsize=8)
def _weights(count: int) -> NDArray[np.uint32]:
    """Odd numbers for the words of a line, the same in every version of numpy."""
    drawn = np.random.PCG64(1).random_raw(count) >> np.uint64(32)
    return drawn.astype(np.uint32) | np.uint32(1)


@compiled()
def _add(words: Any, weights: Any, total: Any) -> Any:
    """The total with as many words of each line added as there are weights; all sums wrap
    around."""
    for row in range(words.shape[0]):
        line = np.uint64(0)
        for i in range(weights.shape[0]):
            line += np.uint64(words[row, i]) * np.uint64(weights[i])
        total = (total ^ line) * MIXING
        total ^= total >> np.uint64(32)
    return total
