"""NOVA's words for the cosine distance of a pair, for the embedder that they were made for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["band", "band_of"]

BANDS = ((0.05, "very similar"), (0.15, "minor differences"), (0.3, "noticeable differences"))
"""(cosine distance below which, words); see https://github.com/stootaghaj/NOVA."""
BEYOND_BANDS = "significant differences"
BANDS_FOR = {"name": "dinov2-base", "pool": "all", "size": 518, "aspect": "stretch"}
"""The embedder whose distances the bands were made for."""


def band(embedder: Mapping[str, Any] | None, distance: float | None) -> str | None:
    """The words for a distance; None where it is not defined, or of another embedder."""
    if embedder is None or distance is None or not math.isfinite(distance):
        return None
    if any(embedder.get(key) != value for key, value in BANDS_FOR.items()):
        return None
    return next((words for limit, words in BANDS if distance < limit), BEYOND_BANDS)


def band_of(run: Run) -> str | None:
    """The words for the pair of a run; None where it compares no pair, or see :func:`band`."""
    if run.mode != "compare" or "cosine" not in run.scores:
        return None
    return band(run.embedder, float(run.scores["cosine"][0]))
