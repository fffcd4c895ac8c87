"""``gmsd`` (:mod:`vfiscope.metrics.gmsd`) on the CPU: compiled loops with the conventions of
:mod:`vfiscope.metrics.kernels.ssim_kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import FUSED, compiled, in_bands
from vfiscope.metrics.kernels.difference_kernels import COLUMN_SUM_ROWS
from vfiscope.metrics.kernels.ssim_kernels import ordered_sums
from vfiscope.types import Float32, Float64

__all__ = ["gradient_deviations"]

SIXTH = np.float32(1 / 6)
_compiled, _inner = compiled(FUSED), compiled(FUSED, inner=True)


@_inner
def _prewitt(top: Float32, middle: Float32, bottom: Float32, x: int) -> Any:
    """Three times the horizontal and the vertical Prewitt derivative at column x + 1."""
    across = (top[x + 2] - top[x]) + (middle[x + 2] - middle[x]) + (bottom[x + 2] - bottom[x])
    down = (bottom[x] - top[x]) + (bottom[x + 1] - top[x + 1]) + (bottom[x + 2] - top[x + 2])
    return across, down


@_inner
def _gradient_row(s: Float32, d: Float32, c: Any, out: Float32) -> None:
    """1 - GMS along the row between the first and the last of three rows (3, W) of s and d."""
    for x in range(out.shape[0]):
        s_across, s_down = _prewitt(s[0], s[1], s[2], x)
        d_across, d_down = _prewitt(d[0], d[1], d[2], x)
        t_across, t_down = SIXTH * (s_across + d_across), SIXTH * (s_down + d_down)
        r_across, r_down = SIXTH * (s_across - d_across), SIXTH * (s_down - d_down)
        t_square = t_across * t_across + t_down * t_down
        r_square = r_across * r_across + r_down * r_down
        apart = np.sqrt(t_square) - np.sqrt(r_square)
        out[x] = apart * apart / (t_square + r_square + c)


def gradient_deviations(s_planes: Float32, d_planes: Float32, c: Any) -> Float64:
    """Sums of u and u^2 with u = 1 - GMS = (m_t - m_r)^2 / (m_t^2 + m_r^2 + c) over the inner
    pixels, (N, 2) float64.

    Planes are (N, H, W) float32, H and W at least 3, and c is in their squared unit. The deviation
    of GMS is that of u, and u is small and exactly 0 where the planes agree, so no digits are lost.
    """
    n, height = s_planes.shape[0], s_planes.shape[1] - 2
    bands = (height + COLUMN_SUM_ROWS - 1) // COLUMN_SUM_ROWS
    parts = np.zeros((n, bands, 2))
    in_bands(_gradient_deviations, n * bands, s_planes, d_planes, c, parts)
    return ordered_sums(parts)


@_compiled
def _gradient_deviations(
    start: int, stop: int, s_planes: Float32, d_planes: Float32, c: Any, parts: Float64
) -> None:
    height, width, bands = s_planes.shape[1] - 2, s_planes.shape[2] - 2, parts.shape[1]
    row = np.empty(width, np.float32)
    for job in range(start, stop):
        i, top = job // bands, job % bands * COLUMN_SUM_ROWS
        total, squares = np.zeros(width), np.zeros(width)
        for y in range(top, min(top + COLUMN_SUM_ROWS, height)):
            _gradient_row(s_planes[i, y : y + 3], d_planes[i, y : y + 3], c, row)
            for x in range(width):
                u = np.float64(row[x])
                total[x] += u
                squares[x] += u * u
        for x in range(width):
            parts[i, job % bands, 0] += total[x]
            parts[i, job % bands, 1] += squares[x]
