"""Comparisons of embeddings as tensor operations, for devices.

On the CPU :mod:`vfiscope.metrics.patch_matching` computes the same from arrays.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.metrics.kernels.patch_match_kernels import DAMPING, SUMMED
from vfiscope.metrics.patch_matching import TIE, Matches, common_grid, far
from vfiscope.pixels import LUMA_WEIGHTS, weighted, white
from vfiscope.types import Features

__all__ = ["cosine_distance", "half_square", "match", "motion", "small_luma", "unit"]

_BLOCK = 1 << 20


def cosine_distance(test: Tensor, ref: Tensor) -> Tensor:
    """1 - cosine along the last axis.

    Args:
        test: (..., D) float32.
        ref: (..., D) float32.

    Returns:
        (...) float32 in 0..2.
    """
    return half_square(unit(test), unit(ref))


def match(test: Features, ref: Features, window: int | None = None) -> Matches[Tensor]:
    """As :func:`vfiscope.metrics.patch_matching.match`, of tensors."""
    grid = common_grid(test, ref)
    tests, refs = (unit(torch.as_tensor(each.patches)).flatten(1, 2) for each in (test, ref))
    apart = far(grid, window)
    masked = None if apart is None else torch.from_numpy(apart).to(tests.device)
    forward = torch.empty(tests.shape[:2], dtype=torch.int64, device=tests.device)
    backward = torch.empty_like(forward)
    for row in range(len(test)):
        similarity = tests[row] @ refs[row].T
        if masked is not None:
            similarity.masked_fill_(masked, -torch.inf)
        forward[row] = _best(similarity, grid)
        backward[row] = _best(similarity.T.contiguous(), grid)
    own = torch.arange(grid[0] * grid[1], device=forward.device)
    return Matches(
        grid,
        tests,
        refs,
        forward,
        half_square(tests, _take(refs, forward)),
        backward,
        half_square(refs, _take(tests, backward)),
        backward.gather(1, forward) == own,
        forward.gather(1, backward) == own,
    )


def motion(matches: Matches[Tensor]) -> tuple[Tensor, Tensor]:
    """As :func:`vfiscope.metrics.patch_matching.motion`, of tensors."""
    (h, w), there = matches.grid, matches.forward
    here = torch.arange(h * w, device=there.device).expand(len(there), -1)
    whole, fractions = [], []
    for step, start, stop, count in ((1, here % w, there % w, w), (w, here // w, there // w, h)):
        inside = _inner(start, count) & _inner(stop, count)
        fraction = _fraction(matches, here, step)
        whole.append(stop - start)
        fractions.append(torch.where(inside, fraction, 0.0))
    steps = torch.stack(whole, dim=1).reshape(-1, 2, h, w)
    return steps, steps + torch.stack(fractions, dim=1).reshape(-1, 2, h, w)


def small_luma(frame: Tensor, bit_depth: int, size: tuple[int, int]) -> Tensor:
    """Luma of one frame (3, H, W) of integers at another size, float32, white 1."""
    luma: Tensor = weighted(frame.unbind(), [weight / white(bit_depth) for weight in LUMA_WEIGHTS])
    if luma.shape == size:
        return luma
    made = F.interpolate(luma[None, None], size=size, mode="bilinear", antialias=True)
    return made[0, 0]


def unit(vectors: Tensor) -> Tensor:
    """(..., D) -> (..., D + 1): unit vectors; a zero vector becomes the last axis, orthogonal to
    all others."""
    length = _sum(vectors.to(torch.float32).square())[..., None].sqrt()
    zero = length == 0
    return torch.cat([vectors / length.masked_fill(zero, 1), zero.to(torch.float32)], dim=-1)


def half_square(test: Tensor, ref: Tensor) -> Tensor:
    """Half the squared distance along the last axis; 1 - cosine where both are as :func:`unit`
    makes them."""
    return _sum((test - ref).square_()).mul_(0.5)


def _sum(values: Tensor) -> Tensor:
    """(..., D) -> (...), summed in parts of at most :data:`SUMMED`. Torch would split a longer row
    over its threads where it is the only one, so its last bits would depend on their number and on
    the batch."""
    count = values.shape[-1] // SUMMED
    parts = values[..., : count * SUMMED].reshape(*values.shape[:-1], count, SUMMED).sum(dim=-1)
    rest = values[..., count * SUMMED :].sum(dim=-1, keepdim=True)
    return torch.cat([parts, rest], dim=-1).sum(dim=-1)


def _take(vectors: Tensor, index: Tensor) -> Tensor:
    """(N, P, D) rows picked by (N, P) indices."""
    first = torch.arange(len(vectors), device=index.device)[:, None] * vectors.shape[1]
    return vectors.flatten(0, 1)[index + first]


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


def _fraction(matches: Matches[Tensor], here: Tensor, step: int) -> Tensor:
    """(N, P) float32 in -0.5..0.5: distance in patches along one axis from the match to the true
    place."""
    last = here.shape[1] - 1

    def apart(test_step: int, ref_step: int) -> Tensor:
        test = _take(matches.tests, (here + test_step).clamp(0, last))
        ref = _take(matches.refs, (matches.forward + ref_step).clamp(0, last))
        return half_square(test, ref)

    before = (apart(0, -step) + apart(step, 0)) * 0.5
    after = (apart(0, step) + apart(-step, 0)) * 0.5
    rise = torch.maximum(before, after) - matches.forward_distance
    part = 0.5 * (before - after) / (rise + float(DAMPING))
    return torch.where(rise > 0, part, 0.0).clamp(-0.5, 0.5)
