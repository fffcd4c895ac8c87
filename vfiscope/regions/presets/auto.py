"""``auto``: what light, small shifts, noise and compression do not explain; may say that nothing
changed."""

from __future__ import annotations

from functools import partial

from vfiscope.regions.describe import describe
from vfiscope.regions.difference.ghosted import with_ghosts
from vfiscope.regions.difference.tolerant import tolerant_difference
from vfiscope.regions.propose.grown import grown
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.regions.threshold import fixed
from vfiscope.regions.viewpoint.parallax import weigh_parallax
from vfiscope.regions.viewpoint.where_it_helps import register_where_it_helps

__all__ = ["make"]

TOLERANCE_PX = 2
"""Beyond the local shifts that are fitted."""
LOCAL_PX = 7.5
"""Less than the reach of the coarse local shifts: a shift at its end may be a part of a larger."""
THRESHOLD_SCALES = {"low": 2.0, "medium": 1.0, "high": 0.5}
"""Each step is a factor of two in contrast. It scales what stands for contrast and noise; what
edges explain stays, as how far they lie off does not depend on how weak a change is looked for."""


def make(settings: Settings) -> Method:
    """The method ``auto``."""
    scale = THRESHOLD_SCALES[settings.sensitivity]
    return Method(
        register=partial(register_where_it_helps, local_px=LOCAL_PX),
        difference=partial(
            tolerant_difference,
            tolerance=TOLERANCE_PX,
            scale=scale,
        ),
        threshold=partial(fixed, level=1.0),
        propose=partial(grown, gap=3, min_seeds=12, margin=0.006, min_side=0.055),
        weigh=weigh_parallax,
        between=partial(with_ghosts, scale=scale),
        silent_in_doubt=True,
        describe=describe,
    )
