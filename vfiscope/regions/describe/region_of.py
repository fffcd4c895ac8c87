"""The region of a proposal."""

from __future__ import annotations

import numpy as np

from vfiscope.regions.describe.kind_of import kind_of
from vfiscope.regions.describe.region_caption import region_caption
from vfiscope.regions.describe.severity_of import severity_of, times_threshold
from vfiscope.regions.describe.surroundings import surroundings
from vfiscope.regions.describe.what_changed import UNTOLD, Change, what_changed
from vfiscope.regions.masks import encode
from vfiscope.regions.segment.map_mask import map_mask
from vfiscope.regions.steps import Cut, Difference, FramePair, Mask, Proposal
from vfiscope.types import Box, Region

__all__ = ["describe"]


def describe(pair: FramePair, difference: Difference, cut: Cut, proposal: Proposal) -> Region:
    """The region of a proposal, of frame 0.

    Where neither the proposal nor the map has a pixel above the threshold inside the extent, the
    whole extent is the mask. Of a frame without a reference, what changed and of which kind it is
    cannot be told.
    """
    tight, drawn = proposal.box, proposal.context or proposal.box
    mask = map_mask(cut, proposal)
    rows, columns = np.nonzero(mask)
    values = difference.values[tight.y : tight.y + tight.h, tight.x : tight.x + tight.w][mask]
    centre = float(columns.mean()) + tight.x, float(rows.mean()) + tight.y
    share, peak = len(rows) / (pair.size[0] * pair.size[1]), float(values.max())
    change, kind = _told(pair, difference, cut, tight, mask)
    return Region(
        0,
        *drawn,
        area=len(rows),
        score=float(values.mean()),
        severity=severity_of(share, times_threshold(peak, cut.level)),
        kind=kind,
        caption=region_caption(
            kind,
            change,
            tight,
            centre,
            pair.size,
            share=share,
            peak=peak,
            level=cut.level,
            unit=difference.unit,
        ),
        tight_x=tight.x,
        tight_y=tight.y,
        tight_w=tight.w,
        tight_h=tight.h,
        centroid_x=centre[0],
        centroid_y=centre[1],
        peak=peak,
        change=change.name,
        mask=encode(mask, tight, pair.size),
        mask_by=proposal.mask_by,
    )


def _told(
    pair: FramePair, difference: Difference, cut: Cut, tight: Box, mask: Mask
) -> tuple[Change, str]:
    """What changed, and of which kind it is."""
    if pair.is_alone:
        return UNTOLD, "unknown"
    look = surroundings(pair, difference, cut, tight, mask)
    change = what_changed(look)
    return change, kind_of(look, change, pair.size)
