"""Differences pixel by pixel: mse, psnr, psnr_y, absdiff.

Conventions:
    Frames are integer RGB (N, 3, H, W), test first, see :mod:`vfiscope.metrics.convert`. Any size
    from 1x1. Sums over frames of one bit depth are sums of integers and exact; psnr_y and frames of
    two bit depths are summed in float64.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vfiscope.metrics.convert import (
    LUMA,
    UNIT,
    Aligned,
    align,
    cell_edges,
    cell_grid,
    cell_sums,
    on_pixels,
    per_frame,
    wide,
)
from vfiscope.metrics.kernels import pixel_kernels
from vfiscope.metrics.metric import Metric
from vfiscope.types import MetricSpec

__all__ = ["MAPS", "METRICS", "absdiff", "absdiff_map", "mse", "psnr", "psnr_y"]


def mse(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Mean squared difference over R, G, B and all pixels, in squared 8-bit code values.

    Returns:
        (N,) float32, 0 to 65025; 0 when identical.
    """
    return _mse(align(test, ref, test_depth, ref_depth))


def psnr(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Peak signal-to-noise ratio 10 log10(255^2 / mse) over R, G, B and all pixels.

    Returns:
        (N,) float32, dB from 0; +inf when identical.
    """
    return _psnr(align(test, ref, test_depth, ref_depth))


def psnr_y(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Peak signal-to-noise ratio of luma.

    Returns:
        (N,) float32, dB from 0; +inf when identical.
    """
    return _psnr_y(align(test, ref, test_depth, ref_depth))


def absdiff(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Mean absolute difference over R, G, B and all pixels, as a fraction of white.

    Returns:
        (N,) float32, 0 to 1; 0 when identical.
    """
    return _absdiff(align(test, ref, test_depth, ref_depth))


def absdiff_map(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Mean absolute difference over R, G, B in cells of about 16x16 pixels, as a fraction of white.

    Cells are those of :func:`vfiscope.metrics.convert.cell_edges`; every pixel is in exactly one.

    Returns:
        (N, h, w) float32 with h = max(1, H // 16) and w = max(1, W // 16), 0 to 1; 0 where
        identical.
    """
    return _absdiff_map(align(test, ref, test_depth, ref_depth))


def _sums(a: Aligned) -> Tensor:
    """Sums of absolute and of squared differences in the frames' own scale, (N, 2)."""
    made: Tensor = a.share(
        "differences", lambda: _sums_on_cpu(a) if a.on_cpu else _sums_by_torch(a)
    )
    return made


def _zero(a: Aligned) -> np.float64 | np.int64:
    return np.float64(0) if a.test.is_floating_point() else np.int64(0)


def _sums_on_cpu(a: Aligned) -> Tensor:
    return torch.from_numpy(pixel_kernels.differences(*a.arrays, _zero(a)))


def _apart(a: Aligned, row: int) -> Tensor:
    """Signed differences of one pair, (3, H, W) int64, or wide floats where the frames are
    float32."""
    dtype = wide(a.test.device) if a.test.is_floating_point() else torch.int64
    return a.test[row].to(dtype) - a.ref[row].to(dtype)


def _sums_by_torch(a: Aligned) -> Tensor:
    sums = torch.zeros((len(a), 2), dtype=wide(a.test.device), device=a.test.device)
    for row in range(len(a)):
        apart = _apart(a, row)
        sums[row, 0], sums[row, 1] = apart.abs().sum(), apart.square().sum()
    return sums


def _count(a: Aligned) -> int:
    return 3 * a.size[0] * a.size[1]


def _exact_mse(a: Aligned) -> Tensor:
    return _sums(a)[:, 1] * a.scale**2 / _count(a)


def _mse(a: Aligned) -> Tensor:
    return _exact_mse(a).to(torch.float32)


def _psnr(a: Aligned) -> Tensor:
    return per_frame(_decibels, _exact_mse(a))


def _absdiff(a: Aligned) -> Tensor:
    return (_sums(a)[:, 0] / (_count(a) * a.peak)).to(torch.float32)


def _psnr_y(a: Aligned) -> Tensor:
    sums = _luma_sums_on_cpu(a) if a.on_cpu else _luma_sums_by_torch(a)
    return per_frame(_decibels, sums / (UNIT**2 * a.size[0] * a.size[1]))


def _luma_sums_on_cpu(a: Aligned) -> Tensor:
    return torch.from_numpy(pixel_kernels.luma_differences(*a.arrays, a.weights(LUMA)))[:, 0]


def _luma_sums_by_torch(a: Aligned) -> Tensor:
    sums = torch.zeros(len(a), dtype=wide(a.test.device), device=a.test.device)
    for row in range(len(a)):
        sums[row] = a.planes(row, LUMA)[1].to(sums.dtype).square().sum()
    return sums


def _decibels(error: Tensor) -> Tensor:
    return 10 * torch.log10(255.0**2 / error)


def _absdiff_map(a: Aligned) -> Tensor:
    rows, columns = cell_edges(a.size[0]), cell_edges(a.size[1])
    sums = _cells_on_cpu(a, rows, columns) if a.on_cpu else _cells_by_torch(a, rows, columns)
    area = np.diff(rows)[:, None] * np.diff(columns)
    return (sums / torch.from_numpy(3 * a.peak * area).to(sums.device)).to(torch.float32)


def _cells_on_cpu(a: Aligned, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(pixel_kernels.difference_cells(*a.arrays, _zero(a), rows, columns))


def _cells_by_torch(a: Aligned, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tensor:
    shape = (len(a), len(rows) - 1, len(columns) - 1)
    sums = torch.zeros(shape, dtype=wide(a.test.device), device=a.test.device)
    for row in range(len(a)):
        sums[row] = cell_sums(_apart(a, row).abs().sum(0).to(sums.dtype), rows, columns)
    return sums


METRICS = (
    Metric(
        MetricSpec(
            name="mse",
            unit="code^2",
            low=0.0,
            high=255.0**2,
            lower_is_better=True,
            identity=0.0,
            floor=25.0,
            description=(
                "Mean squared difference over R, G, B and all pixels, in squared 8-bit code values."
            ),
        ),
        on_pixels(_mse),
    ),
    Metric(
        MetricSpec(
            name="psnr",
            unit="dB",
            low=0.0,
            high=math.inf,
            lower_is_better=False,
            identity=math.inf,
            floor=1.5,
            description=(
                "Peak signal-to-noise ratio 10 log10(255^2 / mse) over R, G, B and all pixels."
            ),
        ),
        on_pixels(_psnr),
    ),
    Metric(
        MetricSpec(
            name="psnr_y",
            unit="dB",
            low=0.0,
            high=math.inf,
            lower_is_better=False,
            identity=math.inf,
            floor=1.5,
            description="Peak signal-to-noise ratio of luma Y' = 0.299 R + 0.587 G + 0.114 B.",
        ),
        on_pixels(_psnr_y),
    ),
    Metric(
        MetricSpec(
            name="absdiff",
            unit="1",
            low=0.0,
            high=1.0,
            lower_is_better=True,
            identity=0.0,
            floor=0.01,
            description=(
                "Mean absolute difference over R, G, B and all pixels, as a fraction of white."
            ),
        ),
        on_pixels(_absdiff),
    ),
)

MAPS = (
    Metric(
        MetricSpec(
            name="absdiff",
            unit="1",
            low=0.0,
            high=1.0,
            lower_is_better=True,
            identity=0.0,
            floor=0.01,
            description=(
                "Mean absolute difference over R, G, B in cells of about 16x16 pixels, as a"
                " fraction of white."
            ),
        ),
        on_pixels(_absdiff_map),
        cell_grid,
    ),
)
