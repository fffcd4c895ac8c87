"""Sub-patch motion: the exact place of a match, found by aligning pixels.

Around every patch of the test frame a window of luma is aligned with the reference, near the match
of the patch. The frames are first resized to :data:`FINE_CELL_PX` pixels per patch. The method is
that of Lucas and Kanade in its inverse compositional form (Baker & Matthews, "Lucas-Kanade 20 Years
On", IJCV 2004): the gradients of the test frame's window are computed once, and every step solves
two equations for a shift. Differences in brightness between the windows are ignored. Since such
steps only find a place nearby, they start where a search at :data:`SEARCH_CELL` pixels per patch
finds the least difference within one patch of the match.

The result counts only where it is more like the test window than the place it started from, lies
within one patch of the match, and the window has texture in every direction (Shi & Tomasi, "Good
Features to Track", CVPR 1994).

Every window is summed on its own in a fixed order, so nothing depends on the number of threads, the
other windows or the size of the batch. Luma planes are made where the frames are, and aligned on
the CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vfiscope.metrics.kernels import subpatch_kernels
from vfiscope.pixels import LUMA_WEIGHTS, weighted, white
from vfiscope.types import Float32, Frames, Int64

__all__ = ["refine"]

FINE_CELL_PX = 14
"""Pixels along a patch in the finer plane."""
SEARCH_CELL = 4
"""Pixels along a patch in the coarser plane, where every place within one patch is tried."""
REACHES = {SEARCH_CELL: subpatch_kernels.SEARCH_SIZE // 2, FINE_CELL_PX: 10}
"""{pixels along a patch: pixels of a window to either side of the centre of its patch}"""


def refine(test: Frames, ref: Frames, whole: Int64, start: Float32) -> Float32:
    """Displacement of the patches of the test frames in their references.

    Args:
        test: N frames.
        ref: their partners, of the same size.
        whole: (N, 2, h, w) int64, (dx, dy) in patches: the match of each patch, a patch of the
            frame.
        start: (N, 2, h, w) float32, (dx, dy) in patches: the best guess without pixels, within one
            patch of ``whole``.

    Returns:
        (N, 2, h, w) float32, (dx, dy) in patches, within one patch of ``whole``; ``start`` where
        pixels say nothing, which is everywhere in equal frames.

    Raises:
        ValueError: a match lies outside the frame, or a guess is over a patch from its match.
    """
    _check(whole, start)
    h, w = start.shape[2:]
    made = np.empty(start.shape, np.float32)
    for row in range(len(test)):
        planes = torch.stack([_luma(frames, row, (h, w)) for frames in (test, ref)])
        coarse, fine = (
            (_padded(planes, (h, w), cell, reach), cell, reach) for cell, reach in REACHES.items()
        )
        fields = (field[row].reshape(2, -1) for field in (whole, start, made))
        subpatch_kernels.place(coarse, fine, (w, h), *fields)
    return made


def _check(whole: Int64, start: Float32) -> None:
    """Refuse displacements out of the frame: the loops read memory without bounds checks."""
    for axis, count in ((0, whole.shape[3]), (1, whole.shape[2])):
        place = np.arange(count)
        there = whole[:, axis] + (place if axis == 0 else place[:, None])
        near = np.abs(start[:, axis] - whole[:, axis]) <= 1
        if not ((there >= 0) & (there < count) & near).all():
            raise ValueError(
                f"a match leaves the {count} patches of an axis, or its guess is over a patch"
                " from it"
            )


def _luma(frames: Frames, row: int, grid: tuple[int, int]) -> Tensor:
    """(h * FINE_CELL_PX, w * FINE_CELL_PX) float32, white 1, of one frame."""
    weights = [weight / white(frames.bit_depth) for weight in LUMA_WEIGHTS]
    one = frames.data[row]
    if isinstance(one, np.ndarray):
        luma = torch.from_numpy(_luma_by_loops(one, weights))
    else:
        luma = weighted(one.unbind(), weights)
    return _resized(luma[None], (grid[0] * FINE_CELL_PX, grid[1] * FINE_CELL_PX))[0]


def _luma_by_loops(data: NDArray[Any], weights: list[float]) -> NDArray[np.float32]:
    luma = np.empty(data.shape[1:], np.float32)
    pixels = np.ascontiguousarray(data.transpose(1, 2, 0))
    subpatch_kernels.luma(pixels.reshape(len(pixels), -1), np.array(weights, np.float32), luma)
    return luma


def _padded(planes: Tensor, grid: tuple[int, int], cell: int, reach: int) -> NDArray[np.float32]:
    """Planes (2, H, W) at ``cell`` pixels per patch, with a margin that no window leaves."""
    both = _resized(planes, (grid[0] * cell, grid[1] * cell))
    padded: NDArray[np.float32] = (
        F.pad(both[:, None], (subpatch_kernels.padding(cell, reach),) * 4, mode="replicate")[:, 0]
        .cpu()
        .numpy()
    )
    return padded


def _resized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, H, W) at another size, antialiased bilinear."""
    if planes.shape[1:] == size:
        return planes
    return F.interpolate(planes[:, None], size=size, mode="bilinear", antialias=True)[:, 0]
