"""Regions: what changed between two frames, and where.

A method is a chain of small steps (:mod:`vfiscope.regions.steps`), made by one of
:data:`METHODS` from :class:`Settings`::

    from vfiscope.regions import METHODS, FramePair, Settings, find

    found = find(FramePair(test, ref), METHODS["auto"](Settings()))
    for region in found.regions:
        print(region.caption)
"""

from __future__ import annotations

from vfiscope.regions.find import find
from vfiscope.regions.presets import METHODS
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Found, FramePair, Method

__all__ = ["METHODS", "Found", "FramePair", "Method", "Settings", "find"]
