"""From integer RGB to the numbers that pixel metrics compute with: the only place where frames
become floats.

Conventions:
    Test and reference are (N, 3, H, W) RGB code values over the full range of their bit depth:
    uint8 for 8 bit, uint16 for 9 to 16 bit. Metrics see 8-bit code values 0..255; deeper frames are
    scaled by 255 / (2^depth - 1), not cut. Luma is Y' = 0.299 R + 0.587 G + 0.114 B, unrounded.
    Planes hold 1000 times the 8-bit code values, so that luma of 8-bit frames is exact in float32,
    and come as the sum and the difference of test and reference (see
    :mod:`vfiscope.metrics.kernels.pixel_kernels`). Unsigned values are never subtracted from each
    other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vfiscope.errors import UsageError
from vfiscope.metrics.kernels import pixel_kernels
from vfiscope.types import LUMA_WEIGHTS, Pairs
from vfiscope.types import cell_edges as edges_of

__all__ = [
    "LUMA",
    "UNIT",
    "Aligned",
    "align",
    "aligned_pairs",
    "cell_edges",
    "cell_grid",
    "cell_sums",
    "on_pixels",
    "per_frame",
    "undefined",
    "wide",
]

UNIT = 1000.0
"""Planes hold so many times the 8-bit code values."""
LUMA = (LUMA_WEIGHTS[0] * UNIT, LUMA_WEIGHTS[1] * UNIT, LUMA_WEIGHTS[2] * UNIT)
"""Weights of R, G and B in a plane of luma."""
MAP_CELL_PX = 16
"""About the side in pixels of a cell of a pixel map."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """N test frames and their references in the same integer scale."""

    test: Tensor
    """(N, 3, H, W) uint8 or uint16, or float32 8-bit code values where the two bit depths
    differ."""
    ref: Tensor
    peak: int
    """The value of white."""
    shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return int(self.test.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.test.shape[2]), int(self.test.shape[3])

    @property
    def scale(self) -> float:
        """8-bit code values in one step of the frames' own scale; exactly 1 for 8 bit."""
        return 255.0 / self.peak

    @property
    def on_cpu(self) -> bool:
        """Whether the compiled loops compute; torch does on every other device."""
        return self.test.device.type == "cpu"

    @cached_property
    def arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Test and reference as C-contiguous (N, H, 3 W) arrays; shares the memory of interleaved
        frames."""
        n, _, height, width = self.test.shape
        test, ref = (x.permute(0, 2, 3, 1).contiguous().numpy() for x in (self.test, self.ref))
        return test.reshape(n, height, 3 * width), ref.reshape(n, height, 3 * width)

    def weights(self, channels: tuple[float, float, float]) -> NDArray[np.float32]:
        """Weights that make a plane from code values in the frames' own scale, (3,) float32."""
        return (np.asarray(channels) * self.scale).astype(np.float32)

    def planes(self, row: int, channels: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
        """Sum and difference of the weighted channels of one pair, two (H, W) float32, by torch."""
        test, ref = self.test[row].to(torch.float32), self.ref[row].to(torch.float32)
        w0, w1, w2 = self.weights(channels).tolist()
        s, d = test + ref, test - ref
        return w0 * s[0] + w1 * s[1] + w2 * s[2], w0 * d[0] + w1 * d[1] + w2 * d[2]

    def halved(self) -> tuple[Tensor, Tensor]:
        """Sum and difference of luma averaged over 2x2 pixels, two (N, H // 2, W // 2) float32.

        An odd last row or column is dropped.
        """
        made: tuple[Tensor, Tensor] = self.share(
            "halved", self._halve_on_cpu if self.on_cpu else self._halve_by_torch
        )
        return made

    def _halve_on_cpu(self) -> tuple[Tensor, Tensor]:
        s, d = pixel_kernels.halve_frames(*self.arrays, self.weights(LUMA))
        return torch.from_numpy(s), torch.from_numpy(d)

    def _halve_by_torch(self) -> tuple[Tensor, Tensor]:
        height, width = self.size
        s = self.test.new_empty((len(self), height // 2, width // 2), dtype=torch.float32)
        d = torch.empty_like(s)
        for row in range(len(self)):
            both = torch.stack(self.planes(row, LUMA))
            s[row], d[row] = functional.avg_pool2d(both, 2)
        return s, d

    def share(self, key: str, compute: Callable[[], Any]) -> Any:
        """The value stored under ``key``, computed at its first use."""
        if key not in self.shared:
            self.shared[key] = compute()
        return self.shared[key]


def align(test: Tensor, ref: Tensor, test_depth: int, ref_depth: int) -> Aligned:
    """Bring test and reference to one scale.

    Frames of the same bit depth stay as they are. Of two bit depths both become float32 8-bit code
    values, the nearest to code * 255 / (2^depth - 1): equal fractions of white stay equal, so an
    8-bit frame and the same frame in 16 bit are identical.

    Raises:
        UsageError: shapes or devices differ, or a dtype does not fit its bit depth.
    """
    if test.shape != ref.shape or test.ndim != 4 or test.shape[1] != 3 or test.device != ref.device:
        raise UsageError(
            f"test is {tuple(test.shape)} on {test.device}, ref is {tuple(ref.shape)} on"
            f" {ref.device}: give two tensors of one shape (N, 3, H, W) on one device"
        )
    for name, data, depth in (("test", test, test_depth), ("ref", ref, ref_depth)):
        expected = torch.uint8 if depth == 8 else torch.uint16
        if not 8 <= depth <= 16 or data.dtype != expected:
            raise UsageError(
                f"{name} is {data.dtype} with bit depth {depth}: give uint8 for 8, uint16 for 9"
                " to 16"
            )
    if test_depth == ref_depth:
        return Aligned(test, ref, 2**test_depth - 1)
    return Aligned(_codes(test, test_depth), _codes(ref, ref_depth), 255)


def aligned_pairs(pairs: Pairs) -> Aligned:
    """The aligned frames of a batch of pairs, made once for all metrics.

    Raises:
        UsageError: the pairs have no reference.
    """
    ref = pairs.ref
    if ref is None:
        raise UsageError("ref is None: a pixel metric needs pairs that have a reference")
    made: Aligned = pairs.share(
        "aligned", lambda: align(pairs.test.data, ref.data, pairs.test.bit_depth, ref.bit_depth)
    )
    return made


def on_pixels(compute: Callable[[Aligned], Tensor]) -> Callable[[Pairs], Tensor]:
    """The function of pairs that a table of metrics wants, from one of aligned frames."""
    return lambda pairs: compute(aligned_pairs(pairs))


def wide(device: torch.device) -> torch.dtype:
    """The type in which sums are kept: float64, or float32 where the device has nothing wider."""
    return torch.float32 if device.type == "mps" else torch.float64


def per_frame(compute: Callable[..., Tensor], rows: Tensor) -> Tensor:
    """Apply a function of 0-d tensors to each row of (N, k), or each number of (N,): (N,) float32.

    One row at a time, because vectorised functions such as log10 round by the position in the
    vector.
    """
    values = [compute(*row.reshape(-1).unbind()) for row in rows.unbind()]
    return (
        torch.stack(values).to(torch.float32) if values else rows.new_empty(0, dtype=torch.float32)
    )


def undefined(a: Aligned, *shape: int) -> Tensor:
    """NaN for every pair, (N, *shape) float32."""
    return torch.full((len(a), *shape), torch.nan, device=a.test.device)


def cell_grid(height: int, width: int) -> tuple[int, int]:
    """(h, w) of a pixel map."""
    return max(1, height // MAP_CELL_PX), max(1, width // MAP_CELL_PX)


def cell_edges(length: int) -> NDArray[np.int64]:
    """Borders of the cells of a pixel map along a side of ``length`` pixels, (n + 1,) int64.

    There are n = max(1, length // 16) cells; see :mod:`vfiscope.types.cells`.
    """
    return edges_of(length, max(1, length // MAP_CELL_PX))


def cell_sums(plane: Tensor, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tensor:
    """Sums of a plane (H, W) over the cells between edges (h + 1,) and (w + 1,), by torch: (h,
    w)."""
    return _members(rows, plane) @ plane @ _members(columns, plane).T


def _members(edges: NDArray[np.int64], like: Tensor) -> Tensor:
    at = torch.arange(int(edges[0]), int(edges[-1]))
    low, high = torch.from_numpy(edges[:-1, None]), torch.from_numpy(edges[1:, None])
    return ((at >= low) & (at < high)).to(like)


def _codes(data: Tensor, depth: int) -> Tensor:
    # A division of whole numbers rounds correctly: equal fractions of white give equal floats.
    exact = data.to(wide(data.device)) * 255
    return torch.div(exact, 2**depth - 1).to(torch.float32)
