"""Weighted planes of frames on a device, and sums of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vfiscope.metrics.pixel_pairs import LUMA, PixelPairs
from vfiscope.pixels import floats, weighted

__all__ = ["cell_sums", "halved", "planes", "wide"]


def wide(device: torch.device) -> torch.dtype:
    """The dtype of sums: float64, or float32 where the device has nothing wider."""
    return torch.float32 if device.type == "mps" else torch.float64


def planes(a: PixelPairs, row: int, channels: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Sum and difference of the weighted channels of one pair, two (H, W) float32."""
    test, ref = floats(a.test[row]), floats(a.ref[row])
    weights = a.weights(channels).tolist()
    return weighted(test + ref, weights), weighted(test - ref, weights)


def halved(a: PixelPairs) -> tuple[Tensor, Tensor]:
    """:meth:`vfiscope.metrics.pixel_pairs.PixelPairs.halved`."""
    height, width = a.size
    device = torch.as_tensor(a.test).device
    made = torch.empty((2, len(a), height // 2, width // 2), dtype=torch.float32, device=device)
    for row in range(len(a)):
        made[:, row] = functional.avg_pool2d(torch.stack(planes(a, row, LUMA)), 2)
    return made[0], made[1]


def cell_sums(plane: Tensor, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tensor:
    """Sums of a plane (H, W) over the cells between edges (h + 1,) and (w + 1,): (h, w)."""
    return _members(rows, plane) @ plane @ _members(columns, plane).T


def _members(edges: NDArray[np.int64], like: Tensor) -> Tensor:
    at = torch.arange(int(edges[0]), int(edges[-1]))
    low, high = torch.from_numpy(edges[:-1, None]), torch.from_numpy(edges[1:, None])
    return ((at >= low) & (at < high)).to(like)
