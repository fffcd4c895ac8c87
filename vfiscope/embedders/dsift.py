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
k * 45 degrees from +x towards +y (down). Outside the frame there is nothing: border cells have
empty bins.

A frame is represented by the vectors of all its cells side by side, so place is kept: as every one
has unit length, 1 - cosine of two frames is the mean over the cells of 1 - cosine to the same cell
of the other frame. (Mismatch, which looks for the best cell, is never more; the difference is
content at another place.) A mean of the cells, which forgets where they are, puts an interpolator's
blends, repeats and good frames in no order, and does so the more, the larger the parts of the frame
that are averaged.

Only sums, products, quotients and square roots are taken, one after the other, so a frame has the
same bits whatever the number of threads and whatever else is in its batch. (The arctangent of torch
is not used because it rounds differently at the end of each thread's share, and its cosine because
it may.)
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.config import SIZE_DSIFT
from vfiscope.embedders import gradient_kernels
from vfiscope.embedders.embedder import check_aspect, check_size, grid_for, resize_for
from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import entry
from vfiscope.models.checkpoints import LoadReport
from vfiscope.types import LUMA_WEIGHTS, Features, Frames

__all__ = ["VERSION", "Dsift", "colour_of", "describe_cells"]

VERSION = "dsift-2"
"""Changes whenever the numbers do. In dsift-1 the frame's vector was the mean of its cells; the
cells are the same."""

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

_BINS = 4
_TINY = 1e-12
# sin(pi/2 x) for x in 0..1 to 7e-5 (least maximum error); the points are put on the circle
# afterwards.
_SINE = (1.570320, -0.642113, 0.071861)


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
        """Prepare for frames of any size.

        Args:
            size: short side of the resized frame, a multiple of 14.
            aspect: ``keep`` or ``stretch``, see :mod:`vfiscope.embedders.embedder`.
            pool: ``patch`` or ``all``; both are all the patches, for there are no other tokens.
            device: where to compute.

        Raises:
            EmbedderError: the size does not fit, there is no such aspect, or the pool is ``cls``.
        """
        if pool not in ("patch", "all"):
            raise EmbedderError(f"pool is {pool!r}: dsift has no such token, choose patch or all")
        self.size = check_size(SIZE_DSIFT if size is None else size, self.patch)
        self.aspect = check_aspect(aspect)
        self.pool = pool
        self.device = torch.device(device)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (h, w) of a frame of height x width pixels."""
        return grid_for(height, width, self.size, self.patch, self.aspect)

    def floats(self, height: int, width: int) -> int:
        """float32 numbers in the features of a frame; the pooled vector is another view of the
        patches."""
        h, w = self.grid(height, width)
        return self.dim * h * w

    @torch.inference_mode()
    def embed(self, frames: Frames) -> Features:
        """Features of N frames: patches (N, h, w, 135) of unit length, and pooled (N, h * w * 135),
        the same memory."""
        grid = self.grid(*frames.size)
        patches = torch.empty((len(frames), *grid, self.dim), device=self.device)
        for row in range(len(frames)):  # one by one: bounded memory, and no neighbour can matter
            image = resize_for(
                frames.data[row : row + 1].to(self.device), frames.bit_depth, grid, self.patch
            )[0]
            patches[row] = describe_cells(image, self.patch)
        return Features(patches.flatten(1), patches)

    def describe(self, height: int, width: int) -> dict[str, Any]:
        """What made the features, for the record."""
        return {
            "name": self.name,
            "version": VERSION,
            "weights_digest": None,
            "dim": self.dim,
            "pooled_dim": self.floats(height, width),
            "patch": self.patch,
            "grid": list(self.grid(height, width)),
            "size": self.size,
            "aspect": self.aspect,
            "pool": self.pool,
        }


def describe_cells(image: Tensor, patch: int) -> Tensor:
    """The vectors of one image.

    Args:
        image: (3, h * patch, w * patch) float32 RGB in 0..1.
        patch: side of a cell in pixels.

    Returns:
        (h, w, 135) float32, unit length.
    """
    luma = image[0] * LUMA_WEIGHTS[0] + image[1] * LUMA_WEIGHTS[1] + image[2] * LUMA_WEIGHTS[2]
    votes = _windows(_pool(_votes(luma), patch))
    area = _windows(_pool(torch.ones_like(luma)[None], patch)).sum(dim=(0, 3, 4))
    contrast = votes[8].sum(dim=(-2, -1)) / area
    share = (contrast / (contrast + HALF_TEXTURE_GRADIENT))[..., None]
    sift = _limited(votes[:8].permute(1, 2, 0, 3, 4).flatten(2))
    texture = torch.cat([sift * share.sqrt(), (1 - share).sqrt()], dim=-1)
    return torch.cat(
        [texture * TEXTURE_WEIGHT**0.5, colour_of(image, patch) * COLOUR_WEIGHT**0.5], dim=-1
    )


def _votes(luma: Tensor) -> Tensor:
    """(9, H, W): how much each pixel's gradient speaks for each of 8 directions, and its
    magnitude."""
    padded = F.pad(luma[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    gx = (padded[1:-1, 2:] - padded[1:-1, :-2]) * 0.5
    gy = (padded[2:, 1:-1] - padded[:-2, 1:-1]) * 0.5
    magnitude = (gx * gx).add_(gy * gy).sqrt_()
    if luma.device.type == "cpu":
        return torch.from_numpy(gradient_kernels.votes(gx.numpy(), gy.numpy(), magnitude.numpy()))
    return _votes_by_torch(gx, gy, magnitude)


def _votes_by_torch(gx: Tensor, gy: Tensor, magnitude: Tensor) -> Tensor:
    scale = torch.reciprocal(magnitude + _TINY)
    cos, sin = gx * scale, gy * scale
    # Four axes; the sign says which of the two directions along the axis it is.
    along = torch.stack([cos, (cos + sin).mul_(0.5**0.5), sin, (sin - cos).mul_(0.5**0.5)])
    power = along * along
    for _ in range(2):
        power.mul_(power)
    power.mul_(along).mul_(magnitude)  # cos^9 times the magnitude
    return torch.cat([power.clamp(min=0), power.neg().clamp_(min=0), magnitude[None]])


def _pool(planes: Tensor, patch: int) -> Tensor:
    """(C, H, W) -> (C, h + 1, w + 1): sums under triangles two patches wide about the corners of
    the cells."""
    rise = (torch.arange(patch, dtype=torch.float64) + 0.5) / patch
    weights = rise.to(torch.float32), (1 - rise).to(torch.float32)
    if planes.device.type == "cpu":
        return torch.from_numpy(
            gradient_kernels.pool(planes.numpy(), *(each.numpy() for each in weights))
        )
    return _pool_by_torch(planes, *(each.tolist() for each in weights))


def _pool_by_torch(planes: Tensor, rise: list[float], fall: list[float]) -> Tensor:
    patch = len(rise)
    for axis in (1, 2):
        shape = list(planes.shape)
        count = shape[axis] // patch
        blocks = planes.reshape(*shape[:axis], count, patch, *shape[axis + 1 :])
        shape[axis] = count + 1
        corners = planes.new_zeros(shape)
        for step in range(patch):
            line = blocks.select(axis + 1, step)
            corners.narrow(axis, 1, count).add_(line * rise[step])
            corners.narrow(axis, 0, count).add_(line * fall[step])
        planes = corners
    return planes


def _windows(corners: Tensor) -> Tensor:
    """(C, h + 1, w + 1) -> (C, h, w, 4, 4): the 4 x 4 bins around every cell, empty where outside
    the frame."""
    return F.pad(corners, (1, 1, 1, 1)).unfold(1, _BINS, 1).unfold(2, _BINS, 1)


def _limited(votes: Tensor) -> Tensor:
    """(h, w, 128) -> the same of unit length, or zero where there is no gradient at all."""
    length = (votes * votes).sum(dim=-1, keepdim=True).sqrt()
    clipped = (votes / length.clamp(min=_TINY)).clamp(max=CLIP)
    return clipped / (clipped * clipped).sum(dim=-1, keepdim=True).sqrt().clamp(min=_TINY)


def colour_of(image: Tensor, patch: int) -> Tensor:
    """(h, w, 6), unit length: cosines and sines of pi/2 times the mean R, G and B of each cell."""
    h, w = image.shape[1] // patch, image.shape[2] // patch
    means = image.reshape(3, h, patch, w, patch).sum(dim=(2, 4)).div_(patch * patch)
    angles = torch.stack([1 - means, means]).clamp_(0, 1)
    square = angles * angles
    points = ((square * _SINE[2] + _SINE[1]) * square + _SINE[0]) * angles
    points = points / (points * points).sum(dim=0).sqrt().mul_(3**0.5)
    return points.flatten(0, 1).permute(1, 2, 0)
