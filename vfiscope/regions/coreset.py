"""A bounded set of vectors that covers a stream of many.

PatchCore (Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022) keeps a
greedy k-center coreset of its patches (Gonzalez, "Clustering to minimize the maximum intercluster
distance", 1985), chosen in a random projection (Johnson and Lindenstrauss 1984). Here it is chosen
while the vectors arrive, in the way of Charikar et al., "Incremental clustering and dynamic
information retrieval", 1997: what lies within the covering radius of those that are kept is left
out, and when twice as many as wanted are kept, the greedy choice halves them, which enlarges the
radius.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Coreset", "k_centers"]

PROJECTED = 64
"""Dimensions in which centers are chosen."""
PROJECTION_SEED = 0
SAME_PLACE = 1e-6
"""Squared distance that is no more than the rounding of float32."""


class Coreset:
    """Unit vectors of which at most ``most`` are kept, and twice as many held.

    Args:
        most: kept in the end.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.radius = 0.0
        """1 - cosine within which every vector that was left out has one that is kept, as far as
        the last choice tells."""
        self._kept: Tensor | None = None

    @property
    def filled(self) -> bool:
        """Whether anything was added."""
        return self._kept is not None

    def add(self, vectors: Tensor) -> None:
        """Add (n, E) unit vectors."""
        import torch

        from vfiscope.regions.difference.nearest_patches import nearest

        kept = vectors[:0] if self._kept is None else self._kept
        for start in range(0, len(vectors), self.most):
            new = vectors[start : start + self.most]
            if len(kept) and self.radius > 0:
                new = new[nearest(new, kept, 1)[0][:, 0] > self.radius]
            kept = torch.cat([kept, new])
            if len(kept) > 2 * self.most:
                kept = self._chosen(kept)
        self._kept = kept

    def _chosen(self, held: Tensor) -> Tensor:
        from vfiscope.regions.difference.nearest_patches import nearest

        kept = held[k_centers(held, self.most)]
        self.radius = max(self.radius, float(nearest(held, kept, 1)[0].max()))
        return kept

    def vectors(self) -> Tensor:
        """The vectors that are kept, (m, E), m <= most.

        Raises:
            ValueError: none were added.
        """
        if self._kept is None:
            raise ValueError("nothing was added to the coreset")
        if len(self._kept) > self.most:
            self._kept = self._chosen(self._kept)
        return self._kept


def k_centers(vectors: Tensor, count: int) -> Tensor:
    """The rows of vectors that are chosen one after the other, each the furthest from all before
    it; fewer than asked for where the others equal one of them.

    Args:
        vectors: (n, E).
        count: how many.

    Returns:
        (m,) int64, m <= count. The first is the one furthest from the mean.
    """
    import torch

    places = vectors
    if vectors.shape[1] > PROJECTED:
        source = torch.Generator().manual_seed(PROJECTION_SEED)
        onto = torch.randn((vectors.shape[1], PROJECTED), generator=source).to(vectors)
        places = vectors @ (onto / PROJECTED**0.5)
    squares = places.square().sum(dim=1)
    at = int((places - places.mean(dim=0)).square().sum(dim=1).argmax())
    apart = torch.full_like(squares, torch.inf)
    chosen = []
    for _ in range(min(count, len(places))):
        chosen.append(at)
        apart = torch.minimum(apart, squares + squares[at] - 2 * (places @ places[at]))
        apart[at] = -torch.inf  # rounding must not choose it again
        at = int(apart.argmax())
        if apart[at] <= SAME_PLACE:
            break
    return torch.tensor(chosen, dtype=torch.int64, device=vectors.device)
