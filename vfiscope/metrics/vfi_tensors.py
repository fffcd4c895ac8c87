"""What ``vfi`` (:mod:`vfiscope.metrics.vfi`) compares, as tensor operations for devices other than
a CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.embedders.dsift import describe_cells
from vfiscope.metrics.convert import Aligned, wide
from vfiscope.metrics.vfi_cells import DETAIL_CELL, DETAIL_FLOOR
from vfiscope.types import LUMA_WEIGHTS

__all__ = ["compare"]


@torch.inference_mode()
def compare(a: Aligned, row: int, cells: tuple[int, ...]) -> Tensor:
    """Means of :func:`vfiscope.metrics.vfi.appearance` for cells of any side, and of the lost
    detail, of one pair."""
    test, ref = (x[row].to(torch.float32).contiguous() / a.peak for x in (a.test, a.ref))
    apart = [
        _apart(*(describe_cells(_whole_cells(image, cell), cell) for image in (test, ref)))
        for cell in cells
    ]
    return torch.stack(
        [_mean(values) for values in (*apart, _lost(_sharpness(test), _sharpness(ref)))]
    )


def _mean(cells: Tensor) -> Tensor:
    # Row by row: one sum over all cells would be cut by the number of threads.
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
    luma = (
        image[0] * LUMA_WEIGHTS[0] + image[1] * LUMA_WEIGHTS[1] + image[2] * LUMA_WEIGHTS[2]
    ) * 255
    around = F.pad(luma[None], (1, 1, 1, 1), mode="replicate")[0]
    across = (2 * luma - around[1:-1, :-2] - around[1:-1, 2:]).abs()
    down = (2 * luma - around[:-2, 1:-1] - around[2:, 1:-1]).abs()
    whole = _whole_cells((across + down)[None], DETAIL_CELL)[0]
    h, w = (side // DETAIL_CELL for side in whole.shape)
    return whole.reshape(h, DETAIL_CELL, w, DETAIL_CELL).sum(dim=(1, 3)) / DETAIL_CELL**2


def _lost(test: Tensor, ref: Tensor) -> Tensor:
    return (ref - test).clamp(min=0) / (ref + DETAIL_FLOOR)
