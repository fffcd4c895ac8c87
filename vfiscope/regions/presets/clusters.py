"""T-BLIP2's detector of differences: ``clusters``, and as published.

DBSCAN on the pixels above Otsu's threshold. As published each pair is stretched to its own range,
so that Otsu parts noise too, and colours of one luma are alike. The system resizes frames to 224 x
224 first; here that is ``--resize``.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from vfiscope.pixels import LUMA_WEIGHTS
from vfiscope.regions.clean import opened
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.absolute import absolute_difference
from vfiscope.regions.difference.prepared import stretched
from vfiscope.regions.presets.absdiff import CODE_LEVELS
from vfiscope.regions.propose.dbscan import dbscan_clusters
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Difference, FramePair, Method
from vfiscope.regions.threshold import otsu

__all__ = ["clusters", "clusters_legacy"]

MIN_CLUSTER = 5
"""Pixels."""
CLIP_GREY = np.array(LUMA_WEIGHTS) / np.array([0.26862954, 0.26130258, 0.27577711])
"""Luma of channels that were divided by the standard deviations that CLIP was trained with."""


def clusters(settings: Settings) -> Method:
    """The method ``clusters``: the difference of colours, a floor under Otsu's level, and the
    distances that T-BLIP2's detector has by itself (its command line has smaller ones, which
    lose small changes)."""
    return Method(
        difference=absolute_difference,
        threshold=partial(otsu, floor=CODE_LEVELS[settings.sensitivity]),
        clean=partial(opened, size=3, round_=True),
        propose=partial(dbscan_clusters, eps=8.0, min_samples=8, min_size=MIN_CLUSTER),
        describe=describe,
    )


def clusters_legacy(settings: Settings) -> Method:
    """The method ``clusters-legacy``: T-BLIP2's command line, whatever the settings."""
    return Method(
        difference=partial(stretched, difference=clip_grey_difference, epsilon=1e-6),
        threshold=otsu,
        clean=partial(opened, size=3, round_=True),
        propose=partial(dbscan_clusters, eps=3.5, min_samples=20, min_size=MIN_CLUSTER, limit=5),
        describe=describe,
        keeps_order=True,
    )


def clip_grey_difference(pair: FramePair) -> Difference:
    """|luma(test) - luma(ref)| of channels that CLIP's preprocessing has normalised."""
    change = (pair.test.astype(np.float64) - pair.ref) / 255
    return Difference(
        np.abs(change @ CLIP_GREY).astype(np.float32), "normalised luma", pair.decidable
    )
