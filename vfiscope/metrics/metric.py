"""The two kinds of metric: a spec that says what the numbers mean, and the function that computes
them from pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vfiscope.types import FieldSpec, MetricSpec, Pairs

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

__all__ = ["FieldMetric", "Metric"]


@dataclass(frozen=True)
class Metric:
    """A score or a map."""

    spec: MetricSpec
    compute: Callable[[Pairs], Pixels]
    """Pairs with the frames that the spec needs -> (N,) float32 for a score, (N, h, w) for a map:
    an array, or a tensor on a device."""
    grid: Callable[[int, int], tuple[int, int]] | None = None
    """(h, w) of a map from the frame's (height, width); None for one cell per patch."""
    early: bool = False
    """True where others need less than it and take it from the same pass: it is computed first."""


@dataclass(frozen=True)
class FieldMetric:
    """A vector field."""

    spec: FieldSpec
    compute: Callable[[Pairs], Pixels]
    """Pairs that have a reference -> (N, 2, h, w) float32, (dx, dy) in pixels: an array, or a
    tensor on a device."""
