"""Thresholds of difference maps. Each returns the level in the map's unit beside the mask, so that
whatever looks at the map again (peaks, reports) uses the same."""

from __future__ import annotations

from vfiscope.regions.steps import Cut, Difference

__all__ = ["fixed"]


def above(difference: Difference, level: float) -> Cut:
    """The pixels above a level that can be decided."""
    return Cut(level, (difference.values > level) & difference.valid)


def fixed(difference: Difference, *, level: float) -> Cut:
    """A threshold in the unit of the map."""
    return above(difference, level)
