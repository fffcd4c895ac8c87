"""Gradient magnitude similarity deviation: gmsd.

Conventions:
    Luma is averaged over 2x2 pixels and taken at every second row and column (an odd last row or
    column is dropped). m is the length of the Prewitt gradient (kernels divided by 3) of luma
    0..255, at pixels whose 3x3 neighbourhood lies inside the halved frame: nothing is padded,
    unlike in the authors' code, which pads with zeros. GMS = (2 m_t m_r + c) / (m_t^2 + m_r^2 + c),
    c = 170; gmsd is the population standard deviation of GMS. Frames smaller than 6 pixels in a
    dimension have no such pixel: NaN. Identical frames score exactly 0.
    Source: Xue, Zhang, Mou, Bovik 2014, "Gradient Magnitude Similarity Deviation".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.metrics.kernels import gmsd_kernels
from vfiscope.metrics.metric import Metric
from vfiscope.metrics.pixel_pairs import (
    UNIT,
    PixelPairs,
    on_pixels,
    per_frame,
    same_scale,
    undefined,
)
from vfiscope.types import MetricSpec

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

__all__ = ["METRICS", "gmsd"]

GMSD_C = 170.0 * UNIT**2
MIN_GMSD_SIDE_PX = 6


def gmsd(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Gradient magnitude similarity deviation of luma (Xue 2014).

    Returns:
        (N,) float32, 0 to 0.5; 0 when identical; NaN for frames smaller than 6 pixels in a
        dimension.
    """
    return _gmsd(same_scale(test, ref, test_depth, ref_depth))


def _gmsd(a: PixelPairs) -> Pixels:
    if min(a.size) < MIN_GMSD_SIDE_PX:
        return undefined(a)
    count = (a.size[0] // 2 - 2) * (a.size[1] // 2 - 2)
    return per_frame(_deviation, _sums(a) / count)


def _deviation(mean: float, square: float) -> float:
    return math.sqrt(max(square - mean * mean, 0.0))


def _sums(a: PixelPairs) -> Any:
    """Sums of u and u^2 with u = 1 - GMS, (N, 2)."""
    if a.on_cpu:
        return gmsd_kernels.gradient_deviations(*a.halved(), np.float32(GMSD_C))
    from vfiscope.metrics.tensors import gmsd_tensors

    return gmsd_tensors.gradient_deviations(a, GMSD_C)


METRICS = (
    Metric(
        MetricSpec(
            name="gmsd",
            unit="1",
            low=0.0,
            high=0.5,
            lower_is_better=True,
            identity=0.0,
            floor=0.01,
            description=(
                "Deviation of the gradient magnitude similarity of luma at half size (Xue et al."
                " 2014)."
            ),
        ),
        on_pixels(_gmsd),
    ),
)
