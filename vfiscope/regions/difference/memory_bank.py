"""Distances of patches to a memory bank of normal frames."""

from __future__ import annotations

from vfiscope.regions.normal import Normal
from vfiscope.regions.patch_features import Embed, at_cells, filled
from vfiscope.regions.steps import Difference, FramePair

__all__ = ["against_normal"]


def against_normal(pair: FramePair, *, embed: Embed, normal: Normal) -> Difference:
    """1 - cosine of each patch of the test frame to the nearest of the memory bank, 0..2.

    After PatchCore (Roth et al., CVPR 2022), without its weight on the largest distance. The greedy
    coreset keeps one of many like patches, so a mean over more neighbours would measure how far its
    members are from each other.

    Args:
        pair: the frames; of the reference only what the test frame does not show.
        embed: computes the features, as those of the bank were.
        normal: the memory bank.
    """
    return at_cells(pair, normal.distances(embed(filled(pair))))
