"""Thresholds and peaks as TrackShift and FrameShift published them, with their mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vfiscope.regions.propose.peaks import owned
from vfiscope.regions.steps import Cut, Difference, Mask, Proposal
from vfiscope.types import Box

__all__ = ["frameshift_clean", "frameshift_mask", "frameshift_peaks", "trackshift_points"]

PEAK_WINDOW = 20
MOST_POINTS = 32
POINT_CELLS = 4


def rank(difference: Difference, percentile: float) -> float:
    """The percentile of the scores: a rank and no test, so 2, 5 or 10 % of the patches of
    identical frames are above it too."""
    return float(np.percentile(difference.cells, percentile)) if difference.cells is not None else 0


def frameshift_mask(difference: Difference, *, percentile: float) -> Cut:
    """FrameShift's mask: grey levels above t * 255 / max, with t the percentile of the scores and
    max their largest. The least score is forgotten, so the level is always too high."""
    largest = float(difference.cells.max()) if difference.cells is not None else 0.0
    if largest <= 0:
        return Cut(np.inf, np.zeros(difference.values.shape, bool))
    level = rank(difference, percentile) * 255 / largest
    return Cut(level, difference.values > level)


def frameshift_clean(mask: Mask) -> Mask:
    """The mask closed and then opened by an ellipse of 5 x 5."""
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, ellipse)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, ellipse), bool)


def frameshift_peaks(difference: Difference, cut: Cut, *, percentile: float) -> Sequence[Proposal]:
    """FrameShift's points: the largest grey level within 20 x 20 px, where it is above t * 255.

    A mistake that is kept: the level takes a cosine distance for a part of 1, so it is not that of
    the mask, and far too low. The published program took every pixel of a plateau as a point, in
    rounded grey levels of a large frame many thousands; here each plateau is one, at its first
    pixel. The points went to SAM 2, which ignored them; here each has the window around it.
    ``cut`` is not used, as published.
    """
    values = difference.values
    highest = cv2.dilate(values, np.ones((PEAK_WINDOW, PEAK_WINDOW), np.uint8))
    top = (values == highest) & (values > rank(difference, percentile) * 255)
    labels = cv2.connectedComponents(top.astype(np.uint8))[1]
    rows, columns = np.nonzero(top)
    _, first = np.unique(labels[rows, columns], return_index=True)
    rows, columns = rows[first], columns[first]
    height, width = values.shape
    found = []
    for x, y in zip(columns.tolist(), rows.tolist(), strict=True):
        left, top = max(0, x - PEAK_WINDOW // 2), max(0, y - PEAK_WINDOW // 2)
        right, bottom = min(width, x + PEAK_WINDOW // 2), min(height, y + PEAK_WINDOW // 2)
        box = Box(left, top, right - left, bottom - top)
        found.append(Proposal(box, mask=np.ones((box.h, box.w), bool), point=(x, y)))
    return found


def trackshift_points(difference: Difference, cut: Cut) -> Sequence[Proposal]:
    """TrackShift's points: of more than 32 pixels of the mask the best in each of 4 x 4 parts of
    the frame, else all; each with the pixels of the mask that are nearest to it, in place of SAM
    2's masks, of which only those of 1000 pixels and more were kept."""
    rows, columns = np.nonzero(cut.mask)
    if len(rows) > MOST_POINTS:
        height, width = cut.mask.shape
        part = rows * POINT_CELLS // height * POINT_CELLS + columns * POINT_CELLS // width
        order = np.argsort(-difference.values[rows, columns], kind="stable")
        _, first = np.unique(part[order], return_index=True)
        rows, columns = rows[order[first]], columns[order[first]]
    return owned(cut.mask, np.column_stack([columns, rows]).astype(np.int64))
