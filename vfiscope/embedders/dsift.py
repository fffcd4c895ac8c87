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

Only sums, products, quotients and square roots are used, one after the other, so a frame has the
same bits whatever the number of threads and whatever else is in its batch. (Torch's arctangent
rounds differently at the end of each thread's share, and its cosine may; neither is used.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vfiscope.config import SIZE_DSIFT
from vfiscope.embedders.embedder import check_aspect, check_size
from vfiscope.embedders.identity import Identity
from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import entry
from vfiscope.models.loading import LoadReport
from vfiscope.types import Features, Float32, Frames
from vfiscope.types.batch import array_on_cpu

if TYPE_CHECKING:
    import torch

__all__ = ["Dsift", "colour_of_means"]

VERSION = "dsift-2"
"""Changes whenever the numbers change. In dsift-1 the frame's vector was the mean of its cells,
which are the same."""

CLIP = 0.2
"""Lowe's limit on the share of one entry."""
HALF_TEXTURE_GRADIENT = 0.02
"""Mean gradient magnitude, in units of white per pixel, at which a cell is half texture and half
flat. Noise of one 8-bit code value has about 0.003, a photographed texture 0.03 to 0.1."""
TEXTURE_WEIGHT = 2 / 3
COLOUR_WEIGHT = 1 / 3
"""Shares of the squared length, 2 : 1. Texture finds the match; colour keeps apart surfaces of like
texture, and alone notices a change of hue or exposure. With equal shares a shadow would outweigh a
wrong shape."""


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
        )

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (h, w) of a frame of height x width pixels."""
        return self.identity.grid(height, width)

    def floats(self, height: int, width: int) -> int:
        """Number of float32 values in the features of a frame; the pooled vector is another view of
        the patches."""
        return self.identity.floats(height, width)

    def embed(self, frames: Frames) -> Features:
        """Features of N frames: patches (N, h, w, 135) of unit length, and pooled (N, h * w * 135),
        the same memory."""
        from vfiscope.embedders.dsift_tensors import describe_frames

        grid = self.grid(*frames.size)
        patches = array_on_cpu(describe_frames(frames, grid, self.patch, self.device))
        return Features(patches.reshape(len(patches), math.prod(patches.shape[1:])), patches)

    def describe(self, height: int, width: int) -> dict[str, Any]:
        """The record of the embedder that a run stores."""
        return self.identity.describe(height, width)


def colour_of_means(means: Float32) -> Float32:
    """Colours of cells from their mean R, G and B, (3, h, w) 0..1: (h, w, 6), unit length.

    By torch on the CPU too: its square roots are not those of numpy (at most 0.75 units in the last
    place from the exact ones, instead of 0.5), and scores that were stored contain them.
    """
    from vfiscope.embedders.dsift_tensors import colour_of
    from vfiscope.types.batch import to_tensor

    made: Float32 = colour_of(to_tensor(means, "cpu"), 1).numpy()
    return made
