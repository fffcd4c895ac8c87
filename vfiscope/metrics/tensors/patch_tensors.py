"""Comparisons of embeddings, as defined in :mod:`vfiscope.metrics.patches`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vfiscope.metrics.kernels import patch_match_kernels
from vfiscope.metrics.tensors.patch_motion import refine
from vfiscope.types import Features, Frames
from vfiscope.types.batch import to_tensor

if TYPE_CHECKING:
    from vfiscope.types.batch import Vectors

__all__ = [
    "TIE",
    "Matches",
    "cosine_distance",
    "half_square",
    "match",
    "motion",
    "motion_px",
    "unit",
]

TIE = 5e-6
"""Cosines this close to the best count as equal: above the rounding of a float32 product, far below
a real difference."""
DAMPING = 1e-3
"""Sub-patch motion fades out where a step of one patch changes the cosine by less than about this,
for lack of detail."""
PART = 4096
"""Most numbers that are summed at once."""

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


def cosine_distance(test: Vectors, ref: Vectors) -> Tensor:
    """1 - cosine along the last axis.

    Args:
        test: (..., D) float32.
        ref: (..., D) float32.

    Returns:
        (...) float32 in 0..2.
    """
    return half_square(unit(test), unit(ref))


def match(test: Features, ref: Features, window: int | None = None) -> Matches:
    """Best matches between the patches of N frame pairs.

    Args:
        test: patches (N, h, w, D).
        ref: patches of the same shape.
        window: most columns and rows between a patch and its match; None for no limit.

    Raises:
        ValueError: the shapes differ.
    """
    if test.patches.shape != ref.patches.shape:
        raise ValueError(
            f"test and ref patches differ: {tuple(test.patches.shape)} {tuple(ref.patches.shape)}"
        )
    grid = (int(test.patches.shape[1]), int(test.patches.shape[2]))
    tests, refs = unit(test.patches).flatten(1, 2), unit(ref.patches).flatten(1, 2)
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
        half_square(tests, _take(refs, forward)),
        backward,
        half_square(refs, _take(tests, backward)),
        backward.gather(1, forward) == own,
        forward.gather(1, backward) == own,
    )


def motion(test: Features, ref: Features, matches: Matches) -> tuple[Tensor, Tensor]:
    """Displacement of each test patch to its best match, by the embedding alone.

    The match gives whole patches. The fraction comes from four neighbours: along x, moving the
    reference patch one step, or the test patch one step the other way, compares the same two
    places. So with ``s(i, j)`` the cosine of test patch i and reference patch j, ``after = s(i,
    j+1) + s(i-1, j)`` and ``before = s(i, j-1) + s(i+1, j)``. Their difference is exactly zero for
    equal frames, whatever the texture; that of ``s(i, j+1)`` and ``s(i, j-1)`` is not. The peak is
    where two lines of equal and opposite slope meet (equiangular fit), which suits the pointed peak
    of descriptors sampled once per patch better than a parabola.

    Args:
        test: patches (N, h, w, D).
        ref: patches (N, h, w, D).
        matches: of these two.

    Returns:
        The match of each patch, (N, 2, h, w) int64, and the same with the fraction, float32: (dx,
        dy) in patches. The fraction is at most half a patch, and 0 where a neighbour is missing.
    """
    n, h, w, _ = test.patches.shape
    tests, refs = unit(test.patches).flatten(1, 2), unit(ref.patches).flatten(1, 2)
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


def motion_px(
    frames: tuple[Frames, Frames], features: tuple[Features, Features], matches: Matches
) -> Tensor:
    """Displacement of the patches of test frames in their references, refined by pixels.

    Args:
        frames: test and reference.
        features: of both.
        matches: of these.

    Returns:
        (N, 2, h, w) float32, (dx, dy) in pixels of the frame.
    """
    whole, start = motion(*features, matches)
    moved = refine(*frames, whole, start)
    height, width = frames[0].size
    pitch = torch.tensor([width / moved.shape[3], height / moved.shape[2]], device=moved.device)
    return moved * pitch[:, None, None]


def unit(vectors: Vectors) -> Tensor:
    """(..., D) -> (..., D + 1): unit vectors; a zero vector becomes the last axis, orthogonal to
    all others."""
    vectors = to_tensor(vectors, "cpu") if isinstance(vectors, np.ndarray) else vectors
    length = _sum(vectors.to(torch.float32).square())[..., None].sqrt()
    zero = length == 0
    return torch.cat([vectors / length.masked_fill(zero, 1), zero.to(torch.float32)], dim=-1)


def half_square(test: Tensor, ref: Tensor) -> Tensor:
    """Half the squared distance along the last axis; 1 - cosine where both are as :func:`unit`
    makes them."""
    return _sum((test - ref).square_()).mul_(0.5)


def _sum(values: Tensor) -> Tensor:
    """(..., D) -> (...), summed in parts of at most :data:`PART`. Torch would split a longer row
    over its threads where it is the only one, so its last bits would depend on their number and on
    the batch."""
    count = values.shape[-1] // PART
    parts = values[..., : count * PART].reshape(*values.shape[:-1], count, PART).sum(dim=-1)
    rest = values[..., count * PART :].sum(dim=-1, keepdim=True)
    return torch.cat([parts, rest], dim=-1).sum(dim=-1)


def _take(vectors: Tensor, index: Tensor) -> Tensor:
    """(N, P, D) rows picked by (N, P) indices."""
    first = torch.arange(len(vectors), device=index.device)[:, None] * vectors.shape[1]
    return vectors.flatten(0, 1)[index + first]


def _far(grid: tuple[int, int], window: int, device: torch.device) -> Tensor:
    """(P, P) bool: True for patches more than ``window`` columns or rows from each other."""
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
    """(N, P) float32 in -0.5..0.5: distance in patches along one axis from the match to the true
    place."""
    last = tests.shape[1] - 1

    def apart(test_step: int, ref_step: int) -> Tensor:
        test = _take(tests, (here + test_step).clamp(0, last))
        return half_square(test, _take(refs, (there + ref_step).clamp(0, last)))

    before = (apart(0, -step) + apart(step, 0)) * 0.5
    after = (apart(0, step) + apart(-step, 0)) * 0.5
    rise = torch.maximum(before, after) - distance
    return torch.where(rise > 0, 0.5 * (before - after) / (rise + DAMPING), 0.0).clamp(-0.5, 0.5)
