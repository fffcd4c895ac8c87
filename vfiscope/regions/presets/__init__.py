"""The methods: each is a function from settings to steps, and the table of them.

Another package adds a method from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.regions import METHODS

    METHODS.add("mine", make)

where ``make(settings)`` returns a :class:`~vfiscope.regions.steps.Method`.
"""

from __future__ import annotations

from collections.abc import Callable

from vfiscope.regions.presets import (
    absdiff,
    auto,
    clusters,
    patchcore,
    reconstruction,
    semantic,
    spotter,
    trackshift,
)
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.registry import Registry

__all__ = ["METHODS"]

METHODS: Registry[Callable[[Settings], Method]] = Registry("method for regions")
"""{name: makes the method from the settings}"""
for _name, _make in (
    ("auto", auto.make),
    ("absdiff", absdiff.make),
    ("semantic", semantic.make),
    ("patchcore", patchcore.make),
    ("reconstruction", reconstruction.make),
    ("hybrid", trackshift.hybrid),
    ("hybrid-legacy", trackshift.hybrid_legacy),
    ("fusion", trackshift.fusion),
    ("fusion-legacy", trackshift.fusion_legacy),
    ("ensemble", trackshift.ensemble),
    ("ensemble-legacy", trackshift.ensemble_legacy),
    ("clusters", clusters.clusters),
    ("clusters-legacy", clusters.clusters_legacy),
    ("spotter", spotter.spotter),
    ("spotter-legacy", spotter.spotter_legacy),
):
    METHODS.add(_name, _make)
