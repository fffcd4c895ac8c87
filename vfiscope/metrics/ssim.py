"""Structural similarity: ssim, ssim_rgb, ms_ssim.

Conventions:
    Gaussian window of 11 taps, sigma 1.5 (weights sum to 1), K1 0.01, K2 0.03, L 255, population
    covariance, mean over the windows that lie wholly inside the frame (the valid area). To get the
    same number from scikit-image call ``structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255, full=True)`` on float luma and average its map
    without 5 pixels at each border. Identical frames score exactly 1. Filtering is in float32
    around the local level, sums are in float64; the error against float64 is below 1e-6. Where a
    side is shorter than the window, 11 pixels (176 for ms_ssim, 11 at its smallest scale), the
    score is not
    defined: NaN.
    Sources: Wang, Bovik, Sheikh, Simoncelli 2004 (ssim); Wang, Simoncelli, Bovik 2003 (ms_ssim).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

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
    undefined,
    wide,
)
from vfiscope.metrics.kernels import pixel_kernels
from vfiscope.metrics.metric import Metric
from vfiscope.types import MetricSpec

__all__ = [
    "MAPS",
    "METRICS",
    "MIN_SSIM_SIDE_PX",
    "ms_ssim",
    "similarity_rgb",
    "ssim",
    "ssim_map",
    "ssim_rgb",
]

SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SCALED_SSIM_C = (2 * SSIM_C1 * UNIT**2, 2 * SSIM_C2 * UNIT**2)
"""The constants doubled, for planes of sums and differences in 1000ths of a code value."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
CHANNELS = ((UNIT, 0.0, 0.0), (0.0, UNIT, 0.0), (0.0, 0.0, UNIT))
MIN_SSIM_SIDE_PX = pixel_kernels.TAPS
SMALLEST_MULTISCALE = pixel_kernels.TAPS * 2 ** (len(SCALE_WEIGHTS) - 1)


def ssim(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Structural similarity of luma (Wang 2004).

    Returns:
        (N,) float32, -1 to 1; 1 when identical; NaN for frames smaller than 11 pixels in a
        dimension.
    """
    return _ssim(align(test, ref, test_depth, ref_depth))


def ssim_rgb(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Structural similarity of R, of G and of B, averaged.

    Returns:
        (N,) float32, -1 to 1; 1 when identical; NaN for frames smaller than 11 pixels in a
        dimension.
    """
    return _ssim_rgb(align(test, ref, test_depth, ref_depth))


def ms_ssim(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Structural similarity of luma at five scales (Wang 2003).

    The product of the mean contrast-structure terms of scales 1 to 4 and of the mean SSIM of scale
    5, to the powers 0.0448, 0.2856, 0.3001, 0.2363, 0.1333; a negative mean counts as 0. Each scale
    averages 2x2 pixels of the one before and drops an odd last row or column.

    Returns:
        (N,) float32, 0 to 1; 1 when identical; NaN for frames smaller than 176 pixels in a
        dimension.
    """
    return _ms_ssim(align(test, ref, test_depth, ref_depth))


def ssim_map(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Structural similarity of luma in cells of about 16x16 pixels.

    The value of a window belongs to its centre pixel; a cell is the mean of the windows centred in
    it, so that the cells at the border leave out the outer 5 pixels. Cells are those of
    :func:`vfiscope.metrics.convert.cell_edges`.

    Returns:
        (N, h, w) float32 with h = max(1, H // 16) and w = max(1, W // 16), -1 to 1; 1 where
        identical; NaN for frames smaller than 11 pixels in a dimension.
    """
    return _ssim_map(align(test, ref, test_depth, ref_depth))


def _windows(height: int, width: int) -> int:
    return (height - MIN_SSIM_SIDE_PX + 1) * (width - MIN_SSIM_SIDE_PX + 1)


def _constants() -> NDArray[np.float32]:
    return np.asarray(SCALED_SSIM_C, dtype=np.float32)


def _means(a: Aligned, channels: tuple[float, float, float]) -> Tensor:
    """Means over the valid area of SSIM and of its contrast-structure part, (N, 2)."""
    return _means_on_cpu(a, channels) if a.on_cpu else _means_by_torch(a, channels)


def _means_on_cpu(a: Aligned, channels: tuple[float, float, float]) -> Tensor:
    height, width = a.size
    cut, nowhere = pixel_kernels.tiles(height, width), np.empty((0, 0), np.float32)
    sums = pixel_kernels.ssim_frames(*a.arrays, a.weights(channels), _constants(), cut, nowhere)
    return torch.from_numpy(sums) / _windows(height, width)


def _means_by_torch(a: Aligned, channels: tuple[float, float, float]) -> Tensor:
    means = torch.empty((len(a), 2), dtype=wide(a.test.device), device=a.test.device)
    for row in range(len(a)):
        means[row] = torch.stack(
            [x.to(means.dtype).mean() for x in _similarity(*a.planes(row, channels))]
        )
    return means


def _blur(planes: Tensor, dim: int) -> Tensor:
    """Filter along one dimension, valid part only; slices and no convolution, whose precision the
    device decides."""
    weights: list[float] = pixel_kernels.taps().tolist()
    length = planes.shape[dim] - 2 * pixel_kernels.WINDOW_MARGIN_PX
    blurred = weights[pixel_kernels.WINDOW_MARGIN_PX] * planes.narrow(
        dim, pixel_kernels.WINDOW_MARGIN_PX, length
    )
    for k in range(pixel_kernels.WINDOW_MARGIN_PX):
        blurred += weights[k] * (
            planes.narrow(dim, k, length) + planes.narrow(dim, pixel_kernels.TAPS - 1 - k, length)
        )
    return blurred


def _similarity(s: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure part of every window, two (H - 10, W - 10), from planes (H,
    W)."""
    level_s, level_d = ((plane.amin() + plane.amax()) / 2 for plane in (s, d))
    s, d = s - level_s, d - level_d
    mean_s, square_s, mean_d, square_d = _blur(_blur(torch.stack([s, s * s, d, d * d]), -2), -1)
    var_s, var_d = square_s - mean_s * mean_s, square_d - mean_d * mean_d
    mean_s, mean_d = mean_s + level_s, mean_d + level_d
    structure = (var_s - var_d + SCALED_SSIM_C[1]) / (var_s + var_d + SCALED_SSIM_C[1])
    luminance = (mean_s * mean_s - mean_d * mean_d + SCALED_SSIM_C[0]) / (
        mean_s * mean_s + mean_d * mean_d + SCALED_SSIM_C[0]
    )
    return luminance * structure, structure


def _luma_means(a: Aligned) -> Tensor:
    made: Tensor = a.share("ssim", lambda: _means(a, LUMA))
    return made


def _ssim(a: Aligned) -> Tensor:
    return (
        undefined(a) if min(a.size) < MIN_SSIM_SIDE_PX else _luma_means(a)[:, 0].to(torch.float32)
    )


def similarity_rgb(a: Aligned) -> Tensor:
    """:func:`ssim_rgb` before it is rounded, of frames of 11 pixels or more: (N,) float64 (float32
    on mps)."""

    def averaged() -> Tensor:
        red, green, blue = (_means(a, channels)[:, 0] for channels in CHANNELS)
        return (red + green + blue) / 3

    made: Tensor = a.share("ssim_rgb", averaged)
    return made


def _ssim_rgb(a: Aligned) -> Tensor:
    if min(a.size) < MIN_SSIM_SIDE_PX:
        return undefined(a)
    return similarity_rgb(a).to(torch.float32)


def _ms_ssim(a: Aligned) -> Tensor:
    if min(a.size) < SMALLEST_MULTISCALE:
        return undefined(a)
    means = [_luma_means(a), *(_coarser_on_cpu(a) if a.on_cpu else _coarser_by_torch(a))]
    factors = torch.stack([*(level[:, 1] for level in means[:-1]), means[-1][:, 0]], dim=1)
    return per_frame(_weighted_product, factors)


def _weighted_product(*factors: Tensor) -> Tensor:
    product = torch.ones_like(factors[0])
    for factor, weight in zip(factors, SCALE_WEIGHTS, strict=True):
        product = product * torch.pow(factor.clamp(min=0.0), weight)
    return product


def _coarser_on_cpu(a: Aligned) -> list[Tensor]:
    """The means, (N, 2) each, of scales 2 to 5."""
    s, d = (plane.numpy() for plane in a.halved())
    means = []
    for scale in range(1, len(SCALE_WEIGHTS)):
        if scale > 1:
            s, d = pixel_kernels.halve_planes(s, d)
        sums = pixel_kernels.ssim_planes(s, d, _constants(), pixel_kernels.tiles(*s.shape[1:]))
        means.append(torch.from_numpy(sums) / _windows(*s.shape[1:]))
    return means


def _coarser_by_torch(a: Aligned) -> list[Tensor]:
    s, d = a.halved()
    scales = len(SCALE_WEIGHTS) - 1
    means = torch.empty((scales, len(a), 2), dtype=wide(s.device), device=s.device)
    for row in range(len(a)):
        both = torch.stack([s[row], d[row]])
        for scale in range(scales):
            if scale > 0:
                both = functional.avg_pool2d(both, 2)
            means[scale, row] = torch.stack(
                [x.to(means.dtype).mean() for x in _similarity(both[0], both[1])]
            )
    return list(means)


def _ssim_map(a: Aligned) -> Tensor:
    edges = [cell_edges(length) for length in a.size]
    if min(a.size) < MIN_SSIM_SIDE_PX:
        return undefined(a, len(edges[0]) - 1, len(edges[1]) - 1)
    # Window k is centred at pixel k + 5.
    rows, columns = (
        np.clip(e, pixel_kernels.WINDOW_MARGIN_PX, e[-1] - pixel_kernels.WINDOW_MARGIN_PX)
        - pixel_kernels.WINDOW_MARGIN_PX
        for e in edges
    )
    cells: Callable[[Aligned, int, NDArray[np.int64], NDArray[np.int64]], Tensor]
    cells = _cells_on_cpu if a.on_cpu else _cells_by_torch
    shape = (len(a), len(rows) - 1, len(columns) - 1)
    means = torch.empty(shape, dtype=torch.float32, device=a.test.device)
    for row in range(len(a)):
        means[row] = cells(a, row, rows, columns)
    return means


def _cells_on_cpu(
    a: Aligned, row: int, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> Tensor:
    height, width = a.size
    windows = np.empty((height - MIN_SSIM_SIDE_PX + 1, width - MIN_SSIM_SIDE_PX + 1), np.float32)
    test, ref = (array[row : row + 1] for array in a.arrays)
    cut = pixel_kernels.tiles(height, width)
    pixel_kernels.ssim_frames(test, ref, a.weights(LUMA), _constants(), cut, windows)
    sums = np.add.reduceat(
        np.add.reduceat(windows, rows[:-1], axis=0, dtype=np.float64), columns[:-1], axis=1
    )
    return torch.from_numpy(sums / (np.diff(rows)[:, None] * np.diff(columns)))


def _cells_by_torch(
    a: Aligned, row: int, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> Tensor:
    windows = _similarity(*a.planes(row, LUMA))[0].to(wide(a.test.device))
    area = torch.from_numpy(np.diff(rows)[:, None] * np.diff(columns)).to(windows)
    return cell_sums(windows, rows, columns) / area


def _metric(
    name: str,
    low: float,
    description: str,
    compute: Callable[[Aligned], Tensor],
    grid: Callable[[int, int], tuple[int, int]] | None = None,
) -> Metric:
    spec = MetricSpec(
        name=name,
        unit="1",
        low=low,
        high=1.0,
        lower_is_better=False,
        identity=1.0,
        floor=0.02,
        description=description,
    )
    return Metric(spec, on_pixels(compute), grid)


METRICS = (
    _metric(
        "ssim",
        -1.0,
        "Structural similarity of luma, Gaussian window of 11 taps (Wang et al. 2004).",
        _ssim,
    ),
    _metric(
        "ssim_rgb",
        -1.0,
        "Structural similarity of R, G and B apart, averaged (Wang et al. 2004).",
        _ssim_rgb,
    ),
    _metric(
        "ms_ssim", 0.0, "Structural similarity of luma at five scales (Wang et al. 2003).", _ms_ssim
    ),
)

MAPS = (
    _metric(
        "ssim",
        -1.0,
        "SSIM of luma in cells of about 16x16 px (Wang et al. 2004).",
        _ssim_map,
        cell_grid,
    ),
)
