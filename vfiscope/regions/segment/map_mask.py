"""The mask of the map."""

from __future__ import annotations

import numpy as np

from vfiscope.regions.steps import Cut, Mask, Proposal

__all__ = ["map_mask"]


def map_mask(cut: Cut, proposal: Proposal) -> Mask:
    """(box.h, box.w) pixels of a proposal: its own or, without them, those above the threshold in
    its box; where there are none either, the whole box."""
    box = proposal.box
    above = cut.mask[box.y : box.y + box.h, box.x : box.x + box.w]
    mask = above if proposal.mask is None else proposal.mask
    return mask if mask.any() else np.ones_like(above)
