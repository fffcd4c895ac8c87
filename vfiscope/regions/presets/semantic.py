"""``semantic``: patches of a network (or of dense SIFT) that look different at their place.

TrackShift's fourth approach (DINOv3 and SAM 2) done right: the prefix tokens are left out by their
number, the whole frame is looked at, distances are not stretched to the range of their own frame,
so that identical frames have no region, and a region may have any area.
"""

from __future__ import annotations

from functools import partial

from vfiscope.regions.bulk_threshold import above_bulk
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.patch_distance import windowed
from vfiscope.regions.patch_features import features_for
from vfiscope.regions.propose.peaks import peaks
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method

__all__ = ["LEAST_DISTANCES", "make"]

LEAST_DISTANCES = {"low": 0.12, "medium": 0.06, "high": 0.03}
"""Cosine distances below which nothing counts as changed. Dense SIFT of a photograph of 720 pixels
that was altered by JPEG 20, noise of 6 code values or a light of 0.9 stays below 0.05."""


def make(settings: Settings) -> Method:
    """The method ``semantic``."""
    return Method(
        difference=partial(windowed, embed=features_for(settings)),
        threshold=partial(above_bulk, least=LEAST_DISTANCES[settings.sensitivity]),
        propose=partial(peaks, share=0.05, dip=0.5),
        describe=describe,
    )
