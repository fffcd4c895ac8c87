"""DBSCAN on pixels against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from vfiscope.regions.propose.dbscan import dbscan_clusters, dbscan_labels
from vfiscope.regions.steps import Cut, Difference
from vfiscope.types import Box

CASES = [(1, 2), (1.5, 3), (2, 5), (3.5, 20), (8, 8), (20, 9)]


@pytest.mark.parametrize(("eps", "min_samples"), CASES)
def test_labels_equal_scikit_learn(eps: float, min_samples: int) -> None:
    rng = np.random.default_rng(int(eps * 10))
    for share in (0.03, 0.1, 0.3, 0.7):
        mask = rng.random(rng.integers(1, 45, 2)) < share
        mask[0, 0] = True
        labels = dbscan_labels(mask, eps=eps, min_samples=min_samples)
        oracle = DBSCAN(eps=eps, min_samples=min_samples).fit_predict(np.argwhere(mask))
        assert (labels[mask] == oracle + 1).all()
        assert not labels[~mask].any()


def cut_of(mask: np.ndarray) -> tuple[Difference, Cut]:
    return Difference(mask.astype(np.float32), "", np.ones_like(mask)), Cut(0.5, mask)


def test_the_published_clusters_of_spot_the_diff() -> None:
    """Id 42, eps 20, 9 samples: [x1, x2, y1, y2]. Its image is not published; here its clusters
    are filled rectangles."""
    published = [(176, 196, 75, 125), (155, 164, 182, 201), (39, 83, 47, 119)]
    mask = np.zeros((224, 224), bool)
    for x1, x2, y1, y2 in published:
        mask[y1 : y2 + 1, x1 : x2 + 1] = True
    mask[5, 5] = True  # noise
    found = dbscan_clusters(*cut_of(mask), eps=20, min_samples=9)
    boxes = {(p.box.x, p.box.x + p.box.w - 1, p.box.y, p.box.y + p.box.h - 1) for p in found}
    assert boxes == set(published)


def test_clusters_come_by_size() -> None:
    mask = np.zeros((40, 60), bool)
    mask[2:6, 3:8] = mask[20:30, 40:55] = mask[35, 2:5] = True
    found = dbscan_clusters(*cut_of(mask), eps=2, min_samples=2, min_size=4)
    assert [proposal.box for proposal in found] == [Box(40, 20, 15, 10), Box(3, 2, 5, 4)]
    assert [np.count_nonzero(p.mask) for p in found if p.mask is not None] == [150, 20]
    assert len(dbscan_clusters(*cut_of(mask), eps=2, min_samples=2, limit=1)) == 1
    assert dbscan_clusters(*cut_of(np.zeros((3, 2), bool)), eps=2, min_samples=2) == []
    with pytest.raises(ValueError, match="at least 1 pixel"):
        dbscan_labels(mask, eps=0.5, min_samples=2)
