"""Structural similarity: ssim, ssim_rgb, ms_ssim.

Conventions:
    Gaussian window of 11 taps, sigma 1.5 (weights sum to 1), K1 0.01, K2 0.03, L 255, population
    covariance, mean over the windows that lie wholly inside the frame (the valid area). To get the
    same number from scikit-image call ``structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255, full=True)`` on float luma and average its map
    without 5 pixels at each border. Identical frames score exactly 1. Filtering is in float32
    around the local level, sums are in float64; the error against float64 is below 1e-6. Where a
    side is shorter than the window, 11 pixels (176 for ms_ssim, 11 at its smallest scale), the
    score is not defined: NaN.
    Sources: Wang, Bovik, Sheikh, Simoncelli 2004 (ssim); Wang, Simoncelli, Bovik 2003 (ms_ssim).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.metrics.kernels import ssim_kernels
from vfiscope.metrics.kernels.window_kernels import TAPS, WINDOW_MARGIN_PX
from vfiscope.metrics.metric import Metric
from vfiscope.metrics.pixel_pairs import (
    LUMA,
    UNIT,
    PixelPairs,
    cell_edges,
    cell_grid,
    on_pixels,
    per_frame,
    same_scale,
    single,
    undefined,
)
from vfiscope.types import MetricSpec
from vfiscope.types.batch import to_tensor

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

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
MIN_SSIM_SIDE_PX = TAPS
BOTH = "ssim and its contrast-structure part"
SMALLEST_MULTISCALE = TAPS * 2 ** (len(SCALE_WEIGHTS) - 1)


def ssim(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Structural similarity of luma (Wang 2004).

    Returns:
        (N,) float32, -1 to 1; 1 when identical; NaN for frames smaller than 11 pixels in a
        dimension.
    """
    return _ssim(same_scale(test, ref, test_depth, ref_depth))


def ssim_rgb(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Structural similarity of R, of G and of B, averaged.

    Returns:
        (N,) float32, -1 to 1; 1 when identical; NaN for frames smaller than 11 pixels in a
        dimension.
    """
    return _ssim_rgb(same_scale(test, ref, test_depth, ref_depth))


def ms_ssim(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Structural similarity of luma at five scales (Wang 2003).

    The product of the mean contrast-structure terms of scales 1 to 4 and of the mean SSIM of scale
    5, to the powers 0.0448, 0.2856, 0.3001, 0.2363, 0.1333; a negative mean counts as 0. Each scale
    averages 2x2 pixels of the one before and drops an odd last row or column.

    Returns:
        (N,) float32, 0 to 1; 1 when identical; NaN for frames smaller than 176 pixels in a
        dimension.
    """
    return _ms_ssim(same_scale(test, ref, test_depth, ref_depth))


def ssim_map(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Structural similarity of luma in cells of about 16x16 pixels.

    The value of a window belongs to its centre pixel; a cell is the mean of the windows centred in
    it, so that the cells at the border leave out the outer 5 pixels. Cells are those of
    :func:`vfiscope.metrics.pixel_pairs.cell_edges`.

    Returns:
        (N, h, w) float32 with h = max(1, H // 16) and w = max(1, W // 16), -1 to 1; 1 where
        identical; NaN for frames smaller than 11 pixels in a dimension.
    """
    return _ssim_map(same_scale(test, ref, test_depth, ref_depth))


def _windows(height: int, width: int) -> int:
    return (height - MIN_SSIM_SIDE_PX + 1) * (width - MIN_SSIM_SIDE_PX + 1)


def _constants() -> NDArray[np.float32]:
    return np.asarray(SCALED_SSIM_C, dtype=np.float32)


def _means(a: PixelPairs, channels: tuple[float, float, float], *, both: bool = False) -> Any:
    """Means over the valid area of SSIM and, where both are asked for, of its contrast-structure
    part, (N, 2)."""
    if a.on_cpu:
        sums = ssim_kernels.ssim_frames(*a.arrays, a.weights(channels), _constants(), both=both)
        return sums / _windows(*a.size)
    from vfiscope.metrics.tensors import ssim_tensors

    return ssim_tensors.means(a, channels, SCALED_SSIM_C)


def _luma_means(a: PixelPairs) -> Any:
    """Those of luma; from the pass of MS-SSIM where that has been made."""
    return a.shared[BOTH] if BOTH in a.shared else a.share("ssim", lambda: _means(a, LUMA))


def _ssim(a: PixelPairs) -> Pixels:
    return undefined(a) if min(a.size) < MIN_SSIM_SIDE_PX else single(_luma_means(a)[:, 0])


def similarity_rgb(a: PixelPairs) -> Any:
    """:func:`ssim_rgb` before it is rounded, of frames of 11 pixels or more: (N,) float64 (float32
    on mps)."""

    def averaged() -> Any:
        if a.on_cpu:
            unit = np.float32(UNIT * a.scale)
            sums = ssim_kernels.ssim_interleaved(*a.arrays, unit, _constants())
            return sums / (3 * _windows(*a.size))
        red, green, blue = (_means(a, channels)[:, 0] for channels in CHANNELS)
        return (red + green + blue) / 3

    return a.share("ssim_rgb", averaged)


def _ssim_rgb(a: PixelPairs) -> Pixels:
    return undefined(a) if min(a.size) < MIN_SSIM_SIDE_PX else single(similarity_rgb(a))


def _ms_ssim(a: PixelPairs) -> Pixels:
    if min(a.size) < SMALLEST_MULTISCALE:
        return undefined(a)
    means = [a.share(BOTH, lambda: _means_and_halves(a)), *_coarser(a)]
    columns = [*(level[:, 1] for level in means[:-1]), means[-1][:, 0]]
    factors = np.array([column.tolist() for column in columns]).reshape(len(columns), len(a)).T
    made = per_frame(_weighted_product, factors)
    return made if isinstance(a.test, np.ndarray) else to_tensor(made, str(a.test.device))


def _means_and_halves(a: PixelPairs) -> Any:
    """:func:`_means` of luma; :meth:`PixelPairs.halved` is made in the same pass."""
    if not a.on_cpu or "halved" in a.shared:
        return _means(a, LUMA, both=True)
    sums, halves = ssim_kernels.ssim_and_halves(*a.arrays, a.weights(LUMA), _constants())
    a.share("halved", lambda: halves)
    return sums / _windows(*a.size)


def _weighted_product(*factors: float) -> float:
    powers = zip(factors, SCALE_WEIGHTS, strict=True)
    return math.prod(math.pow(max(factor, 0.0), weight) for factor, weight in powers)


def _coarser(a: PixelPairs) -> list[Any]:
    """The means, (N, 2) each, of scales 2 to 5."""
    if not a.on_cpu:
        from vfiscope.metrics.tensors import ssim_tensors

        return ssim_tensors.coarser(a, len(SCALE_WEIGHTS) - 1, SCALED_SSIM_C)
    s, d = a.halved()
    means: list[Any] = []
    for scale in range(1, len(SCALE_WEIGHTS)):
        if scale > 1:
            s, d = ssim_kernels.halve_planes(s, d)
        sums = ssim_kernels.ssim_planes(s, d, _constants())
        means.append(sums / _windows(*s.shape[1:]))
    return means


def _ssim_map(a: PixelPairs) -> Pixels:
    edges = [cell_edges(length) for length in a.size]
    if min(a.size) < MIN_SSIM_SIDE_PX:
        return undefined(a, len(edges[0]) - 1, len(edges[1]) - 1)
    # Window k is centred at pixel k + 5.
    margin = WINDOW_MARGIN_PX
    rows, columns = (np.clip(e, margin, e[-1] - margin) - margin for e in edges)
    if not a.on_cpu:
        from vfiscope.metrics.tensors import ssim_tensors

        return ssim_tensors.cells(a, LUMA, SCALED_SSIM_C, rows, columns)
    means = np.empty((len(a), len(rows) - 1, len(columns) - 1), np.float32)
    for row in range(len(a)):
        means[row] = _cells(a, row, rows, columns)
    return means


def _cells(
    a: PixelPairs, row: int, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    height, width = a.size
    windows = np.empty((height - MIN_SSIM_SIDE_PX + 1, width - MIN_SSIM_SIDE_PX + 1), np.float32)
    test, ref = (array[row : row + 1] for array in a.arrays)
    ssim_kernels.ssim_frames(test, ref, a.weights(LUMA), _constants(), both=False, out=windows)
    sums = ssim_kernels.cell_sums(windows, rows, columns)
    return np.asarray(sums / (np.diff(rows)[:, None] * np.diff(columns)))


def _metric(
    name: str,
    low: float,
    description: str,
    compute: Callable[[PixelPairs], Pixels],
    grid: Callable[[int, int], tuple[int, int]] | None = None,
    *,
    early: bool = False,
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
    return Metric(spec, on_pixels(compute), grid, early)


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
        "ms_ssim",
        0.0,
        "Structural similarity of luma at five scales (Wang et al. 2003).",
        _ms_ssim,
        early=True,
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
