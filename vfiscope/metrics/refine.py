"""Sub-patch motion: from the patch that a patch matches to the place in it, by aligning pixels.

Around every patch of the test frame a window of luma is aligned with the reference, near the match of the patch. The
frames are first brought to :data:`CELL` pixels a patch. The aligning is that of Lucas and Kanade in its inverse
compositional form (Baker & Matthews, "Lucas-Kanade 20 Years On", IJCV 2004): the gradients of the test frame's window
are taken once, and every step solves two equations for a shift. A difference of brightness between the windows is left
out of account. Since such steps only find a place nearby, they start where a search at :data:`SEARCH_CELL` pixels a
patch finds the least difference within one patch of the match.

The result counts only where it is more like the test window than the place it started from, lies within one patch of
the match, and the window has texture in every direction (Shi & Tomasi, "Good Features to Track", CVPR 1994).

Every window is summed by itself in a fixed order, so nothing depends on the number of threads, on the other windows or
on the size of the batch. Memory is bounded: :data:`BLOCK` windows are aligned at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.types import Frames

__all__ = ["refine"]

CELL = 14
"""Pixels along a patch in the finer picture."""
SEARCH_CELL = 4
"""Pixels along a patch in the coarser picture, where every place within one patch is tried."""
STEPS = 3
"""Steps of the aligning at either scale."""
TEXTURE = 1e-5
"""Least eigenvalue of a window's mean structure tensor, white = 1: a gradient of 0.8 code values in 8 bit."""
REACHES = {SEARCH_CELL: 4, CELL: 10}
"""{pixels along a patch: how far a window reaches to either side of the centre of its patch}"""
BLOCK = 256
"""Windows aligned at a time: their pixels stay in the cache."""
LUMA = (0.299, 0.587, 0.114)


def refine(test: Frames, ref: Frames, whole: Tensor, start: Tensor) -> Tensor:
    """Where the patches of the test frames are in their references.

    Args:
        test: N frames.
        ref: their partners, of the same size.
        whole: (N, 2, h, w) int64, (dx, dy) in patches: the match of each patch.
        start: (N, 2, h, w) float32, (dx, dy) in patches: the best guess without pixels.

    Returns:
        (N, 2, h, w) float32, (dx, dy) in patches, within one patch of ``whole``; ``start`` where pixels say nothing,
        which is everywhere in equal frames.
    """
    made = start.clone(memory_format=torch.contiguous_format)
    grid = (int(start.shape[2]), int(start.shape[3]))
    for row in range(len(test)):
        pictures = torch.stack([_luma(frames, row, grid) for frames in (test, ref)])
        levels = [_Level.of(pictures, grid, cell, reach) for cell, reach in REACHES.items()]
        flat = [field[row].flatten(1).T for field in (whole, start)]
        for first in range(0, grid[0] * grid[1], BLOCK):
            rows = torch.arange(first, min(first + BLOCK, grid[0] * grid[1]), device=start.device)
            made[row].flatten(1)[:, rows] = _place(levels, rows, flat[0][rows], flat[1][rows]).T
    return made


def _place(levels: list[_Level], rows: Tensor, whole: Tensor, start: Tensor) -> Tensor:
    """(P, 2) for the patches ``rows``, from (P, 2) and (P, 2)."""
    coarse, fine = (level.windows(rows, whole) for level in levels)
    found = fine.align(coarse.align(coarse.search()))
    better = fine.difference(found) < fine.difference(start)
    return torch.where((better & fine.textured)[:, None], found, start)


@dataclass(frozen=True, eq=False)
class _Level:
    """A pair of pictures at one scale."""

    test: Tensor
    """(h * cell, w * cell) luma, padded by the reach and two patches on all sides."""
    ref: Tensor
    grid: tuple[int, int]
    cell: int
    reach: int
    """A window spans so many pixels to either side of the centre of its patch."""

    @classmethod
    def of(cls, pictures: Tensor, grid: tuple[int, int], cell: int, reach: int) -> _Level:
        """From pictures of test and reference, (2, H, W)."""
        both = _resized(pictures, (grid[0] * cell, grid[1] * cell))
        padded = F.pad(both[:, None], (reach + 2 * cell,) * 4, mode="replicate")[:, 0]
        return cls(padded[0], padded[1], grid, cell, reach)

    def windows(self, rows: Tensor, whole: Tensor) -> _Windows:
        """The windows of some patches, numbered in reading order."""
        cell = torch.stack([rows % self.grid[1], rows // self.grid[1]], dim=1)
        return _Windows(self, cell, whole)

    def cut(self, plane: Tensor, corner: Tensor, size: int) -> Tensor:
        """(P, size, size) of a padded plane from corners (x, y), (P, 2) int64, in pixels of the unpadded picture."""
        at = corner + self.reach + 2 * self.cell
        return plane.unfold(0, size, 1).unfold(1, size, 1)[at[:, 1], at[:, 0]]


@dataclass(frozen=True, eq=False)
class _Windows:
    """Windows of P patches at one scale. Displacements are in patches."""

    level: _Level
    place: Tensor
    """(P, 2) int64: column and row of the patch."""
    whole: Tensor
    """(P, 2) int64: the displacement of its match."""

    @property
    def size(self) -> int:
        return 2 * self.level.reach

    @cached_property
    def corner(self) -> Tensor:
        """(P, 2) int64: first column and row of the test window."""
        return self.place * self.level.cell + self.level.cell // 2 - self.level.reach

    @cached_property
    def wide(self) -> Tensor:
        """(P, size + 2, size + 2) of the test: the window and a pixel around it."""
        return self.level.cut(self.level.test, self.corner - 1, self.size + 2)

    @cached_property
    def pixels(self) -> Tensor:
        """(P, size * size) of the test."""
        return self.wide[:, 1:-1, 1:-1].flatten(1)

    @cached_property
    def weight(self) -> Tensor:
        """(P, size * size): 1 where both the window and that around the match are inside the picture, else 0."""
        steps = torch.arange(self.size, device=self.place.device)
        inside = []
        for axis, count in ((1, self.level.grid[0]), (0, self.level.grid[1])):
            limit = count * self.level.cell
            here = self.corner[:, axis, None] + steps
            there = here + self.whole[:, axis, None] * self.level.cell
            inside.append((here >= 0) & (here < limit) & (there >= 0) & (there < limit))
        return (inside[0][:, :, None] & inside[1][:, None, :]).flatten(1).to(torch.float32)

    @cached_property
    def slopes(self) -> tuple[Tensor, Tensor]:
        """Gradients of the test window along x and y, less their mean, two (P, size * size)."""
        along_x = (self.wide[:, 1:-1, 2:] - self.wide[:, 1:-1, :-2]).flatten(1) * 0.5
        along_y = (self.wide[:, 2:, 1:-1] - self.wide[:, :-2, 1:-1]).flatten(1) * 0.5
        return self.centred(along_x), self.centred(along_y)

    @cached_property
    def tensor(self) -> tuple[Tensor, Tensor, Tensor]:
        """Structure tensor, three (P,): sums of xx, xy and yy."""
        x, y = self.slopes
        return (x * x).sum(dim=1), (x * y).sum(dim=1), (y * y).sum(dim=1)

    @property
    def textured(self) -> Tensor:
        """(P,) bool: the brightness changes in every direction."""
        xx, xy, yy = self.tensor
        least = (xx + yy - ((xx - yy).square() + 4 * xy.square()).sqrt()) * 0.5
        return least > TEXTURE * self.weight.sum(dim=1).clamp(min=1)

    def centred(self, values: Tensor) -> Tensor:
        """Values less their mean over the weight, and 0 outside it."""
        mean = (values * self.weight).sum(dim=1) / self.weight.sum(dim=1).clamp(min=1)
        return (values - mean[:, None]) * self.weight

    def apart(self, moved: Tensor) -> Tensor:
        """(P, size * size): the reference at a displacement (P, 2), bilinear, less the test."""
        exact = moved * self.level.cell
        floor = exact.floor()
        x, y = (exact - floor)[:, :, None, None].unbind(dim=1)
        four = self.level.cut(self.level.ref, self.corner + floor.to(torch.int64), self.size + 1)
        two = _between(four[:, :, :-1], four[:, :, 1:], x)
        return _between(two[:, :-1], two[:, 1:], y).flatten(1).sub_(self.pixels)

    def difference(self, moved: Tensor) -> Tensor:
        """(P,) sum of squares of what is apart besides brightness; exactly 0 for equal windows."""
        return self.centred(self.apart(moved)).square().sum(dim=1)

    def align(self, start: Tensor) -> Tensor:
        """(P, 2) displacements after some steps from (P, 2)."""
        (x, y), (xx, xy, yy) = self.slopes, self.tensor
        area = (xx * yy - xy * xy).clamp(min=1e-12)
        at = start
        for _ in range(STEPS):
            apart = self.apart(at)
            along_x, along_y = (x * apart).sum(dim=1), (y * apart).sum(dim=1)
            step = torch.stack([yy * along_x - xy * along_y, xx * along_y - xy * along_x], dim=1) / area[:, None]
            at = at - step / self.level.cell
            at = torch.minimum(torch.maximum(at, self.whole - 1.0), self.whole + 1.0)
        return at

    def search(self) -> Tensor:
        """(P, 2) displacements: of all steps of a pixel within one patch of the match, the least different."""
        cell, size = self.level.cell, self.size
        corner = self.corner + (self.whole - 1) * cell
        around = self.level.cut(self.level.ref, corner, size + 2 * cell).unfold(1, size, 1).unfold(2, size, 1)
        apart = (around.flatten(1, 2) - self.pixels.reshape(-1, 1, size, size)).flatten(2)
        differences = apart.square().sum(dim=2) - apart.sum(dim=2).square() / size**2
        best = differences.argmin(dim=1)
        count = 2 * cell + 1
        return self.whole + torch.stack([best % count, best // count], dim=1) / cell - 1.0


def _between(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """``one`` where the share is 0; product and sum apart, as fused ones may round by the place in the vector."""
    return (other - one).mul_(share).add_(one)


def _luma(frames: Frames, row: int, grid: tuple[int, int]) -> Tensor:
    """(h * CELL, w * CELL) float32, white 1, of one frame."""
    red, green, blue = frames.data[row].unbind()
    weights = [weight / (2**frames.bit_depth - 1) for weight in LUMA]
    luma = red * weights[0] + green * weights[1] + blue * weights[2]
    return _resized(luma[None], (grid[0] * CELL, grid[1] * CELL))[0]


def _resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, H, W) at another size, antialiased bilinear."""
    if pictures.shape[1:] == size:
        return pictures
    return F.interpolate(pictures[:, None], size=size, mode="bilinear", antialias=True)[:, 0]
