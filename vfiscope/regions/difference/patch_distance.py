"""Distances between the features of patches around the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfiscope.regions.patch_features import Embed, at_cells, of_both
from vfiscope.regions.steps import Difference, FramePair

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["windowed"]


def windowed(pair: FramePair, *, embed: Embed, reach: int = 1) -> Difference:
    """The least 1 - cosine of each patch to the patches of the reference around its place, and of
    the reference's patch to those of the test frame; the larger of both, 0..2.

    Both directions are needed: with the first alone, what has vanished from a place is found again
    wherever its surroundings look like what took its place.

    Args:
        pair: the frames.
        embed: computes the features.
        reach: most rows and columns of patches between a patch and its match.
    """
    return at_cells(pair, _least(*of_both(pair, embed), reach))


def _least(test: Tensor, ref: Tensor, reach: int) -> Tensor:
    """(h, w, D), (h, w, D) -> (h, w)"""
    import torch

    from vfiscope.metrics.tensors.patch_tensors import half_square, unit

    tests, refs = unit(test), unit(ref)
    forward = tests.new_full(tests.shape[:2], torch.inf)
    backward = forward.clone()
    steps = range(-reach, reach + 1)
    for down, across in ((down, across) for down in steps for across in steps):
        here = _inside(down, tests.shape[0]), _inside(across, tests.shape[1])
        there = _inside(-down, tests.shape[0]), _inside(-across, tests.shape[1])
        apart = half_square(tests[here], refs[there])
        forward[here] = torch.minimum(forward[here], apart)
        backward[there] = torch.minimum(backward[there], apart)
    return torch.maximum(forward, backward)


def _inside(step: int, count: int) -> slice:
    """The places along a side whose place ``step`` further on is inside as well."""
    return slice(max(0, -step), max(0, count - max(0, step)))
