"""All comparisons, and the one place where the comparison of a configuration is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfiscope.comparisons.between_neighbours import BetweenNeighbours
from vfiscope.comparisons.by_image import ByImage
from vfiscope.comparisons.by_map import ByMap
from vfiscope.comparisons.by_row import ByRow
from vfiscope.comparisons.by_shift import ByShift
from vfiscope.comparisons.comparison import Comparison
from vfiscope.comparisons.one_image import OneImage
from vfiscope.comparisons.two_images import TwoImages
from vfiscope.comparisons.with_golden import WithGolden
from vfiscope.comparisons.with_lag import WithLag
from vfiscope.comparisons.with_source import WithSource
from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.registry import Registry

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["COMPARISONS", "choose_comparison", "comparison_of"]

COMPARISONS: Registry[type[Comparison]] = Registry("comparison")
"""{name: class}"""
for _each in (
    *(ByImage, ByRow, ByShift, ByMap, WithGolden, WithLag, WithSource, BetweenNeighbours),
    *(OneImage, TwoImages),
):
    COMPARISONS.add(_each.name, _each)


def choose_comparison(config: RunConfig) -> type[Comparison]:
    """The comparison that a configuration names or, with ``auto``, the one that suits its other
    options.

    Raises:
        UsageError: the name is unknown, or the comparison does not go with the other options.
    """
    if config.comparison == "auto":
        return next(each for each in COMPARISONS.values() if each.automatic and each.suits(config))
    chosen = COMPARISONS.named(config.comparison)
    if not chosen.suits(config):
        raise UsageError(
            f"the comparison {config.comparison!r} does not go with these options of"
            f" {config.mode}: leave out --comparison to choose the one that suits them"
        )
    return chosen


def comparison_of(run: Run) -> type[Comparison]:
    """The comparison that a stored run was made with; the base class where it comes from a package
    that is not installed."""
    return COMPARISONS.get(str(run.pairing.get("policy")), Comparison)
