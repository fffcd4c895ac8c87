"""A warning about synthesised frames of another brightness or colour than the passed ones."""

from __future__ import annotations

import numpy as np

from vfiscope.comparisons.comparison import Scored
from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.types import Code, Note, Role

__all__ = ["warn_levels"]

MIN_LEVEL_SAID = 1.0
"""Least difference between the roles that is worth a warning, in 8-bit code values."""


def warn_levels(scored: Scored) -> list[Note]:
    """A warning if the median levels of synthesised and passed frames differ; nothing where roles
    or levels are unknown."""
    apart = {}
    for name in LEVEL_METRICS:
        values, role = scored.values.get(name), scored.table.role
        if values is None or not np.isfinite(values[role == Role.SYNTHESISED]).any():
            return []
        made, passed = (values[role == each] for each in (Role.SYNTHESISED, Role.PASSED))
        own = passed[np.isfinite(passed)]
        apart[name] = float(np.nanmedian(made)) - (float(np.median(own)) if len(own) else 0.0)
    if max(abs(value) for value in apart.values()) < MIN_LEVEL_SAID:
        return []
    luma, blue, red = apart.values()
    return [Note(Code.LEVELS_DIFFER, {"level_y": luma, "level_cb": blue, "level_cr": red})]
