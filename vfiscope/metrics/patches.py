"""Comparisons of embeddings: whole frames, patches, and where each patch went.

The matching both ways, its similarities and the boost of matches that are not mutual are those of
VFI-Similarity (https://github.com/stootaghaj/NOVA), but on an absolute scale: nothing is stretched
to the range of its own frame.

Conventions
    Inputs are :class:`~vfiscope.types.Features` of test and reference, on one device, with equal
    grids. Sums are float32. One minus a cosine is computed as ``0.5 * |a/|a| - b/|b||^2``: exactly
    0 for equal vectors and precise near it. A zero vector is at distance 0 from a zero vector and 1
    from any other. Every pair of frames is treated by itself, so no result depends on the size of
    the batch.
    Memory: the similarities of one pair at a time, (h * w)^2 float32 and a byte each with a window;
    for 28 x 50 patches 8 MB, for the most that an embedder makes 1 GiB. Where not on a CPU, twice
    that and a byte each, and 50 MB.

Matching
    The best match of a patch is the patch of the other frame with the highest cosine. Of those
    within :data:`TIE` of the highest, the nearest to the patch's own position wins, then the first
    in reading order: a flat area stays put. With a window of N patches only those at most N columns
    and N rows away are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vfiscope.metrics.kernels import patch_match_kernels
from vfiscope.metrics.metric import FieldMetric, Metric
from vfiscope.metrics.patch_motion import refine
from vfiscope.types import Features, FieldSpec, MetricSpec, Needs, Pairs

__all__ = [
    "BOOST",
    "FIELDS",
    "MAPS",
    "METRICS",
    "TIE",
    "Matches",
    "cosine_distance",
    "match",
    "matches_of",
    "motion",
]

TIE = 5e-6
"""Cosines this close to the best are equal: above the rounding of a float32 product, far below a
real difference."""
BOOST = 1.25
"""Factor of VFI-Similarity on the mismatch of a patch whose match prefers another patch."""
DAMPING = 1e-3
"""Sub-patch motion fades out where a step of one patch changes the cosine by less than about this:
no detail."""
PART = 4096
"""Numbers that are added up at once."""

FROM_PATCHES = Needs.REF | Needs.FEATURES

_BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class Matches:
    """Best matches between the patches of N frame pairs, both ways, from one similarity matrix per
    pair.

    Indices count patches in reading order: row * w + column.
    """

    forward: Tensor
    """(N, h * w) int64: for each test patch, its match in the reference."""
    forward_distance: Tensor
    """(N, h * w) float32, 1 - cosine to that match, 0..2."""
    backward: Tensor
    """(N, h * w) int64: for each reference patch, its match in the test frame."""
    backward_distance: Tensor
    """(N, h * w) float32."""
    mutual: Tensor
    """(N, h * w) bool: the match of the test patch's match is the test patch itself."""
    mutual_back: Tensor
    """(N, h * w) bool: the match of the reference patch's match is the reference patch itself."""


def cosine_distance(test: Tensor, ref: Tensor) -> Tensor:
    """1 - cosine along the last axis.

    Args:
        test: (..., D) float32.
        ref: (..., D) float32.

    Returns:
        (...) float32 in 0..2.
    """
    return _half_square(_unit(test), _unit(ref))


def match(test: Features, ref: Features, window: int | None = None) -> Matches:
    """Best matches between the patches of N frame pairs.

    Args:
        test: patches (N, h, w, D).
        ref: patches of the same shape.
        window: how many columns and rows a match may be away; None for any number.

    Raises:
        ValueError: the shapes differ.
    """
    if test.patches.shape != ref.patches.shape:
        raise ValueError(
            f"test and ref patches differ: {tuple(test.patches.shape)} {tuple(ref.patches.shape)}"
        )
    grid = (int(test.patches.shape[1]), int(test.patches.shape[2]))
    tests, refs = _unit(test.patches).flatten(1, 2), _unit(ref.patches).flatten(1, 2)
    far = None if window is None or window >= max(grid) else _far(grid, window, tests.device)
    on_cpu = tests.device.type == "cpu"
    forward = torch.empty(tests.shape[:2], dtype=torch.int64, device=tests.device)
    backward = torch.empty_like(forward)
    for row in range(len(test)):
        similarity = tests[row] @ refs[row].T
        if far is not None:
            similarity.masked_fill_(far, -torch.inf)
        forward[row], backward[row] = (
            _best_on_cpu(similarity, grid) if on_cpu else _best_by_torch(similarity, grid)
        )
    own = torch.arange(grid[0] * grid[1], device=forward.device)
    return Matches(
        forward,
        _half_square(tests, _take(refs, forward)),
        backward,
        _half_square(refs, _take(tests, backward)),
        backward.gather(1, forward) == own,
        forward.gather(1, backward) == own,
    )


def motion(test: Features, ref: Features, matches: Matches) -> tuple[Tensor, Tensor]:
    """How far each test patch is from its best match, by the embedding alone.

    The match gives whole patches. The fraction comes from four neighbours: along x, moving the
    reference patch one step, or the test patch one step the other way, compares the same two
    places. So with ``s(i, j)`` the cosine of test patch i and reference patch j, ``after = s(i,
    j+1) + s(i-1, j)`` and ``before = s(i, j-1) + s(i+1, j)``. Their difference is exactly zero for
    equal frames, whatever the texture, which ``s(i, j+1) - s(i, j-1)`` is not. The peak is where
    two lines of equal and opposite slope meet (equiangular fit), which suits the pointed peak of
    descriptors sampled once per patch better than a parabola.

    Args:
        test: patches (N, h, w, D).
        ref: patches (N, h, w, D).
        matches: of these two.

    Returns:
        The match of each patch, (N, 2, h, w) int64, and the same with the fraction, float32: (dx,
        dy) in patches. The fraction is at most half a patch, and 0 where a neighbour is missing.
    """
    n, h, w, _ = test.patches.shape
    tests, refs = _unit(test.patches).flatten(1, 2), _unit(ref.patches).flatten(1, 2)
    here = torch.arange(h * w, device=tests.device).expand(n, -1)
    there = matches.forward
    whole, fractions = [], []
    for step, start, stop, count in ((1, here % w, there % w, w), (w, here // w, there // w, h)):
        inside = _inner(start, count) & _inner(stop, count)
        fraction = _fraction(tests, refs, here, there, step, matches.forward_distance)
        whole.append(stop - start)
        fractions.append(torch.where(inside, fraction, 0.0))
    steps = torch.stack(whole, dim=1).reshape(n, 2, h, w)
    return steps, steps + torch.stack(fractions, dim=1).reshape(n, 2, h, w)


def _unit(vectors: Tensor) -> Tensor:
    """(..., D) -> (..., D + 1): unit vectors; a zero vector becomes the last axis, at right angles
    to all others."""
    length = _sum(vectors.to(torch.float32).square())[..., None].sqrt()
    zero = length == 0
    return torch.cat([vectors / length.masked_fill(zero, 1), zero.to(torch.float32)], dim=-1)


def _half_square(test: Tensor, ref: Tensor) -> Tensor:
    return _sum((test - ref).square_()).mul_(0.5)


def _sum(values: Tensor) -> Tensor:
    """(..., D) -> (...), in parts of at most :data:`PART`: a longer row is shared out among torch's
    threads where it is the only one, and its last bits would depend on their number and on the
    batch."""
    count = values.shape[-1] // PART
    parts = values[..., : count * PART].reshape(*values.shape[:-1], count, PART).sum(dim=-1)
    rest = values[..., count * PART :].sum(dim=-1, keepdim=True)
    return torch.cat([parts, rest], dim=-1).sum(dim=-1)


def _take(vectors: Tensor, index: Tensor) -> Tensor:
    """(N, P, D) rows picked by (N, P) indices."""
    first = torch.arange(len(vectors), device=index.device)[:, None] * vectors.shape[1]
    return vectors.flatten(0, 1)[index + first]


def _far(grid: tuple[int, int], window: int, device: torch.device) -> Tensor:
    """(P, P) bool: which patches are more than ``window`` columns or rows from each other."""
    rows, columns = (torch.arange(count, device=device) for count in grid)
    far_y, far_x = ((line[:, None] - line).abs() > window for line in (rows, columns))
    cells = grid[0] * grid[1]
    return (far_y[:, None, :, None] | far_x[None, :, None, :]).reshape(cells, cells)


def _best_on_cpu(similarity: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(P, P) -> two (P,): the best match of each row and of each column under the tie rule."""
    by_row, by_column = ((similarity.amax(dim=dim) - TIE).numpy() for dim in (1, 0))
    forward, backward = patch_match_kernels.nearest(similarity.numpy(), by_row, by_column, grid[1])
    return torch.from_numpy(forward), torch.from_numpy(backward)


def _best_by_torch(similarity: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    return _best(similarity, grid), _best(similarity.T.contiguous(), grid)


def _best(similarity: Tensor, grid: tuple[int, int]) -> Tensor:
    """(P, P) -> (P,): the column of the best match of each row under the tie rule."""
    highest, best = similarity.max(dim=1)
    near = similarity >= highest[:, None] - TIE
    tied = (near.sum(dim=1) > 1).nonzero()[:, 0]
    columns = torch.arange(grid[0] * grid[1], device=best.device)
    y, x = columns // grid[1], columns % grid[1]
    block = max(1, _BLOCK // len(columns))
    for start in range(0, len(tied), block):
        rows = tied[start : start + block]
        squares = (y[rows, None] - y).square() + (x[rows, None] - x).square()
        best[rows] = squares.masked_fill_(~near[rows], torch.iinfo(torch.int64).max).argmin(dim=1)
    return best


def _inner(place: Tensor, count: int) -> Tensor:
    return (place > 0) & (place < count - 1)


def _fraction(
    tests: Tensor, refs: Tensor, here: Tensor, there: Tensor, step: int, distance: Tensor
) -> Tensor:
    """(N, P) float32 in -0.5..0.5: by how many patches along one axis the true place is past the
    match."""
    last = tests.shape[1] - 1

    def apart(test_step: int, ref_step: int) -> Tensor:
        test = _take(tests, (here + test_step).clamp(0, last))
        return _half_square(test, _take(refs, (there + ref_step).clamp(0, last)))

    before = (apart(0, -step) + apart(step, 0)) * 0.5
    after = (apart(0, step) + apart(-step, 0)) * 0.5
    rise = torch.maximum(before, after) - distance
    return torch.where(rise > 0, 0.5 * (before - after) / (rise + DAMPING), 0.0).clamp(-0.5, 0.5)


def _both(pairs: Pairs) -> tuple[Features, Features]:
    if pairs.test_features is None or pairs.ref_features is None:
        raise ValueError(
            f"this metric compares features, and these pairs have none: {pairs.test!r}"
        )
    return pairs.test_features, pairs.ref_features


def matches_of(pairs: Pairs) -> Matches:
    """Best matches of the pairs, within their window; computed once for all that looks at them."""
    test, ref = _both(pairs)
    found: Matches = pairs.share("matches", lambda: match(test, ref, pairs.window))
    return found


def _cosine(pairs: Pairs) -> Tensor:
    test, ref = _both(pairs)
    return cosine_distance(test.pooled, ref.pooled)


def _mismatch(pairs: Pairs) -> Tensor:
    return matches_of(pairs).forward_distance.mean(dim=1)


def _map(compute: Callable[[Matches], Tensor]) -> Callable[[Pairs], Tensor]:
    """The function of pairs that a map is, (N, h, w), from one of matches, (N, h * w)."""

    def values(pairs: Pairs) -> Tensor:
        n, h, w, _ = _both(pairs)[0].patches.shape
        return compute(matches_of(pairs)).reshape(n, h, w)

    return values


def _boosted(distance: Tensor, mutual: Tensor) -> Tensor:
    return torch.where(mutual, distance, distance * BOOST)


def _motion(pairs: Pairs) -> Tensor:
    test, ref = _both(pairs)
    if pairs.ref is None:
        raise ValueError(
            "motion needs the pixels of both frames, and these pairs have no reference:"
            f" {pairs.test!r}"
        )
    whole, start = motion(test, ref, matches_of(pairs))
    moved = refine(pairs.test, pairs.ref, whole, start)
    height, width = pairs.test.size
    pitch = torch.tensor([width / moved.shape[3], height / moved.shape[2]], device=moved.device)
    return moved * pitch[:, None, None]


def _spec(name: str, floor: float, description: str, high: float = 2.0) -> MetricSpec:
    return MetricSpec(name, "1", 0.0, high, True, 0.0, floor, description, needs=FROM_PATCHES)


def _alike(name: str, description: str) -> MetricSpec:
    return MetricSpec(name, "1", -1.0, 1.0, False, 1.0, 0.01, description, needs=FROM_PATCHES)


_PATCHES = "1 - cosine of each test patch to its best match in the reference frame"
_BACK = "1 - cosine of each reference patch to its best match in the test frame"
_TIMES = f"times {BOOST:g} where the two patches are not each other's best match"

METRICS = (
    Metric(_spec("cosine", 0.005, "1 - cosine of the pooled embeddings"), _cosine),
    Metric(_spec("mismatch", 0.01, f"mean over the test frame of {_PATCHES}"), _mismatch),
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
