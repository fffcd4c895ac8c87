"""Structural similarity of frames on a device, for :mod:`vfiscope.metrics.ssim`.

Planes are sums and differences of test and reference, (H, W) float32; ``c`` holds the two constants
of SSIM in their unit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vfiscope.metrics.kernels.window_kernels import TAPS, WINDOW_MARGIN_PX, taps
from vfiscope.metrics.pixel_pairs import PixelPairs
from vfiscope.metrics.tensors.planes import cell_sums, planes, wide

__all__ = ["cells", "coarser", "means", "plain_similarity", "tried"]

log = logging.getLogger("vfiscope")

Channels = tuple[float, float, float]
Constants = tuple[float, float]
Similarity = Callable[[Tensor, Tensor, Constants], tuple[Tensor, Tensor]]
TRIAL_PX = (24, 600)
"""Height and width of the planes with which kernels are tried."""
TRIAL_TOLERANCE = 1e-4
"""Most that the similarity of a window may differ; rounding makes 1e-6."""


def means(a: PixelPairs, channels: Channels, c: Constants) -> Tensor:
    """Means over the valid area of SSIM and of its contrast-structure part, (N, 2)."""
    device = torch.as_tensor(a.test).device
    made = torch.empty((len(a), 2), dtype=wide(device), device=device)
    for row in range(len(a)):
        made[row] = _mean(*planes(a, row, channels), c)
    return made


def coarser(a: PixelPairs, scales: int, c: Constants) -> list[Tensor]:
    """The means of luma at ``scales`` coarser scales, (N, 2) each."""
    s, d = a.halved()
    made = torch.empty((scales, len(a), 2), dtype=wide(s.device), device=s.device)
    for row in range(len(a)):
        both = torch.stack([s[row], d[row]])
        for scale in range(scales):
            if scale > 0:
                both = functional.avg_pool2d(both, 2)
            made[scale, row] = _mean(both[0], both[1], c)
    return list(made)


def cells(
    a: PixelPairs,
    channels: Channels,
    c: Constants,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> Tensor:
    """Means of SSIM over the windows between edges (h + 1,) and (w + 1,): (N, h, w) float32."""
    device = torch.as_tensor(a.test).device
    shape = (len(a), len(rows) - 1, len(columns) - 1)
    made = torch.empty(shape, dtype=torch.float32, device=device)
    for row in range(len(a)):
        windows = _similarity(*planes(a, row, channels), c)[0].to(wide(device))
        area = torch.from_numpy(np.diff(rows)[:, None] * np.diff(columns)).to(windows)
        made[row] = cell_sums(windows, rows, columns) / area
    return made


def _mean(s: Tensor, d: Tensor, c: Constants) -> Tensor:
    return torch.stack([x.to(wide(x.device)).mean() for x in _similarity(s, d, c)])


def _blur(planes: Tensor, dim: int) -> Tensor:
    """Filter along one dimension, valid part only. By slices, because the precision of a
    convolution depends on the device."""
    weights: list[float] = taps().tolist()
    length = planes.shape[dim] - 2 * WINDOW_MARGIN_PX
    blurred = weights[WINDOW_MARGIN_PX] * planes.narrow(dim, WINDOW_MARGIN_PX, length)
    for k in range(WINDOW_MARGIN_PX):
        blurred += weights[k] * (
            planes.narrow(dim, k, length) + planes.narrow(dim, TAPS - 1 - k, length)
        )
    return blurred


def _similarity(s: Tensor, d: Tensor, c: Constants) -> tuple[Tensor, Tensor]:
    """:func:`plain_similarity`, by fused kernels on a device that can have them."""
    return _similarity_on(s.device)(s, d, c)


@cache
def _similarity_on(device: torch.device) -> Similarity:
    return tried(_fused, device) if device.type == "cuda" else plain_similarity


def _fused() -> Similarity:
    from vfiscope.metrics.tensors.ssim_triton import similarity

    return similarity


def tried(load: Callable[[], Similarity], device: torch.device) -> Similarity:
    """The similarity that a function loads, if it can be used on a device and agrees with
    :func:`plain_similarity`, which otherwise takes its place.

    Triton needs a C compiler for each machine, and may not know the device.
    """
    waves = torch.arange(TRIAL_PX[0] * TRIAL_PX[1], device=device).reshape(TRIAL_PX).sin()
    s, d, c = 1000 * waves, 100 * waves.flip(1), (10.0, 100.0)
    try:
        similarity = load()
        apart = torch.stack(similarity(s, d, c)) - torch.stack(plain_similarity(s, d, c))
        most = float(apart.abs().max())
        reason = "" if most <= TRIAL_TOLERANCE else f"they are off by {most:.2g}"
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
    if not reason:
        return similarity
    log.warning("warning: ssim is slower on %s without its Triton kernels: %s", device, reason)
    return plain_similarity


def plain_similarity(s: Tensor, d: Tensor, c: Constants) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure part of every window, two (H - 10, W - 10), from planes (H,
    W)."""
    level_s, level_d = ((plane.amin() + plane.amax()) / 2 for plane in (s, d))
    s, d = s - level_s, d - level_d
    mean_s, square_s, mean_d, square_d = _blur(_blur(torch.stack([s, s * s, d, d * d]), -2), -1)
    var_s, var_d = square_s - mean_s * mean_s, square_d - mean_d * mean_d
    mean_s, mean_d = mean_s + level_s, mean_d + level_d
    structure = (var_s - var_d + c[1]) / (var_s + var_d + c[1])
    luminance = (mean_s * mean_s - mean_d * mean_d + c[0]) / (
        mean_s * mean_s + mean_d * mean_d + c[0]
    )
    return luminance * structure, structure
