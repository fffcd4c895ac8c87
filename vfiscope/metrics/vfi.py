"""One number for interpolated frames, without weights: vfi, a prediction of LPIPS from four plain comparisons.

Conventions:
    Frames are integer RGB (N, 3, H, W), test first, see :mod:`vfiscope.metrics.convert`. Four parts, each 0 for
    identical frames and larger for worse ones, are multiplied together::

        vfi = SCALE * (product over the parts of (1 + part / softness) ^ weight - 1)

    with weights that are not negative: vfi is 0 exactly where every part is, and never falls when a part rises. It is
    in the unit of LPIPS (Zhang et al. 2018, SqueezeNet): the least squares prediction of it, less the prediction for
    identical frames. No two frames reach 1.6; unrelated pictures score 0.3 to 0.7.
    The parts are computed from the pixels at their own size, whatever embedder a run has. Every pair is treated by
    itself, with sums in a fixed order: no score depends on the batch or the number of threads. Frames smaller than 11
    pixels in a dimension have no SSIM and score NaN.

Parts:
    fine, coarse: mean over cells of 8x8 and of 32x32 px of sqrt(1 - cosine) of the dense SIFT and colour descriptors
    at the same place (Lowe 2004, see :mod:`vfiscope.embed.dsift`): like LPIPS, distances between unit vectors of
    oriented gradients, at two scales. Borders are repeated up to whole cells.
    structure: 1 - SSIM of R, G and B averaged (Wang et al. 2004).
    detail: the share of the reference's detail that the test has lost, mean over cells of 16x16 px of
    max(0, l_r - l_t) / (l_r + 4), where l is the mean of the modified Laplacian of luma 0..255, the focus measure
    |2 Y - Y_left - Y_right| + |2 Y - Y_above - Y_below| of Nayar and Nakagawa 1994. It tells a blurred frame from one
    that is off by as much.

Constants:
    ``python benchmarks/vfi.py --fit`` prints them; benchmarks/vfi.md holds how well they rank, out of scene.

Cost:
    1 to 3 s on one core of a CPU for a pair of 1080p frames, most of it for the fine cells, and 0.4 GB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.embed.dsift import describe_cells
from vfiscope.metrics.base import Metric
from vfiscope.metrics.convert import Aligned, align, on_pixels, per_frame, undefined, wide
from vfiscope.metrics.ssim import SMALLEST, similarity_rgb
from vfiscope.types import LUMA_WEIGHTS, MetricSpec

__all__ = ["METRICS", "PARTS", "SCALE", "Part", "appearance", "detail", "parts", "structure", "vfi"]

FINE, COARSE = 8, 32
"""Sides in pixels of the cells whose descriptors are compared."""
DETAIL_CELL = 16
DETAIL_FLOOR = 4.0
"""Mean modified Laplacian, in code values, that is hardly detail: about that of noise of one code value."""


@dataclass(frozen=True)
class Part:
    """How a part counts."""

    softness: float
    """Values well below it hardly count."""
    weight: float
    """Exponent of 1 + part / softness."""


SCALE = 0.0007317
PARTS = {
    "fine": Part(0.003134, 0.491),
    "coarse": Part(0.00175, 0.38),
    "structure": Part(0.003026, 0.2682),
    "detail": Part(0.003045, 0.1163),
}
"""Fitted on 57 interpolated scenes; see the top of this file."""


def vfi(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Predicted LPIPS, from the pixels alone.

    Returns:
        (N,) float32, 0 to 1.6; 0 when identical; NaN for frames smaller than 11 pixels in a dimension.
    """
    return _vfi(align(test, ref, test_depth, ref_depth))


def parts(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """What vfi is made of.

    Returns:
        (N, 4): fine, coarse, structure and detail; 0 when identical.
    """
    return _parts(align(test, ref, test_depth, ref_depth))


def appearance(a: Aligned, cell: int) -> Tensor:
    """Mean over cells of sqrt(1 - cosine) of the dense SIFT descriptors at the same place, (N,) 0..1."""
    return _each(a, lambda test, ref: _apart(_described(test, cell), _described(ref, cell)))


def structure(a: Aligned) -> Tensor:
    """1 - SSIM of R, G and B averaged, (N,) 0..2; NaN for frames smaller than 11 pixels in a dimension."""
    return undefined(a).to(wide(a.test.device)) if min(a.size) < SMALLEST else (1 - similarity_rgb(a)).clamp(min=0)


def detail(a: Aligned) -> Tensor:
    """The share of the reference's detail that the test frame has lost, (N,) 0..1."""
    return _each(a, lambda test, ref: _lost(_sharpness(test), _sharpness(ref)))


def _each(a: Aligned, compare: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Compare the images of each pair, (3, H, W) float32 in 0..1, and average over cells: (N,)."""
    means = torch.empty(len(a), dtype=wide(a.test.device), device=a.test.device)
    with torch.inference_mode():
        for row in range(len(a)):
            test, ref = (x[row].to(torch.float32).contiguous() / a.peak for x in (a.test, a.ref))
            cells = compare(test, ref).to(means.dtype)
            # Row by row: one sum over all cells would be cut by the number of threads.
            means[row] = cells.sum(dim=1).sum() / cells.numel()
    return means


def _whole_cells(planes: Tensor, cell: int) -> Tensor:
    """(C, H, W) with the last row and column repeated up to a multiple of the cell."""
    height, width = planes.shape[1:]
    return F.pad(planes[None], (0, -width % cell, 0, -height % cell), mode="replicate")[0]


def _described(image: Tensor, cell: int) -> Tensor:
    return describe_cells(_whole_cells(image, cell), cell)


def _apart(test: Tensor, ref: Tensor) -> Tensor:
    """sqrt(1 - cosine) of unit vectors, exactly 0 for equal ones."""
    return (test - ref).square_().sum(dim=-1).mul_(0.5).sqrt_()


def _sharpness(image: Tensor) -> Tensor:
    """Mean modified Laplacian of luma 0..255 over each cell, (h, w)."""
    luma = (image[0] * LUMA_WEIGHTS[0] + image[1] * LUMA_WEIGHTS[1] + image[2] * LUMA_WEIGHTS[2]) * 255
    around = F.pad(luma[None], (1, 1, 1, 1), mode="replicate")[0]
    across = (2 * luma - around[1:-1, :-2] - around[1:-1, 2:]).abs()
    down = (2 * luma - around[:-2, 1:-1] - around[2:, 1:-1]).abs()
    whole = _whole_cells((across + down)[None], DETAIL_CELL)[0]
    h, w = (side // DETAIL_CELL for side in whole.shape)
    return whole.reshape(h, DETAIL_CELL, w, DETAIL_CELL).sum(dim=(1, 3)) / DETAIL_CELL**2


def _lost(test: Tensor, ref: Tensor) -> Tensor:
    return (ref - test).clamp(min=0) / (ref + DETAIL_FLOOR)


def _parts(a: Aligned) -> Tensor:
    return torch.stack([appearance(a, FINE), appearance(a, COARSE), structure(a), detail(a)], dim=1)


def _vfi(a: Aligned) -> Tensor:
    return per_frame(_combined, _parts(a))


def _combined(*values: Tensor) -> Tensor:
    exponent = torch.zeros_like(values[0])
    for value, part in zip(values, PARTS.values(), strict=True):
        exponent = exponent + part.weight * torch.log1p(value / part.softness)
    return SCALE * torch.expm1(exponent)


METRICS = (
    Metric(
        MetricSpec(
            name="vfi",
            unit="1",
            low=0.0,
            high=1.6,
            lower_is_better=True,
            identity=0.0,
            floor=0.01,
            description="LPIPS of an interpolated frame as predicted from dense SIFT, SSIM and lost detail.",
        ),
        on_pixels(_vfi),
    ),
)
