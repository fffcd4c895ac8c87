"""Distances of patches to the nearest ones of the reference, wherever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfiscope.regions.patch_features import Embed, at_cells, of_both
from vfiscope.regions.steps import Difference, FramePair

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["against_reference", "nearest"]

NEIGHBOURS = 9
"""As FrameShift v3 takes."""
SEARCH_ROWS = 4096
"""Patches of the bank, and of a frame, that are compared at once: 64 MiB of cosines."""


def nearest(queries: Tensor, bank: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k patches of a bank with the highest cosine to each query.

    Args:
        queries: (P, E) unit vectors, as :func:`vfiscope.metrics.tensors.patch_tensors.unit` makes
            them.
        bank: (M, E) likewise, on the same device.
        k: how many; at most M are returned.

    Returns:
        1 - cosine (P, k) float32, rising, and their rows in the bank (P, k) int64. A distance to an
        equal vector is exactly 0.
    """
    import torch

    from vfiscope.metrics.tensors.patch_tensors import half_square

    found = []
    for first in range(0, len(queries), SEARCH_ROWS):
        own = queries[first : first + SEARCH_ROWS]
        best = own.new_empty((len(own), 0))
        rows = torch.empty((len(own), 0), dtype=torch.int64, device=own.device)
        for start in range(0, len(bank), SEARCH_ROWS):
            alike, at = (own @ bank[start : start + SEARCH_ROWS].T).topk(
                min(k, len(bank) - start, SEARCH_ROWS), dim=1
            )
            best, rows = torch.cat([best, alike], 1), torch.cat([rows, at + start], 1)
            best, order = best.topk(min(k, best.shape[1]), dim=1)
            rows = rows.gather(1, order)
        apart = torch.stack([half_square(own, bank[each]) for each in rows.T], dim=1)
        apart, order = apart.sort(dim=1)
        found.append((apart, rows.gather(1, order)))
    return torch.cat([apart for apart, _ in found]), torch.cat([rows for _, rows in found])


def against_reference(
    pair: FramePair, *, embed: Embed, k: int = NEIGHBOURS, both: bool = True
) -> Difference:
    """How much further each patch is from its k nearest patches of the reference than the nearest
    of them is from its own k nearest, 0..2.

    After PatchCore (Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR
    2022), with the reference as the memory bank. The mean distance to k > 1 neighbours is above 0
    even for a patch of the reference itself, and the larger the rarer the patch is: so the same
    mean of its nearest patch, over the reference, is subtracted, and nothing below 0 is left.
    Identical frames are at distance exactly 0.

    Args:
        pair: the frames.
        embed: computes the features.
        k: neighbours, as many as there are at most.
        both: also the other way, of the reference's patches to those of the test frame, and the
            larger of both: with one direction, a thing that vanished is not seen where the
            reference shows its background somewhere else too.
    """
    import torch

    from vfiscope.metrics.tensors.patch_tensors import unit

    test, ref = of_both(pair, embed)
    if torch.equal(test, ref):
        return at_cells(pair, test.new_zeros(test.shape[:2]))
    tests, refs = unit(test).flatten(0, 1), unit(ref).flatten(0, 1)
    further = _further(tests, refs, k)
    if both:
        further = torch.maximum(further, _further(refs, tests, k))
    return at_cells(pair, further.reshape(test.shape[:2]))


def _further(queries: Tensor, bank: Tensor, k: int) -> Tensor:
    """(P,) mean distance to the k nearest, less that of the nearest itself."""
    distance, rows = nearest(queries, bank, k)
    own, _ = nearest(bank, bank, k)
    return (distance.mean(dim=1) - own.mean(dim=1)[rows[:, 0]]).clamp_min_(0)
