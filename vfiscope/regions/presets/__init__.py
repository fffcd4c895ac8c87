"""The methods: each is a function from settings to steps, and the table of them.

Another package adds a method from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.regions import METHODS

    METHODS.add("mine", make)

where ``make(settings)`` returns a :class:`~vfiscope.regions.steps.Method`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from vfiscope.regions.presets import (
    absdiff,
    auto,
    clusters,
    deep_legacy,
    frameshift,
    patchcore,
    reconstruction,
    semantic,
    spotter,
    trackshift,
)
from vfiscope.regions.segment.prompted import prompted
from vfiscope.regions.segment.sam2 import Sam2
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.registry import Registry

__all__ = ["METHODS", "make_method"]

METHODS: Registry[Callable[[Settings], Method]] = Registry("method for regions")
"""{name: makes the method from the settings}"""
for _name, _make in (
    ("auto", auto.make),
    ("absdiff", absdiff.make),
    ("semantic", semantic.make),
    ("semantic-legacy", deep_legacy.semantic_legacy),
    ("patchcore", patchcore.make),
    ("patchcore-legacy", deep_legacy.patchcore_legacy),
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
    ("frameshift-legacy", frameshift.frameshift_legacy),
):
    METHODS.add(_name, _make)


def make_method(name: str, settings: Settings) -> Method:
    """A method by its name. With ``settings.sam_weights``, whatever the method, SAM 2 draws its
    masks.

    Raises:
        UsageError: there is none of this name.
        MissingPackageError: the extra ``sam`` is needed and not installed.
        EmbedderError: weights or a device cannot be used.
    """
    method = METHODS.named(name)(settings)
    if settings.sam_weights is None:
        return method
    draw = Sam2(settings.sam_weights, settings.device)
    return replace(method, segment=partial(prompted, draw=draw, name=draw.name))
