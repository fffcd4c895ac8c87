"""The one place where integers become floats, and RGB becomes luma.

Frames are integer RGB code values over the full range of their bit depth. What computes with them
sees floats: code values at the frame's own depth, 8-bit code values 0..255, or fractions of white.
Unsigned values are never subtracted from each other.

Luma is Y' = 0.299 R + 0.587 G + 0.114 B of the decoded RGB, whatever the matrix of a video was: a
weighted sum of gamma-coded values that image libraries call grey. It is computed in several ways,
because stored numbers must not change, not even in their last bits:

- :func:`weighted`: as three products of planes, in the library that the planes come from. Its
  weights may include a scale.
- :func:`luma_plane`: by OpenCV, unrounded. For registration, which works on single frames.
- :func:`luma_fraction`: in float64, for drawing.
- :func:`luma_codes`: by OpenCV, rounded to a code value. For optical flow, whose estimator takes
  8-bit images. :func:`luma_bytes`: the same of an 8-bit frame, as bytes; for regions and signals.
  Loops that convert video make it in the same pass, of :data:`LUMA_PARTS`.
- The compiled loops of metrics and signatures sum integers or scaled weights in passes of their
  own; they take :data:`LUMA_WEIGHTS` from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float32, Int64, Uint8

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

__all__ = [
    "LUMA_BITS",
    "LUMA_FORMULA",
    "LUMA_PARTS",
    "LUMA_WEIGHTS",
    "Beside",
    "channel_sums",
    "eight_bit_scale",
    "floats",
    "is_transparent",
    "luma_bytes",
    "luma_codes",
    "luma_fraction",
    "luma_plane",
    "over_black",
    "same_scale_codes",
    "times_smaller",
    "weighted",
    "white",
]

LUMA_WEIGHTS = (0.299, 0.587, 0.114)
"""Weights of R, G and B in luma."""
LUMA_BITS = 15
LUMA_PARTS = (9798, 19235, 3735)
"""The weights as OpenCV rounds them for :func:`luma_bytes`: whole parts of 2^15, 1 in sum."""
FLOATS_AT_ONCE = 2**20
"""Pixels."""
LUMA_FORMULA = "Y' = 0.299 R + 0.587 G + 0.114 B"


WIDEST_SHAPE = 3
"""Width over height up to which the whole width of a frame counts where it is scaled down."""
MOST_WIDTHS = 6
"""How many times ``width`` a wider one may keep."""


def times_smaller(size: tuple[int, int], width: int) -> int:
    """The whole number by which both sides of a frame (H, W) are divided so that it is at most
    ``width`` pixels wide. Of a frame more than three times as wide as high, of which little height
    would be left, three times the height counts instead, and at least a sixth of the width."""
    counted = max(min(size[1], WIDEST_SHAPE * size[0]), -(-size[1] // MOST_WIDTHS))
    return -(-counted // width)


def white(bit_depth: int) -> int:
    """The code value of white."""
    return int(2**bit_depth - 1)


def eight_bit_scale(bit_depth: int) -> float:
    """8-bit code values in one step of a bit depth; exactly 1 for 8 bit."""
    return 255.0 / white(bit_depth)


def floats(data: Pixels) -> Any:
    """Integer code values as float32, exact, in the same memory order."""
    return data.astype(np.float32) if isinstance(data, np.ndarray) else data.float()


def same_scale_codes(data: Pixels, bit_depth: int) -> Any:
    """8-bit code values, the float32 nearest to code * 255 / white.

    A division of whole numbers rounds correctly: equal fractions of white give equal floats.
    """
    if isinstance(data, np.ndarray):
        return (data.astype(np.float64) * 255 / white(bit_depth)).astype(np.float32)
    wide = data.float() if data.device.type == "mps" else data.double()
    return (wide * 255).div(white(bit_depth)).float()


def weighted(channels: Any, weights: Sequence[float]) -> Any:
    """Weighted sum of three planes (3, ...); luma where the weights are :data:`LUMA_WEIGHTS`."""
    return channels[0] * weights[0] + channels[1] * weights[1] + channels[2] * weights[2]


def over_black(pixels: NDArray[Any]) -> NDArray[Any]:
    """Frames of four channels (H, W, 4) with straight alpha composited over black, rounded to
    nearest: (H, W, 3) of the same type and order."""
    top = np.iinfo(pixels.dtype).max
    made = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    step = max(1, FLOATS_AT_ONCE // pixels.shape[1])
    for row in range(0, len(pixels), step):  # of a large image the floats would take gigabytes
        band = pixels[row : row + step]
        if (band[..., 3] == top).all():
            made[row : row + step] = band[..., :3]
        else:
            made[row : row + step] = np.rint(band[..., :3] * (band[..., 3:] / top))
    return made


def is_transparent(pixels: NDArray[Any]) -> bool:
    """True for a frame (H, W, 4) with straight alpha of which a pixel is not opaque."""
    top = np.iinfo(pixels.dtype).max
    return pixels.shape[-1] == 4 and bool((pixels[..., 3] != top).any())


def luma_fraction(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Luma of 8-bit frames (..., 3) as a fraction of white: (...) float64."""
    weights = np.rint(1000 * np.array(LUMA_WEIGHTS))  # whole numbers add up exactly in any order
    return np.asarray(pixels @ weights / (255.0 * weights.sum()))


def luma_plane(pixels: NDArray[Any], bit_depth: int) -> Float32:
    """Luma of one frame (H, W, 3), unrounded: (H, W) float32, 8-bit code values."""
    weights = np.array([LUMA_WEIGHTS], np.float32) * eight_bit_scale(bit_depth)
    return np.asarray(cv2.transform(floats(pixels), weights), np.float32)


def luma_bytes(pixels: NDArray[Any], bit_depth: int = 8) -> Uint8:
    """Luma of one frame (H, W, 3), rounded to an 8-bit code value: (H, W) uint8."""
    plane = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if bit_depth != 8:
        plane = cv2.convertScaleAbs(plane, alpha=eight_bit_scale(bit_depth))
    return np.asarray(plane, np.uint8)


def channel_sums(pixels: NDArray[Any]) -> Int64:
    """(3,) sums of R, G and B over all pixels of one frame (H, W, 3)."""
    return np.array(cv2.sumElems(pixels)[:3], np.int64)  # whole numbers below 2^53, so exact


class Beside(NamedTuple):
    """What whoever makes the pixels of an 8-bit frame writes beside them, because it costs next to
    nothing while they are at hand."""

    luma: Uint8
    """(H, W), as :func:`luma_bytes`."""
    sums: Int64
    """(3,), as :func:`channel_sums`."""

    def fill(self, pixels: NDArray[Any]) -> None:
        """Write what belongs to pixels that are made already."""
        self.luma[...] = luma_bytes(pixels)
        self.sums[...] = channel_sums(pixels)


def luma_codes(pixels: NDArray[Any], bit_depth: int) -> Float32:
    """Luma of one frame (H, W, 3), rounded to a code value of its own depth: (H, W) float32, 8-bit
    code values."""
    plane = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    if bit_depth != 8:
        plane = plane * np.float32(eight_bit_scale(bit_depth))
    return plane
