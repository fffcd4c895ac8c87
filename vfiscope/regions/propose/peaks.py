"""Peaks of the map above the threshold."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.steps import Cut, Difference, Mask, Proposal
from vfiscope.types import Box, Float32, Int64

Int32 = NDArray[np.int32]

__all__ = ["owned", "peaks", "peaks_of"]


def peaks(
    difference: Difference,
    cut: Cut,
    *,
    window: int = 20,
    share: float = 0.0,
    dip: float = 0.0,
    min_area: int = 1,
) -> Sequence[Proposal]:
    """One proposal for each local maximum of the map inside the mask, the highest first.

    The mask decides, so that peaks and mask have the same threshold. Each pixel of the mask belongs
    to the nearest peak of its connected part, or, where a part has none because a higher peak lies
    within the window, to the nearest peak of all.

    Args:
        difference: the map.
        cut: the mask.
        window: side in pixels of the square in which a maximum is the highest; rounded up until
            half of it is odd.
        share: of the short side of the frame that the window measures at least.
        dip: part of its own height, 0..1, to which the map must fall on every way from a peak to a
            higher one; else it belongs to that. With 0, each maximum is a peak of its own.
        min_area: pixels of the mask that a peak must own; others are left out.
    """
    window = max(window, round(share * min(cut.mask.shape)))
    places = peaks_of(difference.values, cut.mask, window)
    if dip > 0:
        places = _separate(difference.values, cut.mask, places, dip)
    return owned(cut.mask, places, min_area=min_area)


def _separate(values: Float32, mask: Mask, places: Int64, dip: float) -> Int64:
    """The places, the highest first, without those that a high enough way joins to a higher one."""
    kept: list[tuple[int, int]] = []
    for x, y in places.tolist():
        above = mask & (values > dip * values[y, x])
        _, labels = cv2.connectedComponents(above.astype(np.uint8))
        if labels[y, x] not in {labels[b, a] for a, b in kept}:
            kept.append((x, y))
    return np.array(kept, np.int64).reshape(-1, 2)


def peaks_of(values: Float32, mask: Mask, window: int) -> Int64:
    """(K, 2) places (x, y) of the local maxima in a mask, the highest first.

    Equal maxima that touch or lie in each other's window are one: of a plateau, its pixel nearest
    to its centroid.
    """
    reach = max(1, window // 2) | 1  # odd, so that squares of half of it touch at this distance
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inside = np.where(mask, values, -np.inf).astype(np.float32)
    top = mask & (inside == cv2.dilate(inside, square, borderValue=-np.inf))
    half = np.ones((reach, reach), np.uint8)  # maxima this near to each other are equal
    joined = cv2.dilate(top.astype(np.uint8), half)
    count, labels = cv2.connectedComponents(joined)
    rows, columns = np.nonzero(top)
    label = labels[rows, columns]
    found = []
    for each in range(1, count):
        y, x = rows[label == each], columns[label == each]
        at = int(np.argmin((y - y.mean()) ** 2 + (x - x.mean()) ** 2))
        found.append((int(x[at]), int(y[at])))
    found.sort(key=lambda place: -float(values[place[1], place[0]]))
    return np.array(found, np.int64).reshape(-1, 2)


def owned(mask: Mask, places: Int64, *, min_area: int = 1) -> Sequence[Proposal]:
    """A proposal for each place, with the pixels of the mask that belong to it.

    Args:
        mask: (H, W).
        places: (K, 2) places (x, y) inside the mask.
        min_area: in pixels; others are left out.
    """
    if not len(places):
        return []
    labels = np.asarray(cv2.connectedComponents(mask.astype(np.uint8))[1], np.int32)
    rows, columns = np.nonzero(mask)
    owner = _owners(np.column_stack([columns, rows]), labels[rows, columns], places, labels)
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(len(places) + 1))
    found = []
    for number, (x, y) in enumerate(places.tolist()):
        own = order[ends[number] : ends[number + 1]]
        if len(own) < max(1, min_area):
            continue
        left, top = int(columns[own].min()), int(rows[own].min())
        box = Box(left, top, int(columns[own].max()) - left + 1, int(rows[own].max()) - top + 1)
        inside = np.zeros((box.h, box.w), bool)
        inside[rows[own] - top, columns[own] - left] = True
        found.append(Proposal(box, mask=inside, point=(x, y)))
    return found


def _owners(pixels: Int64, parts: Int32, places: Int64, labels: Int32) -> Int64:
    """The number of the place that each pixel belongs to.

    Args:
        pixels: (M, 2) places (x, y).
        parts: (M,) the connected part of each.
        places: (K, 2).
        labels: (H, W) connected parts.
    """
    at = labels[places[:, 1], places[:, 0]]
    owner = np.full(len(pixels), -1, np.int64)
    for part in np.unique(at):
        own = parts == part
        owner[own] = _nearest_place(pixels[own], places, np.flatnonzero(at == part))
    rest = owner < 0
    owner[rest] = _nearest_place(pixels[rest], places, np.arange(len(places)))
    return owner


def _nearest_place(pixels: Int64, places: Int64, choice: Int64) -> Int64:
    if len(choice) == 1 or not len(pixels):
        return np.full(len(pixels), choice[0], np.int64)
    from sklearn.neighbors import KDTree

    tree = KDTree(places[choice].astype(np.float64))
    return np.asarray(choice[tree.query(pixels, return_distance=False)[:, 0]], np.int64)
