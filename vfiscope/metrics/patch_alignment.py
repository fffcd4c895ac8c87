"""Sub-patch motion: the exact place of a match, found by aligning pixels.

Around every patch of the test frame a window of luma is aligned with the reference, near the match
of the patch, in frames resized to :data:`FINE_CELL_PX` pixels per patch. The method is that of
Lucas and Kanade in its inverse compositional form (Baker & Matthews, "Lucas-Kanade 20 Years On",
IJCV 2004): the gradients of the test frame's window are computed once, and every step solves two
equations for a shift. Differences in brightness between the windows are ignored. Since such steps
only find a place nearby, they start where a search at :data:`SEARCH_CELL` pixels per patch finds
the least difference within one patch of the match.

The result counts only where it is more like the test window than the place it started from, lies
within one patch of the match, and the window has texture in every direction (Shi & Tomasi, "Good
Features to Track", CVPR 1994).

Every window is summed on its own in a fixed order, so nothing depends on the number of threads, the
other windows or the size of the batch. Windows are aligned on the CPU, wherever the frames are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vfiscope.embedders.resizing import luma_and_colours, resized_plane
from vfiscope.metrics.kernels.subpatch_kernels import (
    ALIGN_REACH,
    FINE_CELL_PX,
    SEARCH_CELL,
    SEARCH_REACH,
    SEARCH_SIDE,
    margin,
    place,
)
from vfiscope.types import Float32, Float64, Frames, Int64
from vfiscope.types.batch import to_numpy

if TYPE_CHECKING:
    from vfiscope.types.batch import Vectors

__all__ = ["luma_of", "refine"]


def luma_of(frames: Frames, grid: tuple[int, int], made: Vectors | None = None) -> Float32:
    """Luma of N frames at the size at which they are aligned.

    Args:
        frames: the frames.
        grid: patches, (h, w).
        made: the luma of their features, as dense SIFT has it; made again where its size differs.

    Returns:
        (N, h * FINE_CELL_PX, w * FINE_CELL_PX) float32, white 1.
    """
    size = grid[0] * FINE_CELL_PX, grid[1] * FINE_CELL_PX
    if made is not None and tuple(made.shape[1:]) == size:
        return to_numpy(made)
    depth = frames.bit_depth
    if isinstance(frames.data, np.ndarray):
        rows = [luma_and_colours(each, depth, grid, FINE_CELL_PX)[0] for each in frames.interleaved]
    else:
        from vfiscope.metrics.tensors.patch_tensors import small_luma

        rows = [to_numpy(small_luma(each, depth, size)) for each in frames.data]
    return np.array(rows, np.float32).reshape(-1, *size)


def refine(test: Float32, ref: Float32, whole: Int64, start: Float32) -> Float32:
    """Displacement of the patches of the test frames in their references.

    Args:
        test: (N, H, W) luma of N frames, as :func:`luma_of` returns it.
        ref: the same of their partners.
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
    for row, planes in enumerate(zip(test, ref, strict=True)):
        if np.array_equal(*planes) and not start[row].any():
            made[row] = start[row]  # no place is more alike than the same one
            continue
        fine = _with_margin(planes, margin(FINE_CELL_PX, ALIGN_REACH))
        small = [resized_plane(each, (h * SEARCH_CELL, w * SEARCH_CELL)) for each in planes]
        coarse = _with_margin(small, margin(SEARCH_CELL, SEARCH_REACH))
        fields = (field[row].reshape(2, -1) for field in (whole, start, made))
        place(coarse, fine, _spread(coarse[1]), w, *fields)
    return made


def _check(whole: Int64, start: Float32) -> None:
    """Refuse displacements out of the frame: the loops read memory without bounds checks."""
    for axis, count in ((0, whole.shape[3]), (1, whole.shape[2])):
        own = np.arange(count)
        there = whole[:, axis] + (own if axis == 0 else own[:, None])
        near = np.abs(start[:, axis] - whole[:, axis]) <= 1
        if not ((there >= 0) & (there < count) & near).all():
            raise ValueError(
                f"a match leaves the {count} patches of an axis, or its guess is over a patch"
                " from it"
            )


def _with_margin(planes: Sequence[Float32], pixels: int) -> Float32:
    """Two planes (H, W) as one level, (2, H + 2 * pixels, W + 2 * pixels)."""
    return np.pad(np.array(planes), ((0, 0), (pixels, pixels), (pixels, pixels)), mode="edge")


def _spread(plane: Float32) -> Float32:
    """Of the window that begins at each pixel, the sum of the squared differences from its mean."""
    values = plane.astype(np.float64)
    total, squares = _window_sums(values), _window_sums(values * values)
    return (squares - total * total / SEARCH_SIDE**2).astype(np.float32)


def _window_sums(values: Float64) -> Float64:
    """Sums over windows of SEARCH_SIDE pixels, a power of two: of pairs, of pairs of pairs, ..."""
    step = 1
    while step < SEARCH_SIDE:
        values = values[:, :-step] + values[:, step:]
        values = values[:-step] + values[step:]
        step *= 2
    return values
