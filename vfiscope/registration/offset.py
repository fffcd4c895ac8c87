"""The offset of a whole frame from its partner: for shifts alone, cheap and exact to a small part
of a pixel.

Phase correlation (Kuglin and Hines 1975) of the reduced frames finds where to look. Tiles all over
the frame then climb to their largest enhanced correlation coefficient (Evangelidis and Psarakis
2008), which no gain or offset of the light changes. The median of the tiles leaves out what moves
by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import luma_plane
from vfiscope.registration.homography import reduced
from vfiscope.types import Float32

__all__ = ["frame_offset"]

ROUGH_SIDE = 256
"""Longer side in pixels of the frames for the first search."""
MIN_PEAK = 0.03
"""Response of the first search below which its peak is chance."""
TILES = 4
"""Tiles across and down."""
TILE_SIDES_PX = (24, 96)
"""Least and greatest side of a tile."""
MIN_TILE_SLOPE = 0.4
"""Slope in code values per pixel that a tile must have in every direction: along a straight edge
nothing tells how far it has moved."""
SLOPE_BLUR_PX = 1.5
"""Noise has no slope once it is blurred by so much."""
MIN_TILE_CORRELATION = 0.6
MIN_TILES = 4
"""Tiles that must tell something."""
CLIMB_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)


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
    tiles = list(_tiles(test.shape[0], test.shape[1]))
    if not tiles:
        return math.nan, math.nan
    own, other = luma_plane(test, bit_depth), luma_plane(ref, ref_depth)
    rough = _rough(own, other)
    found = [
        offset
        for top, left, side in tiles
        if (offset := _climbed(own, other, (top, left), side, rough)) is not None
    ]
    if len(found) < MIN_TILES:
        return math.nan, math.nan
    dx, dy = np.median(found, axis=0)
    return float(dx), float(dy)


def _rough(test: Float32, ref: Float32) -> tuple[int, int]:
    """The offset (dx, dy) of the reduced frames, in whole pixels of the full ones."""
    small, back = reduced(test, ROUGH_SIDE, ROUGH_SIDE)
    small_ref, _ = reduced(ref, ROUGH_SIDE, ROUGH_SIDE)
    window = cv2.createHanningWindow((small.shape[1], small.shape[0]), cv2.CV_32F)
    # OpenCV lays the window over the planes that it is given.
    (dx, dy), peak = cv2.phaseCorrelate(small.copy(), small_ref.copy(), window)
    if not peak >= MIN_PEAK:
        return 0, 0
    return round(dx * float(back[0, 0])), round(dy * float(back[1, 1]))


def _climbed(
    test: Float32, ref: Float32, corner: tuple[int, int], side: int, start: tuple[int, int]
) -> tuple[float, float] | None:
    """The offset (dx, dy) of one tile, searched from a start; None where it cannot tell."""
    top, left = corner
    there, along = top + start[1], left + start[0]
    if min(there, along) < 0 or there + side > ref.shape[0] or along + side > ref.shape[1]:
        return None
    own = np.ascontiguousarray(test[top : top + side, left : left + side])
    other = np.ascontiguousarray(ref[there : there + side, along : along + side])
    if min(_least_slope(own), _least_slope(other)) < MIN_TILE_SLOPE:
        return None
    try:
        alike, found = cv2.findTransformECC(
            own, other, np.eye(2, 3, dtype=np.float32), cv2.MOTION_TRANSLATION, CLIMB_STEPS
        )
    except cv2.error:  # raised by OpenCV where the search does not converge
        return None
    if not alike >= MIN_TILE_CORRELATION:
        return None
    return float(found[0, 2]) + start[0], float(found[1, 2]) + start[1]


def _least_slope(tile: Float32) -> float:
    """Root mean square slope in the direction in which it is least."""
    smooth = cv2.GaussianBlur(tile, (0, 0), SLOPE_BLUR_PX)
    across, down = (
        cv2.Sobel(smooth, cv2.CV_32F, dx, dy, ksize=3, scale=1 / 8) for dx, dy in ((1, 0), (0, 1))
    )
    mixed = float((across * down).mean())
    tensor = [[float(np.square(across).mean()), mixed], [mixed, float(np.square(down).mean())]]
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(tensor)[0])))


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int]]:
    """(top, left, side) of square tiles spread evenly; none where the frame is too small."""
    least, most = TILE_SIDES_PX
    side = min(most, min(height, width) // 3)
    if side < least:
        return
    for top in np.linspace(0, height - side, TILES).astype(int):
        for left in np.linspace(0, width - side, TILES).astype(int):
            yield int(top), int(left), side
