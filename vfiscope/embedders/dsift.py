"""Dense SIFT and colour on a patch grid: an embedder without weights.

Every cell of 14 x 14 pixels of the resized frame gets 135 numbers, a unit vector made of two parts.

- Texture, 128 + 1: a SIFT descriptor (Lowe, "Distinctive image features from scale-invariant
  keypoints", IJCV 2004) centred on the cell: 8 directions x 4 x 4 spatial bins. The bins are one
  patch apart and each is a triangular window two patches wide (Lowe's trilinear interpolation), so
  the descriptor looks at 5 x 5 patches, the middle ones most. Gradients vote for directions with
  the weight ``max(0, cos)^9`` as in SIFT flow (Liu, Yuen, Torralba, TPAMI 2011). Entries above 0.2
  of the norm are clipped. (Square roots of the entries, as in RootSIFT, gave fewer mutual matches
  under noise and blur, and half the distance between unrelated frames.) Since the direction of a
  faint gradient is noise, a share ``a = m / (m + HALF_TEXTURE_GRADIENT)`` of the squared length
  goes to the descriptor, where m is the mean gradient magnitude of the window, and the rest to one
  constant entry that means "flat": a = 0 for a flat cell, and it grows without a jump.
- Colour, 6: the means of R, G and B over the cell, each as a point on a quarter of the unit circle.

The entry order is direction, bin row, bin column, flat, three cosines, three sines. Direction k is
k * 45 degrees from +x towards +y (down). There are no gradients outside the frame: border cells
have empty bins.

A frame is represented by the vectors of all its cells side by side, which keeps their places: since
each has unit length, 1 - cosine of two frames is the mean over the cells of 1 - cosine to the same
cell of the other frame. (Mismatch, which searches for the best cell, is never larger; the
difference is content that moved.) A mean of the cells, which loses their places, fails to order
good frames, blends and repeats, the more so the larger the averaged parts of the frame are.

Only sums, products, quotients and square roots are used, each rounded, so on a CPU a frame has the
same bits whatever the number of threads and whatever else is in its batch. (An arctangent or a
cosine may round differently in another library.) The tensor functions for other devices add up in
another order: entries differ by rounding, by less than 1e-5 where there is texture. Where there is
next to none the square root of the contrast enlarges it, to up to 3e-4; distances differ by its
square.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.config import SIZE_DSIFT
from vfiscope.embedders.embedder import check_aspect, check_size
from vfiscope.embedders.identity import Identity
from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import entry
from vfiscope.models.loading import LoadReport
from vfiscope.types import Features, Float32, Frames

if TYPE_CHECKING:
    import torch

    from vfiscope.types.batch import Vectors

__all__ = ["Dsift", "colour_of_means"]

VERSION = "dsift-3"
"""Changes whenever the numbers change. In dsift-1 the frame's vector was the mean of its cells,
which are the same as in dsift-2; dsift-3 differs from that by rounding."""

CLIP = 0.2
"""Lowe's limit on the share of one entry."""
FLAT = 1e-6
"""Gradient magnitude, in units of white per pixel, below which a pixel is flat: resizing rounds the
parts of a plain area differently, by up to 3e-7, and roots of that would count."""
HALF_TEXTURE_GRADIENT = 0.02
"""Mean gradient magnitude, in units of white per pixel, at which a cell is half texture and half
flat. Noise of one 8-bit code value has about 0.003, a photographed texture 0.03 to 0.1."""
TEXTURE_WEIGHT = 2 / 3
COLOUR_WEIGHT = 1 / 3
"""Shares of the squared length, 2 : 1. Texture finds the match; colour keeps apart surfaces of like
texture, and alone notices a change of hue or exposure. With equal shares a shadow would outweigh a
wrong shape."""
SINE = (1.570320, -0.642113, 0.071861)
"""Minimax polynomial of sin(pi/2 x) for x in 0..1, to 7e-5; points are normalised onto the circle
afterwards."""


class Dsift:
    """Dense SIFT with colour."""

    name = "dsift"
    patch = entry("dsift").patch
    dim = entry("dsift").dim
    report: LoadReport | None = None

    def __init__(
        self,
        *,
        size: int | None = None,
        aspect: str = "keep",
        pool: str = "patch",
        device: torch.device | str = "cpu",
    ) -> None:
        """Prepare an embedder for frames of any size.

        Args:
            size: short side of the resized frame, a multiple of 14.
            aspect: ``keep`` or ``stretch``, see :mod:`vfiscope.embedders.embedder`.
            pool: ``patch`` or ``all``; both are all the patches, as there are no other tokens.
            device: the device to compute on.

        Raises:
            EmbedderError: the size does not fit, the aspect is unknown, or the pool is ``cls``.
        """
        if pool not in ("patch", "all"):
            raise EmbedderError(f"pool is {pool!r}: dsift has no such token, choose patch or all")
        self.device = str(device)
        self.identity = Identity(
            self.name,
            VERSION,
            weights_digest=None,
            patch=self.patch,
            dim=self.dim,
            size=check_size(SIZE_DSIFT if size is None else size, self.patch),
            aspect=check_aspect(aspect),
            pool=pool,
            side_by_side=True,
            with_luma=True,
        )

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (h, w) of a frame of height x width pixels."""
        return self.identity.grid(height, width)

    def floats(self, height: int, width: int) -> int:
        """Number of float32 values in the features of a frame: the patches, of which the pooled
        vector is another view, and the luma."""
        return self.identity.floats(height, width)

    def embed(self, frames: Frames) -> Features:
        """Features of N frames: patches (N, h, w, 135) of unit length, pooled (N, h * w * 135), the
        same memory, and luma (N, h * 14, w * 14)."""
        grid = self.grid(*frames.size)
        patches: Vectors
        luma: Vectors
        if self.device == "cpu":
            from vfiscope.embedders import dsift_loops

            patches, luma = dsift_loops.describe_frames(frames, grid)
        else:
            from vfiscope.embedders import dsift_tensors

            patches, luma = dsift_tensors.describe_frames(frames, grid, self.patch, self.device)
        return Features(patches.reshape(len(patches), math.prod(patches.shape[1:])), patches, luma)

    def describe(self, height: int, width: int) -> dict[str, Any]:
        """The record of the embedder that a run stores."""
        return self.identity.describe(height, width)


def colour_of_means(means: Float32) -> Float32:
    """Colours of cells from their mean R, G and B, (3, h, w) 0..1: (h, w, 6), unit length.

    They are cosines and sines of pi/2 times the means.
    """
    angles = np.clip(np.stack([1 - means, means]), 0, 1)
    square = angles * angles
    points = (square * np.float32(SINE[2]) + np.float32(SINE[1])) * square + np.float32(SINE[0])
    points *= angles
    points /= np.sqrt((points * points).sum(axis=0)) * np.float32(3**0.5)
    made: Float32 = points.reshape(6, *means.shape[1:]).transpose(1, 2, 0)
    return made
