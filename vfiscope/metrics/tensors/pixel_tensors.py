"""Sums of differences of frames on a device, for :mod:`vfiscope.metrics.pixel`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vfiscope.metrics.pixel_pairs import LUMA, PixelPairs
from vfiscope.metrics.tensors.planes import cell_sums, planes, wide

__all__ = [
    "absolute_differences",
    "difference_cells",
    "luma_differences",
    "squared_differences",
]


def absolute_differences(a: PixelPairs) -> Tensor:
    """Sums of absolute differences in the frames' own scale, (N,)."""
    return _row_sums(a, torch.abs)


def squared_differences(a: PixelPairs) -> Tensor:
    """Sums of squared differences in the frames' own scale, (N,)."""
    return _row_sums(a, torch.square)


def _row_sums(a: PixelPairs, size: Callable[[Tensor], Tensor]) -> Tensor:
    sums = torch.zeros(len(a), dtype=_wide(a), device=_device(a))
    for row in range(len(a)):
        sums[row] = size(_apart(a, row)).sum()
    return sums


def luma_differences(a: PixelPairs) -> Tensor:
    """Sums of squared differences of luma in 1000ths of an 8-bit code value, (N,)."""
    sums = torch.zeros(len(a), dtype=_wide(a), device=_device(a))
    for row in range(len(a)):
        sums[row] = planes(a, row, LUMA)[1].to(sums.dtype).square().sum()
    return sums


def difference_cells(a: PixelPairs, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tensor:
    """Sums of absolute differences over the cells between edges (h + 1,) and (w + 1,): (N, h,
    w)."""
    shape = (len(a), len(rows) - 1, len(columns) - 1)
    sums = torch.zeros(shape, dtype=_wide(a), device=_device(a))
    for row in range(len(a)):
        sums[row] = cell_sums(_apart(a, row).abs().sum(0).to(sums.dtype), rows, columns)
    return sums


def _apart(a: PixelPairs, row: int) -> Tensor:
    """Signed differences of one pair, (3, H, W) int64, or wide floats for float32 frames."""
    dtype = torch.int64 if a.whole else _wide(a)
    test, ref = torch.as_tensor(a.test[row]), torch.as_tensor(a.ref[row])
    return test.to(dtype) - ref.to(dtype)


def _device(a: PixelPairs) -> torch.device:
    return torch.as_tensor(a.test).device


def _wide(a: PixelPairs) -> torch.dtype:
    return wide(_device(a))
