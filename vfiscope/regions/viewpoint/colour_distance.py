"""Colours that the other frame does not show nearby: a difference that parallax does not raise."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.steps import FramePair, Mask
from vfiscope.types import Float32, Uint8

__all__ = ["colour_distance"]

CELLS_ACROSS = 120
"""Cells along the longer side."""
REACH_SHARE = 0.05
"""Of the frame's width: how far things may lie apart."""
COLOUR_SIGMA_CELLS = 0.4
DISC_CELLS = 5


def colour_distance(pair: FramePair) -> tuple[Float32, Mask]:
    """How far the colour around each cell is from the nearest colour that the other frame shows
    within 5 % of the width; the larger of both directions.

    Only a and b of CIE Lab count, so that shadows and light drop out. What is narrower than a disc
    of 5 cells does not count: parallax uncovers such rims. A change from grey to grey, of form, or
    of place by less than the reach is not seen. Cells that lie nearer than the reach to what only
    one frame shows are unknown.

    Returns:
        (h, w) distance in Lab, 0 where unknown, and the cells for which it is known.
    """
    height, width = pair.size
    cell = max(1.0, max(height, width) / CELLS_ACROSS)
    size = max(1, round(width / cell)), max(1, round(height / cell))
    reach = max(1, round(REACH_SHARE * size[0]))
    seen = cv2.resize(pair.decidable.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    test, ref = (_cells(each, size) for each in (pair.test, pair.ref))
    distance = np.maximum(_nearest(test, ref, seen, reach), _nearest(ref, test, seen, reach))
    distance = np.where(np.isfinite(distance), distance, 0).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (DISC_CELLS, DISC_CELLS))
    opened = cv2.morphologyEx(distance, cv2.MORPH_OPEN, disc)
    known = _far_from_unseen(seen, reach)
    return np.where(known, opened, 0).astype(np.float32), known


def _far_from_unseen(seen: Mask, reach: int) -> Mask:
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(
        cv2.erode(
            seen.astype(np.uint8),
            square,
            borderType=cv2.BORDER_CONSTANT,
            borderValue=int(seen.all()),
        ),
        bool,
    )


def _cells(frame: Uint8, size: tuple[int, int]) -> Float32:
    """(2, h, w) mean a and b."""
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth = cv2.GaussianBlur(small, (0, 0), COLOUR_SIGMA_CELLS)
    lab = cv2.cvtColor(smooth / np.float32(255), cv2.COLOR_RGB2Lab)
    return np.ascontiguousarray(lab[..., 1:].transpose(2, 0, 1), np.float32)


def _nearest(here: Float32, there: Float32, seen: Mask, reach: int) -> Float32:
    """(h, w) least distance of each cell of one frame to a cell of the other within the reach."""
    height, width = seen.shape
    edges = ((0, 0), (reach, reach), (reach, reach))
    around = np.pad(np.where(seen, there, np.float32(np.inf)), edges, constant_values=np.inf)
    least = np.full(seen.shape, np.inf, np.float32)
    for dy in range(2 * reach + 1):
        for dx in range(2 * reach + 1):
            if np.hypot(dy - reach, dx - reach) <= reach:
                other = around[:, dy : dy + height, dx : dx + width]
                np.minimum(least, ((here - other) ** 2).sum(axis=0), out=least)
    return np.sqrt(least)
