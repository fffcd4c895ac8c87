"""Places for the numbers of boxes in an image: none over another, and none outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vfiscope.types import Float64

__all__ = ["Rect", "places_for"]

RINGS, RING_PLACES = 14, 16
"""Where a number is placed whose box has no room beside it: on so many rings around the box, in so
many directions."""
ROOMY = 3.0
"""Sides of a box, in sides of its number, from which on the number may stand inside."""


class Rect(NamedTuple):
    """Left, top, right and bottom."""

    x0: float
    y0: float
    x1: float
    y1: float


def places_for(
    boxes: Sequence[Rect], sizes: Sequence[tuple[float, float]], room: tuple[float, float]
) -> list[Rect | None]:
    """A place for each number, beside its box where there is room.

    A place where it covers no box counts more than one close to its own. The first boxes choose
    first.

    Args:
        boxes: in pixels of the figure.
        sizes: (width, height) of each number.
        room: (width, height) that all lie in.

    Returns:
        The places, in the order of the boxes; None where nothing is free around a box.
    """
    taken: list[Rect] = []
    every = np.array(boxes, np.float64).reshape(-1, 4)
    found: list[Rect | None] = []
    for n, (box, size) in enumerate(zip(boxes, sizes, strict=True)):
        others = np.delete(every, n, axis=0)
        place = _beside(box, size, room, taken, others) or _around(box, size, room, taken, others)
        found.append(place)
        if place is not None:
            taken.append(place)
    return found


def _beside(
    box: Rect,
    size: tuple[float, float],
    room: tuple[float, float],
    taken: list[Rect],
    others: Float64,
) -> Rect | None:
    """The first free place that touches the box."""
    return _best(list(_touching(box, size)), room, taken, others, 0.0)


def _around(
    box: Rect,
    size: tuple[float, float],
    room: tuple[float, float],
    taken: list[Rect],
    others: Float64,
) -> Rect | None:
    """The nearest free place around the box, even if it covers another box."""
    w, h = size
    middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    places = []
    for ring in range(RINGS):
        for turn in np.arange(RING_PLACES) * (2 * np.pi / RING_PLACES):
            x = middle_x + np.cos(turn) * ((box.x1 - box.x0 + w) / 2 + ring * h)
            y = middle_y + np.sin(turn) * ((box.y1 - box.y0 + h) / 2 + ring * h)
            places.append(Rect(x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    return _best(places, room, taken, others, np.inf)


def _best(
    places: list[Rect], room: tuple[float, float], taken: list[Rect], others: Float64, most: float
) -> Rect | None:
    """The first of the places that cover least of other boxes, if that is at most ``most``."""
    if not places:
        return None
    rects = np.array(places)
    inside = (rects[:, :2] >= 0).all(1) & (rects[:, 2:] <= room).all(1)
    free = inside & (_covered(rects, np.array(taken).reshape(-1, 4)) == 0)
    cost = np.where(free, _covered(rects, others), np.inf)
    best = int(np.argmin(cost))
    return places[best] if free[best] and cost[best] <= most else None


def _touching(box: Rect, size: tuple[float, float]) -> Iterator[Rect]:
    w, h = size
    corners = [
        (box.x0, box.y0 - h),
        (box.x1 - w, box.y0 - h),
        (box.x0, box.y1),
        (box.x1 - w, box.y1),
        (box.x1, box.y0),
        (box.x0 - w, box.y0),
        (box.x1, box.y1 - h),
        (box.x0 - w, box.y1 - h),
    ]
    if box.x1 - box.x0 >= ROOMY * w and box.y1 - box.y0 >= ROOMY * h:
        corners += [(x, y) for y in (box.y0, box.y1 - h) for x in (box.x0, box.x1 - w)]
    for x, y in corners:
        yield Rect(x, y, x + w, y + h)


def _covered(rects: Float64, by: Float64) -> Float64:
    """(N,) area of each that the others (M, 4) cover, counted once for each of them."""
    low = np.maximum(rects[:, None, :2], by[None, :, :2])
    high = np.minimum(rects[:, None, 2:], by[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=-1).sum(axis=1), np.float64)
