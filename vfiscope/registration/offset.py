"""The offset of a whole frame from its partner, without registering it: cheap, and exact to a small
part of a pixel for shifts alone.

Phase correlation (Kuglin and Hines 1975) of tiles all over the frame; it looks at the phases of the
spectrum alone, so light does not matter. The median of the tiles leaves out what moves by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import luma_plane
from vfiscope.types import Float32

__all__ = ["frame_offset"]

TILES = 4
"""Tiles across and down."""
TILE_SIDES_PX = (32, 128)
"""Least and greatest side of a tile."""
MIN_TILE_DEVIATION = 3.0
"""Standard deviation in code values below which a tile lacks texture."""
MIN_PEAK = 0.05
"""Response of a tile below which its peak is chance."""
MIN_TILES = 4
"""Tiles that must tell something."""


def frame_offset(
    test: NDArray[np.generic], ref: NDArray[np.generic], bit_depth: int, ref_depth: int
) -> tuple[float, float]:
    """(dx, dy) px: content at (x, y) of the test frame is, as a whole, at (x + dx, y + dy) of the
    partner. NaN where too few tiles tell.

    Args:
        test: (H, W, 3) code values.
        ref: (H, W, 3), of the same size.
        bit_depth: of the test.
        ref_depth: of the partner.
    """
    rough = _correlated(test, ref, bit_depth, ref_depth, (0, 0))
    whole = None if rough is None else (round(rough[0]), round(rough[1]))
    if rough is None or whole is None or whole == (0, 0):
        return rough or (math.nan, math.nan)
    # Tiles that show the same place lose nothing at their borders, and so tell it exactly.
    return _correlated(test, ref, bit_depth, ref_depth, whole) or rough


def _correlated(
    test: NDArray[np.generic],
    ref: NDArray[np.generic],
    bit_depth: int,
    ref_depth: int,
    by: tuple[int, int],
) -> tuple[float, float] | None:
    """The median offset of tiles, those of the partner moved by so many pixels (dx, dy); None where
    too few tell."""
    found = []
    for top, left, side in _tiles(test.shape[0], test.shape[1]):
        there = top + by[1], left + by[0]
        if min(there) < 0 or there[0] + side > ref.shape[0] or there[1] + side > ref.shape[1]:
            continue
        own = luma_plane(_tile(test, top, left, side), bit_depth)
        other = luma_plane(_tile(ref, *there, side), ref_depth)
        if min(float(own.std()), float(other.std())) >= MIN_TILE_DEVIATION:
            (dx, dy), peak = cv2.phaseCorrelate(own, other, _window(side))
            if peak >= MIN_PEAK:
                found.append((dx + by[0], dy + by[1]))
    if len(found) < MIN_TILES:
        return None
    dx, dy = np.median(found, axis=0)
    return float(dx), float(dy)


def _tile(pixels: NDArray[np.generic], top: int, left: int, side: int) -> NDArray[np.generic]:
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int]]:
    """(top, left, side) of square tiles spread evenly; none where the frame is too small."""
    least, most = TILE_SIDES_PX
    side = min(most, min(height, width) // 2)
    if side < least:
        return
    side = 1 << (side.bit_length() - 1)
    for top in np.linspace(0, height - side, TILES).astype(int):
        for left in np.linspace(0, width - side, TILES).astype(int):
            yield int(top), int(left), side


def _window(side: int) -> Float32:
    return np.asarray(cv2.createHanningWindow((side, side), cv2.CV_32F), np.float32)
