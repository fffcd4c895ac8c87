"""How far each part of a reference frame lies from its place in the test frame."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float32, Uint8

__all__ = ["looked_up", "shift_field", "shifted"]

COARSE_REACH, COARSE_SHIFT_CELL = 4, 16
"""Pixels at half the size."""
FINE_REACH, FINE_SHIFT_CELL = 2, 24
"""Pixels at the full size."""
WORST_MISMATCH = 60
"""A pixel counts for at most so many codes: a change is not to be matched."""
STEP_COST = 0.05
"""Codes by which a pixel of shift must lower the mean difference."""
MIN_FALL, MIN_FALL_SHARE = 0.15, 0.1
"""A shift counts from where it lowers the mean difference by so many codes and by this share."""
FULL_FALL_CODES = 0.3
FIELD_SIGMA = 0.8
"""Cells, of the Gaussian that joins neighbouring shifts."""
STILL_WEIGHT = 0.02
"""Weight of "no shift" against what the neighbourhood says."""


def shift_field(test: Uint8, ref: Uint8) -> Float32:
    """The shift at each pixel: what the test frame shows at x lies in the reference at x + shift.

    Cells are matched by their mean absolute difference, first at half the size, then at the full
    size with the shifts found so far undone. A cell counts as much as its shift lowers the
    difference: where a frame is flat or truly changed no shift does, and the cell follows its
    neighbours, or stays.

    Args:
        test: (H, W) codes.
        ref: (H, W) codes.

    Returns:
        (2, H, W) dx, dy in pixels, up to about 10.
    """
    height, width = test.shape
    coarse = np.float32(2) * _cells(_half(test), _half(ref), COARSE_REACH, COARSE_SHIFT_CELL)
    field = _spread(coarse, 2 * COARSE_SHIFT_CELL, (height, width))
    fine = _cells(test, shifted(ref, field), FINE_REACH, FINE_SHIFT_CELL)
    field += _spread(fine, FINE_SHIFT_CELL, (height, width))
    return field


def looked_up(field: Float32) -> tuple[Float32, Float32]:
    """(H, W) x and y at which each pixel is looked up in the reference."""
    rows, columns = (np.arange(length, dtype=np.float32) for length in field.shape[1:])
    return field[0] + columns, field[1] + rows[:, None]


def shifted(plane: Uint8, field: Float32) -> Uint8:
    """A plane with the shifts undone, linear between pixels, the nearest pixel outside."""
    if not field.any():
        return plane
    x, y = looked_up(field)
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=border), np.uint8)


def _half(plane: Uint8) -> Uint8:
    height, width = plane.shape
    even = cv2.copyMakeBorder(plane, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = (even.shape[1] // 2, even.shape[0] // 2)
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cells(test: Uint8, ref: Uint8, reach: int, cell: int) -> Float32:
    """(2, h, w) shift of each cell."""
    costs = np.stack(list(_costs(test, ref, reach, cell)))
    side = 2 * reach + 1
    dy, dx = np.indices((side, side)) - reach
    costs += STEP_COST * np.hypot(dy, dx).astype(np.float32).reshape(-1, 1, 1)
    best = costs.argmin(axis=0)
    still = costs[side * reach + reach]
    fall = still - costs.min(axis=0)
    least = np.maximum(MIN_FALL, MIN_FALL_SHARE * still)
    weight = np.clip((fall - least) / np.maximum(still, FULL_FALL_CODES), 0, 1)
    found = np.stack([_part(costs, best, side, 1), _part(costs, best, side, side)])
    return _joined(found, weight)


def _costs(test: Uint8, ref: Uint8, reach: int, cell: int) -> Iterator[Float32]:
    """(h, w) mean difference of each cell and its neighbours, for each shift, row by row."""
    height, width = test.shape
    below, right = -height % cell, -width % cell
    whole = cv2.copyMakeBorder(test, 0, below, 0, right, cv2.BORDER_REPLICATE)
    sides = (reach, reach + below, reach, reach + right)
    around = cv2.copyMakeBorder(ref, *sides, cv2.BORDER_REPLICATE)
    rows, columns = whole.shape
    cells = (columns // cell, rows // cell)
    for dy in range(2 * reach + 1):
        for dx in range(2 * reach + 1):
            mismatch = cv2.absdiff(whole, around[dy : dy + rows, dx : dx + columns])
            capped = np.minimum(mismatch, WORST_MISMATCH).astype(np.float32)
            mean = cv2.resize(capped, cells, interpolation=cv2.INTER_AREA)
            around_it = cv2.blur(mean, (3, 3), borderType=cv2.BORDER_REPLICATE)
            yield np.asarray(around_it, np.float32)


def _part(costs: Float32, best: NDArray[np.int64], side: int, stride: int) -> Float32:
    """The best shift along one axis, between whole pixels where the costs make a V."""
    index = best // stride % side
    inside = (index > 0) & (index < side - 1)
    step = np.where(inside, stride, 0)
    before, at, after = (
        np.take_along_axis(costs, place[None], axis=0)[0]
        for place in (best - step, best, best + step)
    )
    rise = np.maximum(before, after) - at
    between = np.divide(before - after, 2 * rise, out=np.zeros_like(at), where=rise > 0)
    return np.asarray(index - side // 2 + np.where(inside, between, 0), np.float32)


def _joined(found: Float32, weight: Float32) -> Float32:
    def smooth(plane: Float32) -> Float32:
        return np.asarray(
            cv2.GaussianBlur(plane, (0, 0), FIELD_SIGMA, borderType=cv2.BORDER_REPLICATE)
        )

    total = smooth(weight) + np.float32(STILL_WEIGHT)
    return np.stack([smooth(weight * cv2.medianBlur(part, 3)) / total for part in found])


def _spread(cells: Float32, cell: int, size: tuple[int, int]) -> Float32:
    """(2, H, W): the shifts of cells at each pixel, linear between their centres."""
    height, width = size
    whole = (cells.shape[2] * cell, cells.shape[1] * cell)
    return np.stack(
        [cv2.resize(np.ascontiguousarray(part), whole)[:height, :width] for part in cells]
    )
