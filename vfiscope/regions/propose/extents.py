"""The extents of a mask and of its labelled parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.steps import Mask
from vfiscope.types import Box

__all__ = ["bounds", "extents"]


def bounds(mask: Mask, x: int = 0, y: int = 0) -> Box:
    """The box of the pixels of a mask that has some.

    Args:
        mask: (H, W)
        x, y: place of its first pixel in the frame.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return Box(x + left, y + top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def extents(labels: NDArray[np.int32], count: int) -> list[Box]:
    """The box of each label below ``count``; that of 0, and of a label without pixels, means
    nothing.

    Args:
        labels: (H, W), 0 outside of all parts.
        count: number of labels with 0.
    """
    rows, columns = np.nonzero(labels)
    of = labels[rows, columns]
    low, high = np.full((2, count), max(labels.shape), np.int64), np.zeros((2, count), np.int64)
    for axis, places in enumerate((columns, rows)):
        np.minimum.at(low[axis], of, places)
        np.maximum.at(high[axis], of, places + 1)
    sides = np.concatenate([low, high - low])
    return [Box(*each) for each in sides.T.tolist()]
