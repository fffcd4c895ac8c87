"""The methods: each is a function from settings to steps, and the table of them.

Another package adds a method from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.regions import METHODS, Preset

    METHODS.add("mine", Preset(make, reads={"sensitivity"}))

where ``make(settings)`` returns a :class:`~vfiscope.regions.steps.Method`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vfiscope.errors import UsageError
from vfiscope.regions import identities
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
from vfiscope.regions.segment.sam2_folder import check_sam2, sam2_digest
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.registry import Registry

__all__ = ["METHODS", "Preset", "check_read", "identify_method", "make_method"]

BY_SENSITIVITY = frozenset({"sensitivity"})
BY_NORMAL = frozenset({"sensitivity", "normal"})
BY_EMBEDDER = frozenset({"embedder", "weights"})


@dataclass(frozen=True)
class Preset:
    """Makes a method from the settings."""

    make: Callable[[Settings], Method]
    reads: Collection[str] = ()
    """Which of "sensitivity", "normal", "embedder" and "weights" it looks at; others are refused
    where they are passed."""
    identify: Callable[[Settings], Mapping[str, Any]] | None = None
    """What the method depends on beside the settings as they were written, JSON-able. It refuses
    settings that cannot be used, as far as that can be told without opening a network."""

    def __call__(self, settings: Settings) -> Method:
        return self.make(settings)


METHODS: Registry[Preset] = Registry("method for regions")
"""{name: makes the method from the settings}"""
for _name, _preset in (
    ("auto", Preset(auto.make, BY_SENSITIVITY)),
    ("absdiff", Preset(absdiff.make, BY_SENSITIVITY)),
    ("semantic", Preset(semantic.make, BY_SENSITIVITY | BY_EMBEDDER, identities.of_features)),
    (
        "semantic-legacy",
        Preset(deep_legacy.semantic_legacy, BY_EMBEDDER, identities.of_published_features),
    ),
    ("patchcore", Preset(patchcore.make, BY_NORMAL | BY_EMBEDDER, identities.of_patchcore)),
    (
        "patchcore-legacy",
        Preset(
            deep_legacy.patchcore_legacy,
            BY_SENSITIVITY | BY_EMBEDDER,
            identities.of_published_features,
        ),
    ),
    ("reconstruction", Preset(reconstruction.make, BY_NORMAL, identities.of_reconstruction)),
    ("hybrid", Preset(trackshift.hybrid, BY_SENSITIVITY)),
    ("hybrid-legacy", Preset(trackshift.hybrid_legacy)),
    ("fusion", Preset(trackshift.fusion, BY_SENSITIVITY)),
    ("fusion-legacy", Preset(trackshift.fusion_legacy)),
    ("ensemble", Preset(trackshift.ensemble, BY_SENSITIVITY)),
    ("ensemble-legacy", Preset(trackshift.ensemble_legacy)),
    ("clusters", Preset(clusters.clusters, BY_SENSITIVITY)),
    ("clusters-legacy", Preset(clusters.clusters_legacy)),
    ("spotter", Preset(spotter.spotter, BY_SENSITIVITY)),
    ("spotter-legacy", Preset(spotter.spotter_legacy)),
    ("frameshift-legacy", Preset(frameshift.frameshift_legacy)),
):
    METHODS.add(_name, _preset)


def identify_method(name: str, settings: Settings) -> dict[str, Any]:
    """What a method depends on beside the settings as they were written, such as the digests of
    weights and normal frames; JSON-able. No network is opened, and no frame is decoded.

    Raises:
        UsageError: there is none of this name, or it does not look at one of the settings.
        MissingPackageError: the extra ``sam`` is needed and not installed.
        VfiscopeError: weights, a device or normal frames cannot be used.
    """
    preset = _preset_for(name, settings)
    found = {} if preset.identify is None else dict(preset.identify(settings))
    if settings.sam_weights is not None:
        check_sam2(settings.sam_weights)
        found["sam_digest"] = sam2_digest(settings.sam_weights)
    return found


def check_read(name: str, passed: Mapping[str, Any]) -> None:
    """Refuse settings that a method does not look at.

    Args:
        name: of the method.
        passed: {setting: its value}

    Raises:
        UsageError: there is no such method, or it does not look at one of the settings.
    """
    for what in sorted(passed.keys() - set(METHODS.named(name).reads)):
        others = ", ".join(other for other, each in METHODS.items() if what in each.reads)
        raise UsageError(
            f"{what} is {passed[what]!r}, but the method {name} does not look at it: leave it out,"
            f" or choose one of {others}"
        )


def _preset_for(name: str, settings: Settings) -> Preset:
    usual = Settings()
    chosen = {what: getattr(settings, what) for what in BY_NORMAL}
    check_read(name, {k: value for k, value in chosen.items() if value != getattr(usual, k)})
    return METHODS[name]


def make_method(name: str, settings: Settings) -> Method:
    """A method by its name. With ``settings.sam_weights``, whatever the method, SAM 2 draws its
    masks.

    Raises:
        UsageError: there is none of this name, or it does not look at one of the settings.
        MissingPackageError: the extra ``sam`` is needed and not installed.
        EmbedderError: weights or a device cannot be used.
    """
    method = _preset_for(name, settings)(settings)
    if settings.sam_weights is None:
        return method
    draw = Sam2(settings.sam_weights, settings.device)
    return replace(method, segment=partial(prompted, draw=draw, name=draw.name))
