"""Thresholds of difference maps. Each returns the level in the map's unit beside the mask, so that
whatever looks at the map again (peaks, reports) uses the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from vfiscope.regions.steps import Cut, Difference, Mask

__all__ = ["any_level", "fixed", "otsu", "quantile"]


def above(difference: Difference, level: float) -> Cut:
    """The pixels above a level that can be decided."""
    return Cut(level, (difference.values > level) & difference.valid)


def fixed(difference: Difference, *, level: float) -> Cut:
    """A threshold in the unit of the map."""
    return above(difference, level)


def quantile(difference: Difference, *, share: float, floor: float = 0.0) -> Cut:
    """The level that a share of the decidable pixels does not exceed.

    A share says how many pixels may be flagged, not whether any differs. The floor does: without
    one, 1 - share of the pixels of an unchanged, noisy pair are flagged.

    Args:
        difference: a map.
        share: 0..1.
        floor: the least level, in the unit of the map.
    """
    values = difference.values[difference.valid]
    if not values.size:
        return above(difference, np.inf)
    return above(difference, max(floor, float(np.quantile(values, share))))


def otsu(difference: Difference, *, floor: float = 0.0, step: float = 1.0) -> Cut:
    """The level that parts the decidable pixels into two classes of least variance (Otsu 1979).

    There are always two classes, also in noise; the floor says what is no change.

    Args:
        difference: a map.
        floor: the least level, in the unit of the map.
        step: width of each of the 256 bins, in the unit of the map; larger values count to the
            last bin.
    """
    values = difference.values[difference.valid]
    if not values.size:
        return above(difference, np.inf)
    bins = np.minimum(np.ceil(values / step), 255).astype(np.uint8)
    level, _ = cv2.threshold(bins, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return above(difference, max(floor, level * step))


def any_level(
    difference: Difference, *, levels: Sequence[float], clean: Callable[[Mask], Mask]
) -> Cut:
    """What lies above any of several levels in any layer, each cleaned by itself.

    The level of the cut is the lowest, which every pixel of the mask exceeds in some layer, but
    for those that ``clean`` adds: a pixel may be above it, and yet not in the mask.
    """
    layers = difference.values[None] if difference.layers is None else difference.layers
    mask = np.zeros_like(difference.valid)
    for layer in layers:
        for level in levels:
            mask |= clean((layer > level) & difference.valid)
    return Cut(min(levels), mask)
