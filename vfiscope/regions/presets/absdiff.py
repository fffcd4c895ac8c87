"""``absdiff``: the plain difference of code values, a fixed threshold and connected components;
the yardstick that the other methods are measured against."""

from __future__ import annotations

from functools import partial

from vfiscope.regions.clean import opened
from vfiscope.regions.describe import describe
from vfiscope.regions.difference.absolute import absolute_difference
from vfiscope.regions.propose.components import components
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.regions.threshold import fixed

__all__ = ["make"]

CODE_LEVELS = {"low": 60.0, "medium": 40.0, "high": 20.0}
MIN_BLOB = 50
"""Pixels."""


def make(settings: Settings) -> Method:
    """The method ``absdiff``."""
    return Method(
        difference=absolute_difference,
        threshold=partial(fixed, level=CODE_LEVELS[settings.sensitivity]),
        clean=partial(opened, size=3),
        propose=partial(components, min_area=MIN_BLOB),
        describe=describe,
    )
