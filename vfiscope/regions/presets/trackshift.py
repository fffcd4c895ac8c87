"""TrackShift's methods that need no network: ``hybrid``, ``fusion`` and ``ensemble`` (its
approaches 1 to 3), and each as published.

They blend the structural and the absolute difference, threshold the blends, and box the contours.
As published they look at luma, and take 255 (1 - SSIM) modulo 256, which hides the pixels that
differ most; SSIM of flat areas tells noise; and k-means calls some cluster changed whatever it
holds. Here they look at smoothed colours, SSIM is clipped and counts up to twice the absolute
difference, and a cluster counts only above the lowest level. The published SAM step never reached
SAM and changed no box.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from vfiscope.regions.clean import closed, in_turn, opened
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.blend import blended
from vfiscope.regions.difference.prepared import after_blur
from vfiscope.regions.kmeans import strongest_cluster
from vfiscope.regions.propose.contours import contours
from vfiscope.regions.settings import Sensitivity, Settings
from vfiscope.regions.steps import Cut, Difference, FramePair, Method
from vfiscope.regions.threshold import any_level, fixed

__all__ = ["ensemble", "ensemble_legacy", "fusion", "fusion_legacy", "hybrid", "hybrid_legacy"]

BLEND_LEVELS: dict[Sensitivity, tuple[int, int, int]] = {
    "low": (50, 70, 90),
    "medium": (30, 50, 70),
    "high": (15, 30, 50),
}
"""Code values of the blends; the middle one alone in ``hybrid``."""
BLENDS = tuple(np.linspace(0.1, 1, 10).tolist())
"""Weights of the structural difference."""
MOST_STRUCTURE = 2.0
"""The structural difference counts up to so many times the absolute one."""
MIN_BOX = 100
"""Pixels of the box, not of what lies in it."""
FEW_CLUSTERS = 3

_open_close_2 = partial(
    in_turn, steps=(partial(opened, size=3, times=2), partial(closed, size=3, times=2))
)
_open_close_3 = partial(
    in_turn, steps=(partial(opened, size=3, times=2), partial(closed, size=3, times=3))
)


def _blends(weights: Sequence[float], legacy: bool) -> Callable[[FramePair], Difference]:
    if legacy:
        return partial(blended, weights=weights, colour=False, wrap=True)
    return partial(after_blur, difference=partial(blended, weights=weights, limit=MOST_STRUCTURE))


def hybrid(settings: Settings, *, legacy: bool = False) -> Method:
    """The method ``hybrid``: half SSIM, half absolute difference, one level."""
    return Method(
        difference=_blends((0.5,), legacy),
        threshold=partial(fixed, level=BLEND_LEVELS[settings.sensitivity][1]),
        clean=_open_close_3,
        propose=partial(contours, min_box=MIN_BOX, largest_first=not legacy),
        describe=describe,
        keeps_order=legacy,
    )


def fusion(settings: Settings, *, legacy: bool = False) -> Method:
    """The method ``fusion``: whatever any of ten blends shows above any of three levels."""
    levels = BLEND_LEVELS[settings.sensitivity]
    return Method(
        difference=_blends(BLENDS, legacy),
        threshold=partial(any_level, levels=levels, clean=_open_close_2),
        propose=partial(contours, min_box=MIN_BOX, largest_first=not legacy),
        describe=describe,
        keeps_order=legacy,
    )


def ensemble(settings: Settings, *, legacy: bool = False) -> Method:
    """The method ``ensemble``: ``fusion``, and the strongest of three clusters of its blends."""
    levels = BLEND_LEVELS[settings.sensitivity]
    return Method(
        difference=_blends(BLENDS, legacy),
        threshold=partial(_either, levels=levels, least=None if legacy else float(min(levels))),
        clean=_open_close_3,
        propose=partial(contours, min_box=MIN_BOX, largest_first=not legacy),
        describe=describe,
        keeps_order=legacy,
    )


def _either(difference: Difference, *, levels: tuple[int, ...], least: float | None) -> Cut:
    cut = any_level(difference, levels=levels, clean=_open_close_2)
    return Cut(
        cut.level, cut.mask | strongest_cluster(difference, clusters=FEW_CLUSTERS, least=least)
    )


def hybrid_legacy(settings: Settings) -> Method:
    """The method ``hybrid-legacy``: as published, whatever the settings."""
    return hybrid(Settings(), legacy=True)


def fusion_legacy(settings: Settings) -> Method:
    """The method ``fusion-legacy``: as published, whatever the settings."""
    return fusion(Settings(), legacy=True)


def ensemble_legacy(settings: Settings) -> Method:
    """The method ``ensemble-legacy``: as published, whatever the settings."""
    return ensemble(Settings(), legacy=True)
