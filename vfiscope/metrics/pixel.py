"""Differences pixel by pixel: mse, psnr, psnr_y, absdiff.

Conventions:
    Frames are integer RGB (N, 3, H, W), test first, see :mod:`vfiscope.metrics.pixel_pairs`. Any
    size from 1x1. Frames of equal bit depth are summed as integers, exactly; psnr_y and frames of
    different bit depths are summed in float64.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.metrics.kernels import difference_kernels
from vfiscope.metrics.metric import Metric
from vfiscope.metrics.pixel_pairs import (
    LUMA,
    PIXELS,
    UNIT,
    PixelPairs,
    cell_edges,
    cell_grid,
    on_pixels,
    per_frame,
    same_scale,
    single,
)
from vfiscope.pixels import LUMA_FORMULA
from vfiscope.types import Float64, MetricSpec, Pairs

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

__all__ = [
    "MAPS",
    "METRICS",
    "absdiff",
    "absdiff_map",
    "apart_from_refs",
    "mse",
    "psnr",
    "psnr_y",
]

ABSOLUTE = "absolute_differences"
"""Where pixels share the sums of absolute differences."""


def mse(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Mean squared difference over R, G, B and all pixels, in squared 8-bit code values.

    Returns:
        (N,) float32, 0 to 65025; 0 when identical.
    """
    return _mse(same_scale(test, ref, test_depth, ref_depth))


def psnr(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Peak signal-to-noise ratio 10 log10(255^2 / mse) over R, G, B and all pixels.

    Returns:
        (N,) float32, dB from 0; +inf when identical.
    """
    return _psnr(same_scale(test, ref, test_depth, ref_depth))


def psnr_y(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Peak signal-to-noise ratio of luma.

    Returns:
        (N,) float32, dB from 0; +inf when identical.
    """
    return _psnr_y(same_scale(test, ref, test_depth, ref_depth))


def absdiff(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Mean absolute difference over R, G, B and all pixels, as a fraction of white.

    Returns:
        (N,) float32, 0 to 1; 0 when identical.
    """
    return _absdiff(same_scale(test, ref, test_depth, ref_depth))


def absdiff_map(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Mean absolute difference over R, G, B in cells of about 16x16 pixels, as a fraction of white.

    Cells are those of :func:`vfiscope.metrics.pixel_pairs.cell_edges`; every pixel is in exactly
    one.

    Returns:
        (N, h, w) float32 with h = max(1, H // 16) and w = max(1, W // 16), 0 to 1; 0 where
        identical.
    """
    return _absdiff_map(same_scale(test, ref, test_depth, ref_depth))


def _absolute_sums(a: PixelPairs) -> Any:
    """Sums of absolute differences in the frames' own scale, (N,)."""

    def compute() -> Any:
        if a.on_cpu:
            return difference_kernels.absolute_differences(*a.arrays, _zero(a))
        from vfiscope.metrics.tensors import pixel_tensors

        return pixel_tensors.absolute_differences(a)

    return a.share(ABSOLUTE, compute)


def apart_from_refs(pairs: Pairs) -> Float64 | None:
    """(N,) sums of the absolute differences of R, G and B to the partners, in the frames' own
    scale, where a metric has made them exactly; else None."""
    a: PixelPairs | None = pairs.shared.get(PIXELS)
    if a is None or not a.on_cpu or not a.whole:
        return None
    sums: Float64 | None = a.shared.get(ABSOLUTE)
    return sums


def _squared_sums(a: PixelPairs) -> Any:
    """Sums of squared differences in the frames' own scale, (N,); made once for all metrics."""

    def compute() -> Any:
        if a.on_cpu:
            return difference_kernels.squared_differences(*a.arrays, _zero(a))
        from vfiscope.metrics.tensors import pixel_tensors

        return pixel_tensors.squared_differences(a)

    return a.share("squared_differences", compute)


def _zero(a: PixelPairs) -> np.float64 | np.int64:
    return np.int64(0) if a.whole else np.float64(0)


def _count(a: PixelPairs) -> int:
    return 3 * a.size[0] * a.size[1]


def _exact_mse(a: PixelPairs) -> Any:
    return _squared_sums(a) * a.scale**2 / _count(a)


def _mse(a: PixelPairs) -> Pixels:
    return single(_exact_mse(a))


def _psnr(a: PixelPairs) -> Pixels:
    return per_frame(_decibels, _exact_mse(a))


def _absdiff(a: PixelPairs) -> Pixels:
    return single(_absolute_sums(a) / (_count(a) * a.peak))


def _psnr_y(a: PixelPairs) -> Pixels:
    return per_frame(_decibels, _luma_sums(a) / (UNIT**2 * a.size[0] * a.size[1]))


def _luma_sums(a: PixelPairs) -> Any:
    if a.on_cpu:
        return difference_kernels.luma_differences(*a.arrays, a.weights(LUMA))[:, 0]
    from vfiscope.metrics.tensors import pixel_tensors

    return pixel_tensors.luma_differences(a)


def _decibels(error: float) -> float:
    return math.inf if error == 0 else 10 * math.log10(255.0**2 / error)


def _absdiff_map(a: PixelPairs) -> Pixels:
    rows, columns = cell_edges(a.size[0]), cell_edges(a.size[1])
    sums = _cell_sums(a, rows, columns)
    area = 3 * a.peak * np.diff(rows)[:, None] * np.diff(columns)
    return single(sums / (area if a.on_cpu else sums.new_tensor(area)))


def _cell_sums(a: PixelPairs, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Any:
    if a.on_cpu:
        return difference_kernels.difference_cells(*a.arrays, _zero(a), rows, columns)
    from vfiscope.metrics.tensors import pixel_tensors

    return pixel_tensors.difference_cells(a, rows, columns)


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
            description=f"Peak signal-to-noise ratio of luma {LUMA_FORMULA}.",
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
