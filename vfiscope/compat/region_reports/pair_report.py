"""What a report tells of: one pair of frames and the regions in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfiscope.regions.masks import decode
from vfiscope.regions.settings import Sensitivity
from vfiscope.regions.steps import FramePair, Mask
from vfiscope.types import Answer, Box, Region, Uint8

__all__ = ["PairReport"]


@dataclass(frozen=True, eq=False)
class PairReport:
    """A pair of frames and what was found in it."""

    regions: Sequence[Region]
    """Of this test frame, in the order of the method."""
    answer: Answer
    test: Uint8
    """(H, W, 3) RGB, as compared: after resize and registration."""
    ref: Uint8
    """(H, W, 3) RGB"""
    test_path: str = ""
    """As the report shall name it."""
    ref_path: str = ""
    method: str = "auto"
    """That found the regions."""
    sensitivity: Sensitivity = "medium"
    matches: int = 0
    """Of the registration; 0 where there was none."""
    flagged: Mask | None = None
    """(H, W) all that the method flagged, parts too small for a region too; None where it is not
    known."""

    @property
    def pair(self) -> FramePair:
        """The frames as a method takes them."""
        return FramePair(self.test, self.ref)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        return self.test.shape[0], self.test.shape[1]

    def mask_of(self, region: Region) -> Mask:
        """(H, W) pixels of a region; its box where no mask is stored."""
        if region.mask:
            return decode(region.mask, self.size)
        box = extent(region)
        mask = np.zeros(self.size, bool)
        mask[box.y : box.y + box.h, box.x : box.x + box.w] = True
        return mask


def extent(region: Region) -> Box:
    """The extent of a region's mask in whole pixels; its box where none is known."""
    if region.tight_w and region.tight_h:
        sides = region.tight_x, region.tight_y, region.tight_w, region.tight_h
    else:
        sides = region.x, region.y, region.w, region.h
    return Box(*(round(side) for side in sides))
