"""The masks of proposals: that of the map unless they have their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfiscope.regions.steps import Cut, Mask, Proposal

__all__ = ["covered", "map_mask"]


def map_mask(cut: Cut, proposal: Proposal) -> Mask:
    """(box.h, box.w) pixels of a proposal: its own or, without them, those above the threshold in
    its box; where there are none either, the whole box."""
    box = proposal.box
    above = cut.mask[box.y : box.y + box.h, box.x : box.x + box.w]
    mask = above if proposal.mask is None else proposal.mask
    return mask if mask.any() else np.ones_like(above)


def covered(cut: Cut, proposals: Sequence[Proposal]) -> float:
    """Part of the frame that the masks of the proposals cover together, 0..1; they may overlap."""
    union = np.zeros_like(cut.mask)
    for each in proposals:
        box = each.box
        union[box.y : box.y + box.h, box.x : box.x + box.w] |= map_mask(cut, each)
    return float(union.mean()) if union.size else 0.0
