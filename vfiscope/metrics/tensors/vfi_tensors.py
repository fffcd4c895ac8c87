"""The comparisons of ``vfi`` (:mod:`vfiscope.metrics.vfi`) as tensor operations for devices."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.embedders.dsift_tensors import describe_cells
from vfiscope.metrics.pixel_pairs import PixelPairs
from vfiscope.metrics.tensors.planes import wide
from vfiscope.metrics.vfi_cells import DETAIL_CELL, DETAIL_FLOOR
from vfiscope.pixels import LUMA_WEIGHTS, floats, weighted

__all__ = ["columns", "compared"]


def compared(a: PixelPairs, cells: tuple[int, ...]) -> Tensor:
    """:func:`vfiscope.metrics.vfi.compared` for cells of any side."""
    device = torch.as_tensor(a.test).device
    means = torch.empty((len(a), len(cells) + 1), dtype=wide(device), device=device)
    for row in range(len(a)):
        means[row] = _compare(a, row, cells)
    return means


def columns(*each: Tensor) -> Tensor:
    """Columns (N,) side by side."""
    return torch.stack(each, dim=1)


@torch.no_grad()
def _compare(a: PixelPairs, row: int, cells: tuple[int, ...]) -> Tensor:
    test, ref = (floats(x[row]).contiguous() / a.peak for x in (a.test, a.ref))
    apart = [
        _apart(*(describe_cells(_whole_cells(image, cell), cell) for image in (test, ref)))
        for cell in cells
    ]
    return torch.stack(
        [_mean(values) for values in (*apart, _lost(_sharpness(test), _sharpness(ref)))]
    )


def _mean(cells: Tensor) -> Tensor:
    # Row by row: one sum over all cells would be split by the number of threads.
    return cells.to(wide(cells.device)).sum(dim=1).sum() / cells.numel()


def _whole_cells(planes: Tensor, cell: int) -> Tensor:
    """(C, H, W) with the last row and column repeated up to a multiple of the cell."""
    height, width = planes.shape[1:]
    return F.pad(planes[None], (0, -width % cell, 0, -height % cell), mode="replicate")[0]


def _apart(test: Tensor, ref: Tensor) -> Tensor:
    """sqrt(1 - cosine) of unit vectors, exactly 0 for equal ones."""
    return (test - ref).square_().sum(dim=-1).mul_(0.5).sqrt_()


def _sharpness(image: Tensor) -> Tensor:
    """Mean modified Laplacian of luma 0..255 over each cell, (h, w)."""
    luma = weighted(image, LUMA_WEIGHTS) * 255
    around = F.pad(luma[None], (1, 1, 1, 1), mode="replicate")[0]
    across = (2 * luma - around[1:-1, :-2] - around[1:-1, 2:]).abs()
    down = (2 * luma - around[:-2, 1:-1] - around[2:, 1:-1]).abs()
    whole = _whole_cells((across + down)[None], DETAIL_CELL)[0]
    h, w = (side // DETAIL_CELL for side in whole.shape)
    return whole.reshape(h, DETAIL_CELL, w, DETAIL_CELL).sum(dim=(1, 3)) / DETAIL_CELL**2


def _lost(test: Tensor, ref: Tensor) -> Tensor:
    return (ref - test).clamp(min=0) / (ref + DETAIL_FLOOR)
