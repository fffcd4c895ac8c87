"""What OpenCV leaves open about AVIF images: their depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AVIF_HEAD_BYTES", "avif_bits", "to_full_range"]

AVIF_HEAD_BYTES = 2**16
"""Enough to find what :func:`avif_bits` needs."""
AV1_CONFIGURATION = b"av1C"
FLAGS_AT, HIGH_DEPTH, TWELVE_BITS = 2, 0x40, 0x20
"""In an AV1CodecConfigurationBox after its name (AV1 in ISOBMFF, 2.3.3)."""


def avif_bits(head: bytes) -> int:
    """8, 10 or 12: the depth of the deepest of the images that the first bytes of a file tell
    of."""
    depths = [8]
    for box in head.split(AV1_CONFIGURATION)[1:]:
        flags = box[FLAGS_AT] if len(box) > FLAGS_AT else 0
        if flags & HIGH_DEPTH:
            depths.append(12 if flags & TWELVE_BITS else 10)
    return max(depths)


def to_full_range(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Pixels as OpenCV has them, with white at 65535 where they have more than 8 bits."""
    if pixels.dtype != np.uint16:
        return pixels
    return np.rint(pixels * (65535 / ((1 << bits) - 1))).astype(np.uint16)
