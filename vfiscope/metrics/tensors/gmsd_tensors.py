"""Gradients of frames on a device, for :mod:`vfiscope.metrics.gmsd`."""

from __future__ import annotations

import torch
from torch import Tensor

from vfiscope.metrics.pixel_pairs import PixelPairs
from vfiscope.metrics.tensors.planes import wide

__all__ = ["gradient_deviations"]


def gradient_deviations(a: PixelPairs, c: float) -> Tensor:
    """Sums of u and u^2 with u = 1 - GMS, (N, 2).

    Args:
        a: N pairs.
        c: the constant of GMS, in the unit of planes squared.
    """
    s, d = a.halved()
    sums = torch.empty((len(a), 2), dtype=wide(s.device), device=s.device)
    for row in range(len(a)):
        u = _dissimilarity(s[row], d[row], c).to(sums.dtype)
        sums[row, 0], sums[row, 1] = u.sum(), u.square().sum()
    return sums


def _dissimilarity(s: Tensor, d: Tensor, c: float) -> Tensor:
    """1 - GMS = (m_t - m_r)^2 / (m_t^2 + m_r^2 + c) of the inner pixels, (H - 2, W - 2), from
    planes (H, W)."""
    (s_across, s_down), (d_across, d_down) = _prewitt(s), _prewitt(d)
    t_square = ((s_across + d_across) ** 2 + (s_down + d_down) ** 2) / 36
    r_square = ((s_across - d_across) ** 2 + (s_down - d_down) ** 2) / 36
    return (t_square.sqrt() - r_square.sqrt()) ** 2 / (t_square + r_square + c)


def _prewitt(plane: Tensor) -> tuple[Tensor, Tensor]:
    """Three times the horizontal and the vertical Prewitt derivative of the inner pixels."""
    across = plane[:, 2:] - plane[:, :-2]
    down = plane[2:] - plane[:-2]
    return across[:-2] + across[1:-1] + across[2:], down[:, :-2] + down[:, 1:-1] + down[:, 2:]
