"""The difference spotter of spot-the-difference pages: ``spotter``, and as published.

SSIM of colours after a blur, a threshold, opening and dilation, connected components. As published
each pair is stretched to its own range and a quantile always flags one pixel in twenty, whether
anything differs or not; and width and height are mixed up in the rule for large parts, whose
purpose was to drop the background. Here the level is fixed, a part may have any size, and dilation
groups parts and draws their boxes, but is no part of their masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from vfiscope.regions.clean import dilated, in_turn, opened
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.prepared import after_blur, stretched
from vfiscope.regions.difference.structure import structure_difference
from vfiscope.regions.propose.components import components
from vfiscope.regions.propose.extents import bounds
from vfiscope.regions.settings import Sensitivity, Settings
from vfiscope.regions.steps import Cut, Difference, Method, Proposal
from vfiscope.regions.threshold import fixed, quantile

__all__ = ["spotter", "spotter_legacy"]

DISSIMILAR: dict[Sensitivity, float] = {"low": 0.7, "medium": 0.5, "high": 0.3}
"""1 - SSIM."""
MOST_PARTS = 15

_opened = partial(opened, size=3, times=3)
_dilated = partial(dilated, size=5, times=2)


def spotter(settings: Settings) -> Method:
    """The method ``spotter``."""
    return Method(
        difference=partial(after_blur, difference=partial(structure_difference, window="gaussian")),
        threshold=partial(fixed, level=DISSIMILAR[settings.sensitivity]),
        clean=_opened,
        propose=grouped,
        describe=describe,
    )


def spotter_legacy(settings: Settings) -> Method:
    """The method ``spotter-legacy``: as published, whatever the settings. Frames that are alike,
    at which the published code fails, have no region."""
    unclipped = partial(structure_difference, window="gaussian", clip=False)
    blurred = partial(after_blur, difference=unclipped, size_of=blur_size)
    return Method(
        difference=partial(stretched, difference=blurred),
        threshold=partial(quantile, share=0.95),
        clean=partial(in_turn, steps=(_opened, _dilated)),
        propose=_not_large,
        describe=describe,
        keeps_order=True,
    )


def grouped(difference: Difference, cut: Cut) -> Sequence[Proposal]:
    """The parts of the mask that are one when it is dilated: the box of the dilated part is the
    context, and the mask has the changed pixels alone, which lie above the level."""
    found = []
    for part in components(difference, replace(cut, mask=_dilated(cut.mask)), limit=MOST_PARTS):
        x, y, w, h = part.box
        changed = cut.mask[y : y + h, x : x + w]
        mask = changed if part.mask is None else changed & part.mask
        box = bounds(mask, x, y)
        top, left = box.y - y, box.x - x
        tight = mask[top : top + box.h, left : left + box.w]
        found.append(Proposal(box, context=part.box, mask=tight))
    return found


def blur_size(width: int) -> int:
    """The odd side of the published blur for a frame's width; 0: as sigma needs."""
    side = width // 50
    return side - (side % 2 == 0) if side else 0


def _not_large(difference: Difference, cut: Cut) -> Sequence[Proposal]:
    """No part wider than half the height or higher than half the width."""
    height, width = cut.mask.shape
    return components(difference, cut, max_size=(height / 2, width / 2), limit=MOST_PARTS)
