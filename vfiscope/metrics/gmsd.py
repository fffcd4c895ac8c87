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

import numpy as np
import torch
from torch import Tensor

from vfiscope.metrics.convert import UNIT, Aligned, align, on_pixels, per_frame, undefined, wide
from vfiscope.metrics.kernels.gmsd_kernels import gradient_deviations
from vfiscope.metrics.metric import Metric
from vfiscope.types import MetricSpec

__all__ = ["METRICS", "gmsd"]

GMSD_C = 170.0 * UNIT**2
MIN_GMSD_SIDE_PX = 6


def gmsd(test: Tensor, ref: Tensor, *, test_depth: int = 8, ref_depth: int = 8) -> Tensor:
    """Gradient magnitude similarity deviation of luma (Xue 2014).

    Returns:
        (N,) float32, 0 to 0.5; 0 when identical; NaN for frames smaller than 6 pixels in a
        dimension.
    """
    return _gmsd(align(test, ref, test_depth, ref_depth))


def _gmsd(a: Aligned) -> Tensor:
    if min(a.size) < MIN_GMSD_SIDE_PX:
        return undefined(a)
    count = (a.size[0] // 2 - 2) * (a.size[1] // 2 - 2)
    sums = _sums_on_cpu(a) if a.on_cpu else _sums_by_torch(a)
    return per_frame(_deviation, sums / count)


def _deviation(mean: Tensor, square: Tensor) -> Tensor:
    return (square - mean * mean).clamp(min=0.0).sqrt()


def _sums_on_cpu(a: Aligned) -> Tensor:
    s, d = (plane.numpy() for plane in a.halved())
    return torch.from_numpy(gradient_deviations(s, d, np.float32(GMSD_C)))


def _sums_by_torch(a: Aligned) -> Tensor:
    """Sums of u and u^2 with u = 1 - GMS, (N, 2)."""
    s, d = a.halved()
    sums = torch.empty((len(a), 2), dtype=wide(s.device), device=s.device)
    for row in range(len(a)):
        u = _dissimilarity(s[row], d[row]).to(sums.dtype)
        sums[row, 0], sums[row, 1] = u.sum(), u.square().sum()
    return sums


def _dissimilarity(s: Tensor, d: Tensor) -> Tensor:
    """1 - GMS = (m_t - m_r)^2 / (m_t^2 + m_r^2 + c) of the inner pixels, (H - 2, W - 2), from
    planes (H, W)."""
    (s_across, s_down), (d_across, d_down) = _prewitt(s), _prewitt(d)
    t_square = ((s_across + d_across) ** 2 + (s_down + d_down) ** 2) / 36
    r_square = ((s_across - d_across) ** 2 + (s_down - d_down) ** 2) / 36
    return (t_square.sqrt() - r_square.sqrt()) ** 2 / (t_square + r_square + GMSD_C)


def _prewitt(plane: Tensor) -> tuple[Tensor, Tensor]:
    """Three times the horizontal and the vertical Prewitt derivative of the inner pixels."""
    across = plane[:, 2:] - plane[:, :-2]
    down = plane[2:] - plane[:-2]
    return across[:-2] + across[1:-1] + across[2:], down[:, :-2] + down[:, 1:-1] + down[:, 2:]


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
