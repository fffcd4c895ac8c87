"""Dense SIFT (:mod:`vfiscope.embedders.dsift`) as tensor operations, for other devices than
the CPU.

Entries differ from those of the loops (:mod:`vfiscope.embedders.dsift_loops`) by rounding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.embedders.dsift import (
    CLIP,
    COLOUR_WEIGHT,
    FLAT,
    HALF_TEXTURE_GRADIENT,
    SINE,
    TEXTURE_WEIGHT,
)
from vfiscope.embedders.embedder import resize_for
from vfiscope.models.catalog import entry
from vfiscope.pixels import LUMA_WEIGHTS, weighted
from vfiscope.types import Frames
from vfiscope.types.batch import to_tensor

__all__ = ["colour_of", "describe_cells", "describe_frames"]

_BINS = 4
_TINY = 1e-12


@torch.no_grad()
def describe_frames(
    frames: Frames, grid: tuple[int, int], patch: int, device: str
) -> tuple[Tensor, Tensor]:
    """The vectors of N frames, (N, h, w, 135) float32 on a device, and the luma that their textures
    are taken from, (N, h * patch, w * patch), white 1."""
    made = torch.empty((len(frames), *grid, entry("dsift").dim), device=device)
    luma = torch.empty((len(frames), grid[0] * patch, grid[1] * patch), device=device)
    for row in range(len(frames)):  # one by one: bounded memory, independent of other frames
        data = to_tensor(frames.data[row : row + 1], device)
        image = resize_for(data, frames.bit_depth, grid, patch)[0]
        luma[row] = weighted(image, LUMA_WEIGHTS)
        made[row] = describe_cells(image, patch)
    return made, luma


def describe_cells(image: Tensor, patch: int) -> Tensor:
    """The vectors of one image.

    Args:
        image: (3, h * patch, w * patch) float32 RGB in 0..1.
        patch: side of a cell in pixels.

    Returns:
        (h, w, 135) float32, unit length.
    """
    votes = _windows(_pool(_votes(weighted(image, LUMA_WEIGHTS)), patch))
    area = _windows(_pool(torch.ones_like(image[:1]), patch)).sum(dim=(0, 3, 4))
    contrast = votes[8].sum(dim=(-2, -1)) / area
    share = (contrast / (contrast + HALF_TEXTURE_GRADIENT))[..., None]
    sift = _limited(votes[:8].permute(1, 2, 0, 3, 4).flatten(2))
    texture = torch.cat([sift * share.sqrt(), (1 - share).sqrt()], dim=-1)
    return torch.cat(
        [texture * TEXTURE_WEIGHT**0.5, colour_of(image, patch) * COLOUR_WEIGHT**0.5], dim=-1
    )


def _votes(luma: Tensor) -> Tensor:
    """(9, H, W): votes of each pixel's gradient for each of 8 directions, and its magnitude."""
    padded = F.pad(luma[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    gx = (padded[1:-1, 2:] - padded[1:-1, :-2]) * 0.5
    gy = (padded[2:, 1:-1] - padded[:-2, 1:-1]) * 0.5
    magnitude = (gx * gx).add_(gy * gy).sqrt_()
    flat = magnitude < FLAT
    for each in (gx, gy, magnitude):
        each.masked_fill_(flat, 0)
    scale = torch.reciprocal(magnitude + _TINY)
    cos, sin = gx * scale, gy * scale
    # Four axes; the sign tells the direction along the axis.
    along = torch.stack([cos, (cos + sin).mul_(0.5**0.5), sin, (sin - cos).mul_(0.5**0.5)])
    power = along * along
    for _ in range(2):
        power.mul_(power)
    power.mul_(along).mul_(magnitude)  # cos^9 times the magnitude
    return torch.cat([power.clamp(min=0), power.neg().clamp_(min=0), magnitude[None]])


def _pool(planes: Tensor, patch: int) -> Tensor:
    """(C, H, W) -> (C, h + 1, w + 1): sums under triangles two patches wide about the corners of
    the cells."""
    for axis in (1, 2):
        shape = list(planes.shape)
        count = shape[axis] // patch
        blocks = planes.reshape(*shape[:axis], count, patch, *shape[axis + 1 :])
        shape[axis] = count + 1
        corners = planes.new_zeros(shape)
        for step in range(patch):
            line = blocks.select(axis + 1, step)
            rise = (step + 0.5) / patch
            corners.narrow(axis, 1, count).add_(line * rise)
            corners.narrow(axis, 0, count).add_(line * (1 - rise))
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
    points = ((square * SINE[2] + SINE[1]) * square + SINE[0]) * angles
    points = points / (points * points).sum(dim=0).sqrt().mul_(3**0.5)
    return points.flatten(0, 1).permute(1, 2, 0)
