"""What a user can choose about regions, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass

from vfiscope.options.region_options import Sensitivity

__all__ = ["Sensitivity", "Settings"]


@dataclass(frozen=True)
class Settings:
    """The settings that a method is made with."""

    sensitivity: Sensitivity = "medium"
    normal: str | None = None
    """A folder or video of normal frames, a run, or a saved memory bank (.h5); None: the
    reference."""
    embedder: str = "auto"
    """Of methods that compare features."""
    weights: str | None = None
    """The embedder's weights."""
    device: str = "cpu"
    sam_weights: str | None = None
    """A folder with a SAM 2 checkpoint of transformers, which
    :func:`~vfiscope.regions.make_method` puts into every method; None: the mask of the map."""
