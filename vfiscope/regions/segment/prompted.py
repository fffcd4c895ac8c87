"""Masks drawn by a network that is prompted with the proposals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from vfiscope.regions.segment.map_mask import map_mask
from vfiscope.regions.steps import Cut, Difference, FramePair, Mask, Proposal
from vfiscope.types import Box, Uint8

__all__ = ["DrawMasks", "prompted"]

DrawMasks = Callable[[Uint8, Sequence[Proposal]], Iterable[Mask]]
"""Takes a frame (H, W, 3), 8-bit RGB, and proposals; gives for each of them, in their order, the
(H, W) pixels of the thing in its box."""


def prompted(
    pair: FramePair,
    difference: Difference,
    cut: Cut,
    proposals: Sequence[Proposal],
    *,
    draw: DrawMasks,
    name: str,
) -> Sequence[Proposal]:
    """The proposals, in the same order, with the masks that a network draws for them.

    What appeared is seen in the test frame, what is missing in the reference: both are asked, and
    of the two masks the one that agrees better with the map (by intersection over union) is taken.
    It is cut at the box that is reported, and left out where the map is not valid. A mask of which
    less than half remains is that of something larger, such as the ground that a thing lies on.
    Where neither mask is of the thing in the box, or shares a pixel with the map's own mask, the
    proposal stays as it is, and with it the name of what drew its mask.

    Args:
        pair: the frames.
        difference: where it can be told whether they differ.
        cut: the mask of the map.
        proposals: the prompts.
        draw: the network.
        name: what is said to have drawn the masks.
    """
    if not proposals:
        return proposals
    drawn = zip(draw(pair.test, proposals), draw(pair.ref, proposals), strict=True)
    return [
        _with_better(proposal, masks, difference.valid, map_mask(cut, proposal), name)
        for proposal, masks in zip(proposals, drawn, strict=True)
    ]


def _with_better(
    proposal: Proposal, masks: Sequence[Mask], valid: Mask, own: Mask, name: str
) -> Proposal:
    box, reported = proposal.box, proposal.context or proposal.box
    x, y, w, h = reported
    inside = np.zeros_like(valid)
    inside[y : y + h, x : x + w] = valid[y : y + h, x : x + w]
    kept = [mask & inside for mask in masks]
    agreement = [
        _agreement(part, box, own) if 2 * np.count_nonzero(part) >= np.count_nonzero(mask) else 0.0
        for part, mask in zip(kept, masks, strict=True)
    ]
    best = int(np.argmax(agreement))
    if not agreement[best]:
        return proposal
    extent = _extent(kept[best])
    mask = kept[best][extent.y : extent.y + extent.h, extent.x : extent.x + extent.w].copy()
    return replace(proposal, box=extent, context=reported, mask=mask, mask_by=name)


def _agreement(mask: Mask, box: Box, own: Mask) -> float:
    """Intersection over union of an (H, W) mask and one of a box, 0..1."""
    common = np.count_nonzero(mask[box.y : box.y + box.h, box.x : box.x + box.w] & own)
    return common / (np.count_nonzero(mask) + np.count_nonzero(own) - common)


def _extent(mask: Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x, y = int(columns[0]), int(rows[0])
    return Box(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
