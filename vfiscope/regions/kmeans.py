"""Pixels whose layers form the strongest of several clusters."""

from __future__ import annotations

import numpy as np

from vfiscope.regions.steps import Difference, Mask
from vfiscope.types import Int64, Uint8

__all__ = ["strongest_cluster"]


def strongest_cluster(difference: Difference, *, clusters: int, least: float | None = None) -> Mask:
    """The pixels of the k-means cluster (scikit-learn, 10 starts, seed 42) whose layers have the
    largest mean.

    There is always a strongest cluster, also in noise; ``least`` says what is no change. Each
    combination of layers is clustered once, with its count as weight, so that an unchanged frame
    costs nothing.

    Args:
        difference: with (K, H, W) layers of whole code values, 0..255.
        clusters: how many; fewer where there are fewer combinations.
        least: the mean of the layers in the cluster, in the unit of the map, up to which it does
            not count. None: as published, every pixel is clustered by itself and the cluster
            always counts, except where all pixels are alike.

    Returns:
        (H, W)
    """
    layers = difference.values[None] if difference.layers is None else difference.layers
    rows = layers.astype(np.uint8)[:, difference.valid].T
    mask = np.zeros_like(difference.valid)
    if not len(rows):
        return mask
    first, which, counts = _combinations(rows)
    if len(first) == 1:
        return mask
    from sklearn.cluster import KMeans  # slow to import
    from threadpoolctl import threadpool_limits

    # Rows are made for the fit alone, so they need not be copied again.
    model = KMeans(min(clusters, len(first)), random_state=42, n_init=10, copy_x=False)
    with threadpool_limits(limits=1):  # threads add up in an order of their own
        if least is None:
            labels = model.fit_predict(rows.astype(np.float64, order="C"))
        else:
            kinds = rows[first].astype(np.float64, order="C")
            labels = model.fit(kinds, sample_weight=counts).labels_[which]
    means = [float(rows[labels == label].mean()) for label in range(model.n_clusters)]
    strongest = int(np.argmax(means))
    if least is None or means[strongest] > least:
        mask[difference.valid] = labels == strongest
    return mask


def _combinations(rows: Uint8) -> tuple[Int64, Int64, Int64]:
    """The first row of each kind, the kind of each row, and how many there are; packed into
    integers, which are sorted far quicker than rows."""
    kind = np.zeros(len(rows), np.int64)
    for start in range(0, rows.shape[1], 4):
        for column in rows[:, start : start + 4].T:
            kind = kind << 8 | column
        _, first, kind, counts = np.unique(
            kind, return_index=True, return_inverse=True, return_counts=True
        )
    return first, kind, counts
