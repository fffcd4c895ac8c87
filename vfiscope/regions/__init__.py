"""Regions: what changed between two frames, and where.

A method is a chain of small steps (:mod:`vfiscope.regions.steps`), made by one of
:data:`METHODS` from :class:`Settings`::

    from vfiscope.regions import FramePair, Settings, find, make_method

    found = find(FramePair(test, ref), make_method("auto", Settings()))
    for region in found.regions:
        print(region.caption)
"""

from __future__ import annotations

from vfiscope.regions.find import find
from vfiscope.regions.presets import METHODS, Preset, make_method
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Found, FramePair, Method

__all__ = [
    "METHODS",
    "Found",
    "FramePair",
    "Method",
    "Preset",
    "Settings",
    "find",
    "make_method",
]
