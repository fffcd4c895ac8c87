"""``patchcore``: patches that nothing in the reference, or in a set of normal frames, looks like.

After FrameShift v3 ("PatchCore style"), done right: registration by SIFT with the ratio test and
checks of plausibility, where it makes frames more alike, whole frames, one scale for mask and
peaks, and a threshold that may say that nothing changed. With normal frames it is PatchCore (Roth
et al., CVPR 2022): a memory bank, a coreset of it, and a threshold from the normal frames
themselves. The reference then only stands for what the test frame does not show, and frames are not
registered.
"""

from __future__ import annotations

from functools import partial

from vfiscope.regions.bulk_threshold import above_bulk
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.memory_bank import against_normal
from vfiscope.regions.difference.nearest_patches import against_reference
from vfiscope.regions.fast_filter import unless_equal
from vfiscope.regions.normal import bank_of
from vfiscope.regions.patch_features import features_for
from vfiscope.regions.presets.semantic import LEAST_DISTANCES
from vfiscope.regions.propose.peaks import peaks
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.regions.threshold import fixed
from vfiscope.regions.viewpoint.where_it_helps import register_where_it_helps

__all__ = ["make"]

SPLIT = partial(peaks, share=0.05, dip=0.5)


def make(settings: Settings) -> Method:
    """The method ``patchcore``."""
    if settings.normal is not None:
        embed, normal = bank_of(settings)
        return Method(
            difference=partial(against_normal, embed=embed, normal=normal),
            threshold=partial(fixed, level=normal.level(settings.sensitivity)),
            propose=SPLIT,
            describe=describe,
            needs_reference=False,
        )
    compared = partial(against_reference, embed=features_for(settings))
    return Method(
        register=partial(register_where_it_helps, things=False),
        difference=partial(unless_equal, difference=compared, unit="cosine distance"),
        threshold=partial(above_bulk, least=LEAST_DISTANCES[settings.sensitivity]),
        propose=SPLIT,
        describe=describe,
    )
