"""``semantic-legacy`` and ``patchcore-legacy``: TrackShift's fourth approach and FrameShift v3 by
their published formulas.

With the weights that they name (DINOv3 ViT-L of timm at 256 pixels; DINOv2-base) the maps are
theirs but for the resampling of frames and of position embeddings. Not reproducible here are SAM
2's masks (TrackShift's points prompted it, FrameShift's never reached it), and so the published
counts of changes, areas and severities. FrameShift's fast filter only printed a line and is left
out. Each step's docstring tells the mistakes that it keeps.
"""

from __future__ import annotations

from functools import partial

from vfiscope.regions.describe import describe
from vfiscope.regions.difference.published_patches import (
    frameshift_heat,
    published_features,
    trackshift_heat,
)
from vfiscope.regions.propose.published_peaks import (
    frameshift_clean,
    frameshift_mask,
    frameshift_peaks,
    trackshift_points,
)
from vfiscope.regions.published_registration import frameshift_register
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.regions.threshold import fixed

__all__ = ["patchcore_legacy", "semantic_legacy"]

PERCENTILES = {"low": 98.0, "medium": 95.0, "high": 90.0}
"""Of the scores of patches, in FrameShift v3."""
TRACKSHIFT_LEVEL = 0.25


def patchcore_legacy(settings: Settings) -> Method:
    """The method ``patchcore-legacy``; normal frames are not used, as published."""
    percentile = PERCENTILES[settings.sensitivity]
    return Method(
        register=frameshift_register,
        difference=partial(frameshift_heat, embed=published_features(settings)),
        threshold=partial(frameshift_mask, percentile=percentile),
        clean=frameshift_clean,
        propose=partial(frameshift_peaks, percentile=percentile),
        describe=describe,
        keeps_order=True,
    )


def semantic_legacy(settings: Settings) -> Method:
    """The method ``semantic-legacy``; its threshold does not depend on the sensitivity."""
    return Method(
        difference=partial(trackshift_heat, embed=published_features(settings)),
        threshold=partial(fixed, level=TRACKSHIFT_LEVEL),
        propose=trackshift_points,
        describe=describe,
        keeps_order=True,
    )
