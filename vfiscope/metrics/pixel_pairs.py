"""The pixels of pairs in one scale, as pixel metrics compare them.

Conventions:
    Test and reference are (N, 3, H, W) RGB code values over the full range of their bit depth:
    uint8 for 8 bit, uint16 for 9 to 16 bit. Metrics see 8-bit code values 0..255; deeper frames are
    scaled by 255 / (2^depth - 1), not cut. Luma is that of :mod:`vfiscope.pixels`, unrounded.
    Planes hold 1000 times the 8-bit code values, so that luma of 8-bit frames is exact in float32,
    and come as the sum and the difference of test and reference (see
    :mod:`vfiscope.metrics.kernels.ssim_kernels`).

    Frames are numpy arrays on the CPU and tensors on a device, and results are of the same kind as
    the frames (see :mod:`vfiscope.metrics`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.metrics.kernels import ssim_kernels
from vfiscope.pixels import LUMA_WEIGHTS, same_scale_codes, white
from vfiscope.types import Pairs
from vfiscope.types import cell_edges as edges_of
from vfiscope.types.batch import Sharing, to_tensor

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

__all__ = [
    "LUMA",
    "PIXELS",
    "UNIT",
    "PixelPairs",
    "cell_edges",
    "cell_grid",
    "on_pixels",
    "per_frame",
    "pixel_pairs",
    "same_scale",
    "single",
    "undefined",
]

UNIT = 1000.0
"""Factor of planes over 8-bit code values."""
LUMA = (LUMA_WEIGHTS[0] * UNIT, LUMA_WEIGHTS[1] * UNIT, LUMA_WEIGHTS[2] * UNIT)
"""Weights of R, G and B in a plane of luma."""
PIXELS = "pixels"
"""Where pairs share their pixels."""
MAP_CELL_PX = 16
"""Approximate side in pixels of a cell of a pixel map."""


@dataclass(frozen=True, eq=False)
class PixelPairs(Sharing):
    """N test frames and their references in the same scale."""

    test: Pixels
    """(N, 3, H, W) uint8 or uint16, or float32 8-bit code values where the two bit depths
    differ."""
    ref: Pixels
    peak: int
    """The value of white."""

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
        """True where the compiled loops are used; on a device tensor operations are."""
        return isinstance(self.test, np.ndarray)

    @property
    def whole(self) -> bool:
        """True where code values are integers, whose sums are exact."""
        return "float" not in str(self.test.dtype)

    @cached_property
    def arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Test and reference as C-contiguous (N, H, 3 W) arrays, without a copy where frames are
        interleaved."""
        n, _, height, width = self.test.shape
        test, ref = (
            np.ascontiguousarray(np.asarray(x).transpose(0, 2, 3, 1)).reshape(n, height, 3 * width)
            for x in (self.test, self.ref)
        )
        return test, ref

    def weights(self, channels: tuple[float, float, float]) -> NDArray[np.float32]:
        """Weights that make a plane from code values in the frames' own scale, (3,) float32."""
        return (np.asarray(channels) * self.scale).astype(np.float32)

    def halved(self) -> tuple[Any, Any]:
        """Sum and difference of luma averaged over 2x2 pixels, two (N, H // 2, W // 2) float32.

        An odd last row or column is dropped.
        """
        return self.share("halved", self._halve)

    def _halve(self) -> tuple[Any, Any]:
        if self.on_cpu:
            return ssim_kernels.halve_frames(*self.arrays, self.weights(LUMA))
        from vfiscope.metrics.tensors.planes import halved

        return halved(self)


def same_scale(test: Pixels, ref: Pixels, test_depth: int, ref_depth: int) -> PixelPairs:
    """Bring test and reference to one scale.

    Frames of the same bit depth stay as they are. Of two bit depths both become float32 8-bit code
    values, the nearest to code * 255 / (2^depth - 1): equal fractions of white stay equal, so an
    8-bit frame and the same frame in 16 bit are identical.

    Raises:
        UsageError: shapes or devices differ, or a dtype does not fit its bit depth.
    """
    places = [str(getattr(data, "device", "cpu")) for data in (test, ref)]
    alike = type(test) is type(ref) and places[0] == places[1]
    if test.shape != ref.shape or test.ndim != 4 or test.shape[1] != 3 or not alike:
        raise UsageError(
            f"test is {tuple(test.shape)} on {places[0]}, ref is {tuple(ref.shape)} on"
            f" {places[1]}: pass two arrays, or two tensors on one device, of one shape"
            " (N, 3, H, W)"
        )
    for name, data, depth in (("test", test, test_depth), ("ref", ref, ref_depth)):
        expected = "uint8" if depth == 8 else "uint16"
        found = str(data.dtype).removeprefix("torch.")
        if not 8 <= depth <= 16 or found != expected:
            raise UsageError(
                f"{name} is {found} with bit depth {depth}: pass uint8 for 8, uint16 for 9 to 16"
            )
    if test_depth == ref_depth:
        return PixelPairs(test, ref, white(test_depth))
    codes = same_scale_codes(test, test_depth), same_scale_codes(ref, ref_depth)
    return PixelPairs(*codes, white(8))


def pixel_pairs(pairs: Pairs) -> PixelPairs:
    """The pixels of a batch of pairs in one scale, made once for all metrics.

    Raises:
        UsageError: the pairs have no reference.
    """
    test, ref = pairs.test, pairs.ref
    if ref is None:
        raise UsageError("ref is None: a pixel metric needs pairs that have a reference")
    return pairs.share(
        PIXELS, lambda: same_scale(test.data, ref.data, test.bit_depth, ref.bit_depth)
    )


def on_pixels(compute: Callable[[PixelPairs], Pixels]) -> Callable[[Pairs], Pixels]:
    """Turn a function of :class:`PixelPairs` into a function of pairs, as tables of metrics want
    it."""
    return lambda pairs: compute(pixel_pairs(pairs))


def per_frame(compute: Callable[..., float], rows: Any) -> Pixels:
    """Apply a function of numbers to each row of (N, k), or each number of (N,): (N,) float32.

    One row at a time and in float64, because vectorised functions such as log10 round by the
    position in the vector.
    """
    columns = rows if rows.ndim == 2 else rows[:, None]
    values = [compute(*row) for row in columns.tolist()]
    made = np.array(values, np.float64).astype(np.float32)
    return made if isinstance(rows, np.ndarray) else to_tensor(made, str(rows.device))


def single(values: Any) -> Pixels:
    """The same numbers as float32."""
    return values.astype(np.float32) if isinstance(values, np.ndarray) else values.float()


def undefined(a: PixelPairs, *shape: int) -> Pixels:
    """NaN for every pair, (N, *shape) float32."""
    nowhere = np.full((len(a), *shape), np.nan, np.float32)
    return nowhere if isinstance(a.test, np.ndarray) else to_tensor(nowhere, str(a.test.device))


def cell_grid(height: int, width: int) -> tuple[int, int]:
    """(h, w) of a pixel map."""
    return max(1, height // MAP_CELL_PX), max(1, width // MAP_CELL_PX)


def cell_edges(length: int) -> NDArray[np.int64]:
    """Borders of the cells of a pixel map along a side of ``length`` pixels, (n + 1,) int64.

    There are n = max(1, length // 16) cells; see :mod:`vfiscope.types.cells`.
    """
    return edges_of(length, max(1, length // MAP_CELL_PX))
