"""The region of a proposal."""

from __future__ import annotations

import numpy as np

from vfiscope.regions.masks import encode
from vfiscope.regions.steps import Cut, Difference, FramePair, Proposal
from vfiscope.types import Region

__all__ = ["describe"]


def describe(pair: FramePair, difference: Difference, cut: Cut, proposal: Proposal) -> Region:
    """The region of a proposal, of frame 0."""
    tight, drawn = proposal.box, proposal.context or proposal.box
    inside = np.s_[tight.y : tight.y + tight.h, tight.x : tight.x + tight.w]
    mask = cut.mask[inside] if proposal.mask is None else proposal.mask
    rows, columns = np.nonzero(mask)
    values = difference.values[inside][mask]
    return Region(
        frame=0,
        x=drawn.x,
        y=drawn.y,
        w=drawn.w,
        h=drawn.h,
        area=len(rows),
        score=float(values.mean()),
        severity=1,
        kind="unknown",
        caption="",
        tight_x=tight.x,
        tight_y=tight.y,
        tight_w=tight.w,
        tight_h=tight.h,
        centroid_x=float(columns.mean()) + tight.x,
        centroid_y=float(rows.mean()) + tight.y,
        peak=float(values.max()),
        mask=encode(mask, tight, pair.size),
    )
