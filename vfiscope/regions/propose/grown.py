"""Regions that grow from pixels which certainly changed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.propose.extents import extents
from vfiscope.regions.steps import Cut, Difference, Mask, Proposal
from vfiscope.types import Box

__all__ = ["grown", "with_context"]


def grown(
    difference: Difference,
    cut: Cut,
    *,
    gap: int,
    min_seeds: int,
    margin: float,
    min_side: float,
) -> Sequence[Proposal]:
    """The parts of the mask with the rim beside them, joined over small gaps, and over the bridge
    of the difference where each holds enough by itself.

    Args:
        difference: its rim is what the mask grows into, up to its reach.
        cut: the pixels that certainly changed.
        gap: pixels between parts of one region.
        min_seeds: pixels of the mask that a region must hold.
        margin: of the box with context, part of the frame's short side on each side.
        min_side: of the box with context, part of the frame's short side.

    Returns:
        The largest change first: by pixels of the mask times their highest value.
    """
    seeds = cut.mask
    if np.count_nonzero(seeds) < min_seeds:
        return []
    mask = _with_rim(seeds, difference.rim, difference.reach)
    labels, count = _parts(mask, gap)
    if difference.bridge is not None:
        mask = mask & (np.bincount(labels[seeds], minlength=count) >= min_seeds)[labels]
        seeds = seeds & mask
        labels, count = _parts(mask | difference.bridge, gap)
    holds = np.bincount(labels[seeds], minlength=count)
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, labels[seeds], difference.values[seeds])
    labels[~mask] = 0
    kept = [
        label for label in np.argsort(-holds * peaks, kind="stable") if holds[label] >= min_seeds
    ]
    boxes = extents(labels, count)
    short = min(seeds.shape)
    return [
        Proposal(
            box := boxes[label],
            with_context(box, seeds.shape, margin * short, min_side * short),
            labels[box.y : box.y + box.h, box.x : box.x + box.w] == label,
        )
        for label in kept
    ]


def _parts(mask: Mask, gap: int) -> tuple[NDArray[np.int32], int]:
    """(H, W) the label of each part of a mask, joined over small gaps, and their number with 0."""
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((gap + 1, gap + 1), np.uint8))
    count, labels = cv2.connectedComponents(joined)
    return np.asarray(labels, np.int32), count


def with_context(box: Box, size: tuple[int, ...], margin: float, min_side: float) -> Box:
    """A box with a margin, at least so large, cut at the border of the frame."""
    x, w = _widened(box.x, box.w, margin, min_side, size[1])
    y, h = _widened(box.y, box.h, margin, min_side, size[0])
    return Box(x, y, w, h)


def _widened(start: int, length: int, margin: float, least: float, end: int) -> tuple[int, int]:
    extra = max(margin, (least - length) / 2)
    low, high = max(0, round(start - extra)), min(end, round(start + length + extra))
    return low, high - low


def _with_rim(seeds: Mask, rim: Mask | None, reach: int) -> Mask:
    if rim is None:
        return seeds
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = cv2.dilate(seeds.astype(np.uint8), disc)
    return np.asarray(seeds | (rim & (near > 0)))
