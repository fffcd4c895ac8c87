"""What the result of a method depends on beside the settings as they were written: the network and
the normal frames that they stand for. No network is opened, and no frame is decoded."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from vfiscope.files import kept_digest
from vfiscope.regions.difference.published_patches import published_features
from vfiscope.regions.low_rank_model import frames_of_model
from vfiscope.regions.normal import bank_features
from vfiscope.regions.normal_file import is_bank
from vfiscope.regions.normal_source import is_hdf5, open_normal
from vfiscope.regions.patch_features import PatchFeatures, features_for
from vfiscope.regions.settings import Settings
from vfiscope.sources import digest

__all__ = ["of_features", "of_patchcore", "of_published_features", "of_reconstruction"]


def of_features(settings: Settings) -> Mapping[str, Any]:
    """The embedder that the settings name.

    Raises:
        EmbedderError: it cannot be had.
    """
    return _embedder(features_for(settings))


def of_published_features(settings: Settings) -> Mapping[str, Any]:
    """As :func:`of_features`, with the published number of patches."""
    return _embedder(published_features(settings))


def of_patchcore(settings: Settings) -> Mapping[str, Any]:
    """The embedder and, where the settings name some, the normal frames.

    Raises:
        EmbedderError: the embedder cannot be had, or is not that of the bank.
        SourceError, StoreError, UsageError: the normal frames cannot be read.
    """
    if settings.normal is None:
        return of_features(settings)
    embed, _ = bank_features(settings)
    return {**_embedder(embed), **_normal(settings.normal)}


def of_reconstruction(settings: Settings) -> Mapping[str, Any]:
    """The normal frames that the settings name.

    Raises:
        SourceError, StoreError, UsageError: there are none that can be used.
    """
    return _normal(frames_of_model(settings.normal))


def _embedder(features: PatchFeatures) -> Mapping[str, Any]:
    return {"embedder": dataclasses.asdict(features.identity)}


def _normal(target: str) -> Mapping[str, Any]:
    if is_hdf5(target) and is_bank(target):
        held = f"sha256:{kept_digest(target)}"
    else:
        with open_normal(target).source as source:
            held = digest(source.info, kept_digest)
    return {"normal": {"path": os.path.abspath(target), "digest": held}}
