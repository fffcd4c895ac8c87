"""The offset of a whole frame from its partner: for shifts alone, cheap and exact to a small part
of a pixel.

Tiles all over the frame climb to their largest enhanced correlation coefficient (Evangelidis and
Psarakis 2008), which no gain or offset of the light changes. They start in their places where most
are much like what lies there, and elsewhere where phase correlation (Kuglin and Hines 1975) of the
reduced frames finds them. The median of the tiles leaves out what moves by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import REORDERED, compiled
from vfiscope.pixels import LUMA_WEIGHTS, eight_bit_scale, luma_plane
from vfiscope.registration.climb import NO_SUM, climb
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
MIN_TILES, ENOUGH_TILES = 4, 6
"""Tiles that must tell something, and those from which on no more than half need be looked at."""
MIN_PLACED_CORRELATION, MIN_PLACED_SHARE = 0.9, 0.75
"""Correlation of a tile with the one in its place, and the part of the tiles that must reach it,
from which on nothing need be searched for elsewhere."""


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
    own, other = (test, bit_depth), (ref, ref_depth)
    corners = list(_corners(test.shape[0], test.shape[1]))
    found = _offsets(own, other, corners[: len(corners) // 2])
    if len(found) < ENOUGH_TILES:
        found = _offsets(own, other, corners)
    if len(found) < MIN_TILES:
        return math.nan, math.nan
    dx, dy = np.median(found, axis=0)
    return float(dx), float(dy)


def _offsets(
    own: tuple[NDArray[Any], int],
    other: tuple[NDArray[Any], int],
    corners: Sequence[tuple[int, int, int]],
) -> list[tuple[float, float]]:
    """(dx, dy) of those of some tiles that tell. Frames are given with their bit depths."""
    tiles = [
        (top, left, tile)
        for top, left, side in corners
        if (tile := _tile(own, top, left, side)) is not None
    ]
    start, pairs = (0, 0), _pairs(tiles, other, (0, 0))
    if len(tiles) >= MIN_TILES and not _are_in_place(pairs):
        start = _rough(_rough_luma(*own), _rough_luma(*other), own[0].shape[:2])
        pairs = _pairs(tiles, other, start)
    climbed = (climb(*pair) for pair in pairs)
    return [
        (dx + start[0], dy + start[1]) for dx, dy, alike in climbed if alike >= MIN_TILE_CORRELATION
    ]


def _tile(frame: tuple[NDArray[Any], int], top: int, left: int, side: int) -> Float32 | None:
    """The luma of a tile of a frame, which is given with its bit depth; None where it lies outside
    or cannot tell."""
    pixels, depth = frame
    if min(top, left) < 0 or top + side > pixels.shape[0] or left + side > pixels.shape[1]:
        return None
    tile = luma_plane(pixels[top : top + side, left : left + side], depth)
    return None if _least_slope(tile) < MIN_TILE_SLOPE else tile


def _pairs(
    tiles: Sequence[tuple[int, int, Float32]],
    other: tuple[NDArray[Any], int],
    start: tuple[int, int],
) -> list[tuple[Float32, Float32]]:
    """Tiles, which are given with their corners, with those of the other frame that lie (dx, dy)
    from them, where these can tell too."""
    across, down = start
    return [
        (own, there)
        for top, left, own in tiles
        if (there := _tile(other, top + down, left + across, len(own))) is not None
    ]


def _are_in_place(pairs: Sequence[tuple[Float32, Float32]]) -> bool:
    """True if most tiles are so like those in their places that climbing can begin there."""
    alike = sum(float(correlation(*pair)) >= MIN_PLACED_CORRELATION for pair in pairs)
    return alike >= max(MIN_TILES, MIN_PLACED_SHARE * len(pairs))


@compiled(REORDERED)
def correlation(own: Any, other: Any) -> Any:
    """The correlation of two (h, w) float32 planes: rows are summed in float32, and their sums in
    float64."""
    sums = np.zeros(5)
    for y in range(own.shape[0]):
        t, w, tt, ww, tw = NO_SUM, NO_SUM, NO_SUM, NO_SUM, NO_SUM
        for x in range(own.shape[1]):
            here, there = own[y, x], other[y, x]
            t += here
            w += there
            tt += here * here
            ww += there * there
            tw += here * there
        sums[0] += t
        sums[1] += w
        sums[2] += tt
        sums[3] += ww
        sums[4] += tw
    own_mean, mean = sums[0] / own.size, sums[1] / own.size
    powers = (sums[2] - sums[0] * own_mean) * (sums[3] - sums[1] * mean)
    return (sums[4] - sums[0] * mean) / np.sqrt(powers)


def _rough_luma(pixels: NDArray[Any], bit_depth: int) -> Float32:
    """(h, w) luma of a frame, averaged over areas until no side is longer than 256 px."""
    height, width = pixels.shape[:2]
    factor = ROUGH_SIDE / max(height, width)
    if factor >= 1.0:
        return luma_plane(pixels, bit_depth)
    made = np.empty((max(1, round(height * factor)), max(1, round(width * factor))), np.float32)
    weights = np.array(LUMA_WEIGHTS, np.float32) * np.float32(eight_bit_scale(bit_depth))
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    most = (height // len(made) + 1) * int(np.iinfo(rows.dtype).max)
    whole = np.empty(rows.shape[1], np.min_scalar_type(most))
    area_luma(rows, weights, whole, made)
    return made


@compiled(REORDERED)
def area_luma(pixels: Any, weights: Any, whole: Any, made: Any) -> None:
    """Fill (h, w) float32 with the luma of the areas of a frame.

    Args:
        pixels: (H, 3 W) the rows of the frame.
        weights: (3,) float32 of R, G and B.
        whole: (3 W,) unsigned, wide enough for sums of the rows that lie in an area as a whole;
            written over.
        made: filled.
    """
    tall, broad = pixels.shape[0] / made.shape[0], pixels.shape[1] // 3 / made.shape[1]
    sums = np.empty(pixels.shape[1], np.float32)
    for i in range(made.shape[0]):
        start, stop = i * tall, (i + 1) * tall
        first: Any = np.int64(start)
        last = min(math.ceil(stop), pixels.shape[0]) - 1
        whole[:] = 0
        for y in range(first + 1, last):
            row = pixels[y]
            for x in range(sums.shape[0]):
                whole[x] += row[x]
        above, below, share = pixels[first], pixels[last], np.float32(1 / tall)
        part = np.float32(covered(first, start, stop) / tall)
        end = np.float32(covered(last, start, stop) / tall if last > first else 0.0)
        for x in range(sums.shape[0]):
            ends = part * np.float32(above[x]) + end * np.float32(below[x])
            sums[x] = ends + share * np.float32(whole[x])
        for j in range(made.shape[1]):
            total = 0.0
            for x in range(np.int64(j * broad), min(math.ceil((j + 1) * broad), len(sums) // 3)):
                luma = sums[3 * x] * weights[0] + sums[3 * x + 1] * weights[1]
                luma += sums[3 * x + 2] * weights[2]
                total += covered(x, j * broad, (j + 1) * broad) * luma
            made[i, j] = total / broad


@compiled(inner=True)
def covered(pixel: int, start: float, stop: float) -> float:
    """Part of a pixel between two places along its axis."""
    return max(0.0, min(pixel + 1.0, stop) - max(np.float64(pixel), start))


def _rough(test: Float32, ref: Float32, size: tuple[int, ...]) -> tuple[int, int]:
    """The offset (dx, dy) of the reduced frames, in whole pixels of full ones of a size."""
    height, width = test.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    # OpenCV lays the window over the planes that it is given.
    (dx, dy), peak = cv2.phaseCorrelate(test, ref, window)
    if not peak >= MIN_PEAK:
        return 0, 0
    return round(dx * size[1] / width), round(dy * size[0] / height)


def _least_slope(tile: Float32) -> float:
    """Root mean square slope in the direction in which it is least."""
    tensor = np.zeros((2, 2))
    slope_tensor(cv2.GaussianBlur(tile, (0, 0), SLOPE_BLUR_PX), tensor)
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(tensor)[0])))


@compiled(REORDERED)
def slope_tensor(smooth: Any, tensor: Any) -> None:
    """Fill (2, 2) float64 with the mean products of the slopes of a plane across and down, by Sobel
    with the border mirrored."""
    height, width = smooth.shape
    for y in range(height):
        above, below = smooth[abs(y - 1)], smooth[y + 1 if y + 1 < height else height - 2]
        here = smooth[y]
        xx, yy, xy = np.float32(0), np.float32(0), np.float32(0)
        for x in range(1, width - 1):
            across = above[x + 1] - above[x - 1] + below[x + 1] - below[x - 1]
            across = (across + 2 * (here[x + 1] - here[x - 1])) / 8
            down = below[x - 1] - above[x - 1] + below[x + 1] - above[x + 1]
            down = (down + 2 * (below[x] - above[x])) / 8
            xx += across * across
            yy += down * down
            xy += across * down
        for x in (0, width - 1):  # the slope across is 0 there
            inner = 1 if x == 0 else width - 2
            down = (below[inner] - above[inner] + below[x] - above[x]) / 4
            yy += down * down
        tensor[0, 0] += xx
        tensor[1, 1] += yy
        tensor[0, 1] += xy
    tensor[1, 0] = tensor[0, 1]
    tensor /= height * width


def _corners(height: int, width: int) -> Iterator[tuple[int, int, int]]:
    """(top, left, side) of square tiles spread evenly, as the fields of a chessboard: first all of
    one colour. None where the frame is too small."""
    least, most = TILE_SIDES_PX
    side = min(most, min(height, width) // 3)
    if side < least:
        return
    tops, lefts = (np.linspace(0, length - side, TILES).astype(int) for length in (height, width))
    for colour in (0, 1):
        for i, j in product(range(TILES), repeat=2):
            if (i + j) % 2 == colour:
                yield int(tops[i]), int(lefts[j]), side
