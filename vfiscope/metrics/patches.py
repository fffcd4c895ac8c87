"""Comparisons of embeddings: whole frames, patches, and the motion of each patch.

The two-way matching, its similarities and the boost of matches that are not mutual are those of
VFI-Similarity (https://github.com/stootaghaj/NOVA), but on an absolute scale: values are not
stretched to the range of their own frame.

Conventions
    Inputs are :class:`~vfiscope.types.Features` of test and reference, on one device, with equal
    grids. Sums are float32. One minus a cosine is computed as ``0.5 * |a/|a| - b/|b||^2``: exactly
    0 for equal vectors and precise near it. A zero vector is at distance 0 from a zero vector and 1
    from any other. Every pair of frames is computed on its own, so no result depends on the size of
    the batch.
    Memory: the similarities of one pair at a time, (h * w)^2 float32, and one byte each with a
    window; 8 MB for 28 x 50 patches, 1 GiB for the most that an embedder makes. On a device, twice
    that, one byte each, and 50 MB.

Matching
    The best match of a patch is the patch of the other frame with the highest cosine. Of those
    within :data:`~vfiscope.metrics.patch_matching.TIE` of the highest, the nearest to the
    patch's own position wins, then the first in reading order: a flat area stays put. With a window
    of N patches only those at most N columns and N rows away are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.metrics import patch_matching
from vfiscope.metrics.metric import FieldMetric, Metric
from vfiscope.metrics.patch_alignment import luma_of, refine
from vfiscope.metrics.patch_matching import Matches
from vfiscope.types import Features, FieldSpec, Float32, MetricSpec, Needs, Pairs
from vfiscope.types.batch import to_numpy

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels, Vectors

__all__ = ["FIELDS", "MAPS", "METRICS", "cosine_distance", "matches_of"]

BOOST = 1.25
"""Factor in VFI-Similarity on the mismatch of a patch whose match prefers another patch."""

FROM_PATCHES = Needs.REF | Needs.FEATURES


def _both(pairs: Pairs) -> tuple[Features, Features]:
    if pairs.test_features is None or pairs.ref_features is None:
        raise ValueError(
            f"this metric compares features, and these pairs have none: {pairs.test!r}"
        )
    return pairs.test_features, pairs.ref_features


def _computing(vectors: Vectors) -> Any:
    """The module that computes with these vectors: loops over arrays, or tensor operations on a
    device."""
    if isinstance(vectors, np.ndarray):
        return patch_matching
    from vfiscope.metrics.tensors import patch_tensors

    return patch_tensors


def matches_of(pairs: Pairs) -> Matches[Any]:
    """Best matches of the pairs, within their window; computed once for all metrics."""
    test, ref = _both(pairs)
    compute = _computing(test.patches).match
    return pairs.share("matches", lambda: compute(test, ref, pairs.window))


def cosine_distance(test: Vectors, ref: Vectors) -> Vectors:
    """1 - cosine along the last axis: (..., D), (..., D) -> (...) float32 in 0..2."""
    distance: Vectors = _computing(test).cosine_distance(test, ref)
    return distance


def _cosine(pairs: Pairs) -> Pixels:
    test, ref = _both(pairs)
    return cosine_distance(test.pooled, ref.pooled)


def _map(compute: Callable[[Matches[Any]], Any]) -> Callable[[Pairs], Pixels]:
    """Turn a function of matches, (N, h * w), into the function of pairs of a map, (N, h, w)."""

    def values(pairs: Pairs) -> Pixels:
        matches = matches_of(pairs)
        made: Pixels = compute(matches).reshape(-1, *matches.grid)
        return made

    return values


def _boosted(distance: Any, mutual: Any) -> Any:
    return distance + distance * (BOOST - 1) * ~mutual


def _motion(pairs: Pairs) -> Float32:
    matches, (test, ref) = matches_of(pairs), _both(pairs)
    if pairs.ref is None:
        raise ValueError(
            "motion needs the pixels of both frames, and these pairs have no reference:"
            f" {pairs.test!r}"
        )
    whole, start = (to_numpy(each) for each in _computing(matches.tests).motion(matches))
    tests = luma_of(pairs.test, matches.grid, test.luma)
    refs = luma_of(pairs.ref, matches.grid, ref.luma)
    moved = refine(tests, refs, whole, start)
    (height, width), (h, w) = pairs.test.size, matches.grid
    return moved * np.array([width / w, height / h], np.float32)[:, None, None]


def _spec(name: str, floor: float, description: str, high: float = 2.0) -> MetricSpec:
    return MetricSpec(name, "1", 0.0, high, True, 0.0, floor, description, needs=FROM_PATCHES)


def _alike(name: str, description: str) -> MetricSpec:
    return MetricSpec(name, "1", -1.0, 1.0, False, 1.0, 0.01, description, needs=FROM_PATCHES)


_PATCHES = "1 - cosine of each test patch to its best match in the reference frame"
_BACK = "1 - cosine of each reference patch to its best match in the test frame"
_TIMES = f"times {BOOST:g} where the two patches are not each other's best match"

METRICS = (
    Metric(_spec("cosine", 0.005, "1 - cosine of the pooled embeddings"), _cosine),
    Metric(
        _spec("mismatch", 0.01, f"mean over the test frame of {_PATCHES}"),
        lambda pairs: matches_of(pairs).forward_distance.mean(axis=1),
    ),
)
MAPS = (
    Metric(_spec("mismatch", 0.01, _PATCHES), _map(lambda m: m.forward_distance)),
    Metric(_spec("mismatch_back", 0.01, _BACK), _map(lambda m: m.backward_distance)),
    Metric(
        _spec("mismatch_boosted", 0.01, f"{_PATCHES}, {_TIMES}", 2 * BOOST),
        _map(lambda m: _boosted(m.forward_distance, m.mutual)),
    ),
    Metric(
        _spec("mismatch_boosted_back", 0.01, f"{_BACK}, {_TIMES}", 2 * BOOST),
        _map(lambda m: _boosted(m.backward_distance, m.mutual_back)),
    ),
    Metric(
        _alike("similarity", "cosine of each test patch to its best match in the reference frame"),
        _map(lambda m: 1 - m.forward_distance),
    ),
    Metric(
        _alike(
            "similarity_back", "cosine of each reference patch to its best match in the test frame"
        ),
        _map(lambda m: 1 - m.backward_distance),
    ),
)
FIELDS = (
    FieldMetric(
        FieldSpec("motion", "from each test patch to its best match in the partner"), _motion
    ),
)
