"""Connected components of the mask."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from vfiscope.regions.steps import Cut, Difference, Proposal
from vfiscope.types import Box

__all__ = ["components"]


def components(
    difference: Difference,
    cut: Cut,
    *,
    min_area: int = 1,
    max_size: tuple[float, float] = (math.inf, math.inf),
    limit: int | None = None,
) -> Sequence[Proposal]:
    """One proposal for each part that is connected by sides or corners, the largest first.

    Args:
        difference: not used.
        cut: the mask.
        min_area: in pixels; smaller parts are left out.
        max_size: (width, height) in pixels; parts whose box is wider or higher are left out.
        limit: how many to keep, the largest; None: all.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cut.mask.astype(np.uint8))
    areas = stats[1:count, cv2.CC_STAT_AREA]
    found = []
    for label in 1 + np.argsort(-areas, kind="stable"):
        x, y, w, h, area = (int(value) for value in stats[label])
        if area >= min_area and w <= max_size[0] and h <= max_size[1]:
            found.append(Proposal(Box(x, y, w, h), mask=labels[y : y + h, x : x + w] == label))
    return found[:limit]
