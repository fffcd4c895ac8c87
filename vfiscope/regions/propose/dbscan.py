"""DBSCAN on the pixels of the mask."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.regions.propose.extents import extents
from vfiscope.regions.steps import Cut, Difference, Mask, Proposal

__all__ = ["dbscan_clusters", "dbscan_labels"]

Labels = NDArray[np.int32]


def dbscan_clusters(
    difference: Difference,
    cut: Cut,
    *,
    eps: float,
    min_samples: int,
    min_size: int = 1,
    limit: int | None = None,
) -> Sequence[Proposal]:
    """One proposal for each cluster of pixels, the largest first; noise is left out.

    Args:
        difference: not used.
        cut: the mask.
        eps: see :func:`dbscan_labels`.
        min_samples: the same.
        min_size: pixels; smaller clusters are left out.
        limit: how many to keep; None: all.
    """
    labels = dbscan_labels(cut.mask, eps=eps, min_samples=min_samples)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    boxes = extents(labels, len(sizes))
    kept = [
        label for label in np.argsort(-sizes, kind="stable") if sizes[label] >= max(1, min_size)
    ]
    return [
        Proposal(
            box := boxes[label],
            mask=labels[box.y : box.y + box.h, box.x : box.x + box.w] == label,
        )
        for label in kept[:limit]
    ]


def dbscan_labels(mask: Mask, *, eps: float, min_samples: int) -> Labels:
    """The clusters that ``sklearn.cluster.DBSCAN`` finds among the (row, column) of a mask.

    A pixel with ``min_samples`` pixels of the mask within ``eps`` of it, itself included, is a
    core pixel. Core pixels within ``eps`` of each other are of one cluster, and other pixels
    are of the first cluster that has a core pixel within ``eps`` of them.

    Pixels lie on a grid, so neighbours are counted by a correlation with a disk, and clusters grow
    by the least and largest label within it, for all pixels at once. The time goes with the pixels
    of the frame times eps², and a few such passes; the memory is about 50 bytes a pixel,
    whatever the mask holds.

    Args:
        mask: (H, W), of less than 2**24 pixels that are not connected.
        eps: distance in pixels, from 1 on.
        min_samples: pixels.

    Returns:
        (H, W) int32: 0 outside of clusters, then 1.. in the order of their first core pixels, row
        by row.
    """
    if eps < 1:
        raise ValueError(f"eps {eps}: pass at least 1 pixel")
    steps = np.arange(-int(eps), int(eps) + 1)
    disk = (steps[:, None] ** 2 + steps**2 <= eps**2).astype(np.uint8)
    neighbours = cv2.filter2D(
        mask.astype(np.float32),
        cv2.CV_32F,
        disk.astype(np.float32),
        borderType=cv2.BORDER_CONSTANT,
    )
    core = mask & (np.rint(neighbours) >= min_samples)
    touching = 8 if eps**2 >= 2 else 4
    count, found = cv2.connectedComponents(core.astype(np.uint8), connectivity=touching)
    parts = np.asarray(found, np.int32)
    labels: Labels = _by_first_pixel(_linked(parts, count, disk), parts)[parts]
    border = mask & ~core
    labels[border] = _within(labels, disk)[0][border]
    return labels


def _within(labels: Labels, disk: NDArray[np.uint8]) -> tuple[Labels, Labels]:
    """The least and the largest label in the disk around each pixel; 0 where there is none."""
    none = np.float32(2**24)
    known = labels.astype(np.float32)
    most = cv2.dilate(known, disk, borderType=cv2.BORDER_CONSTANT, borderValue=0.0)
    known[labels == 0] = none
    least = cv2.erode(known, disk, borderType=cv2.BORDER_CONSTANT, borderValue=float(none))
    return np.asarray(np.where(least == none, 0, least), np.int32), np.asarray(most, np.int32)


def _linked(parts: Labels, count: int, disk: NDArray[np.uint8]) -> Labels:
    """(count,) one name for all parts that are linked by steps within the disk; 0 for part 0."""
    names = np.arange(count, dtype=np.int32)
    if count <= 2:
        return names
    from scipy.sparse import coo_array  # slow to import
    from scipy.sparse.csgraph import connected_components

    while True:
        labels = names[parts]
        links = []
        for other in _within(labels, disk):
            linked = (labels > 0) & (other != labels)
            links.append(np.unique(labels[linked].astype(np.int64) * count + other[linked]))
        first, second = np.divmod(np.unique(np.concatenate(links)), count)
        if not len(first):
            return names
        graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
        _, groups = connected_components(graph, directed=False)
        names = np.asarray(
            groups[names], np.int32
        )  # part 0 has no link: the first group is its own


def _by_first_pixel(names: Labels, parts: Labels) -> Labels:
    """The names numbered in the order of their first pixels."""
    found, first = np.unique(names[parts], return_index=True)
    first, found = first[found > 0], found[found > 0]
    numbers = np.zeros(len(names), np.int32)
    numbers[found[np.argsort(first)]] = np.arange(1, len(found) + 1)
    return np.asarray(numbers[names])
