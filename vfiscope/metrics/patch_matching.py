"""Matching of patches, and their motion, on the CPU: arrays, one matrix product, compiled loops.

:mod:`vfiscope.metrics.tensors.patch_tensors` computes the same from tensors on a device; see
:mod:`vfiscope.metrics.patches` for the conventions.

Bits depend on the two frames and the kind of processor alone: vectors are summed in loops, in the
order that suits its vectors, and a block of the matrix product has always the same rows and one
thread. (The products themselves only choose the match; they are no score.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import in_bands, one_blas_thread
from vfiscope.metrics.kernels import patch_match_kernels
from vfiscope.metrics.kernels.patch_match_kernels import SEARCHED_ROWS
from vfiscope.types import Features, Float32, Int64
from vfiscope.types.batch import to_numpy

__all__ = ["TIE", "Matches", "common_grid", "cosine_distance", "far", "match", "motion"]

ArrayT = TypeVar("ArrayT")

TIE = 5e-6
"""Cosines this close to the best count as equal: above the rounding of a float32 product, far below
a real difference."""


@dataclass(frozen=True, eq=False)
class Matches(Generic[ArrayT]):
    """Best matches between the patches of N frame pairs, both ways, from one similarity matrix per
    pair; arrays, or tensors on a device.

    Indices count patches in reading order: row * w + column.
    """

    grid: tuple[int, int]
    """Rows and columns of patches, (h, w)."""
    tests: ArrayT
    """(N, h * w, E) float32 unit vectors of the test patches."""
    refs: ArrayT
    """(N, h * w, E) float32 unit vectors of the reference patches."""
    forward: ArrayT
    """(N, h * w) int64: for each test patch, its match in the reference."""
    forward_distance: ArrayT
    """(N, h * w) float32, 1 - cosine to that match, 0..2."""
    backward: ArrayT
    """(N, h * w) int64: for each reference patch, its match in the test frame."""
    backward_distance: ArrayT
    """(N, h * w) float32."""
    mutual: ArrayT
    """(N, h * w) bool: the match of the test patch's match is the test patch itself."""
    mutual_back: ArrayT
    """(N, h * w) bool: the match of the reference patch's match is the reference patch itself."""


def common_grid(test: Features, ref: Features) -> tuple[int, int]:
    """Rows and columns of patches, (h, w).

    Raises:
        ValueError: the features differ in shape.
    """
    if test.patches.shape != ref.patches.shape:
        raise ValueError(
            f"test and ref patches differ: {tuple(test.patches.shape)} {tuple(ref.patches.shape)}"
        )
    return int(test.patches.shape[1]), int(test.patches.shape[2])


def far(grid: tuple[int, int], window: int | None) -> NDArray[np.bool_] | None:
    """(P, P) True for patches more than ``window`` columns or rows from each other; None where none
    are."""
    if window is None or window >= max(grid):
        return None
    rows, columns = (np.arange(count) for count in grid)
    far_y, far_x = (np.abs(line[:, None] - line) > window for line in (rows, columns))
    cells = grid[0] * grid[1]
    made: NDArray[np.bool_] = far_y[:, None, :, None] | far_x[None, :, None, :]
    return made.reshape(cells, cells)


def cosine_distance(test: Float32, ref: Float32) -> Float32:
    """1 - cosine along the last axis: (..., D), (..., D) -> (...) float32 in 0..2."""
    tests, refs = (
        patch_match_kernels.unit(np.ascontiguousarray(each).reshape(-1, each.shape[-1]))
        for each in (test, ref)
    )
    made = patch_match_kernels.apart(tests, refs, np.arange(len(tests)))
    return made.reshape(test.shape[:-1])


def match(test: Features, ref: Features, window: int | None = None) -> Matches[NDArray[Any]]:
    """Best matches between the patches of N frame pairs.

    Vectors are divided by their lengths even where an embedder's have unit length: theirs is 1 up
    to rounding only, and all embedders shall be compared alike.

    Args:
        test: patches (N, h, w, D).
        ref: patches of the same shape.
        window: most columns and rows between a patch and its match; None for no limit.

    Raises:
        ValueError: the shapes differ.
    """
    grid = common_grid(test, ref)
    tests, refs = _units(test), _units(ref)
    forward, backward = _best(tests, refs, grid, far(grid, window))
    own = np.arange(tests.shape[1])
    return Matches(
        grid,
        tests,
        refs,
        forward,
        _apart(tests, refs, forward),
        backward,
        _apart(refs, tests, backward),
        np.take_along_axis(backward, forward, axis=1) == own,
        np.take_along_axis(forward, backward, axis=1) == own,
    )


def motion(matches: Matches[NDArray[Any]]) -> tuple[Int64, Float32]:
    """Displacement of each test patch to its best match, by the embedding alone.

    The match gives whole patches. The fraction comes from four neighbours: along x, moving the
    reference patch one step, or the test patch one step the other way, compares the same two
    places. So with ``s(i, j)`` the cosine of test patch i and reference patch j, ``after = s(i,
    j+1) + s(i-1, j)`` and ``before = s(i, j-1) + s(i+1, j)``. Their difference is exactly zero for
    equal frames, whatever the texture; that of ``s(i, j+1)`` and ``s(i, j-1)`` is not. The peak is
    where two lines of equal and opposite slope meet (equiangular fit), which suits the pointed peak
    of descriptors sampled once per patch better than a parabola.

    Returns:
        The match of each patch, (N, 2, h, w) int64, and the same with the fraction, float32: (dx,
        dy) in patches. The fraction is at most half a patch, and 0 where a neighbour is missing.
    """
    (h, w), forward = matches.grid, matches.forward
    shape = (len(forward), 2, h, w)
    whole = np.stack([forward % w, forward // w], axis=1).reshape(shape) - np.indices((h, w))[::-1]
    pairs = zip(matches.tests, matches.refs, forward, matches.forward_distance, strict=True)
    fractions = [patch_match_kernels.fractions(*pair, w) for pair in pairs]
    return whole, (whole + np.array(fractions).reshape(shape)).astype(np.float32)


def _units(features: Features) -> Float32:
    """(N, P, D + 1) unit vectors of the patches of N frames."""
    n, h, w, d = features.patches.shape
    patches = np.ascontiguousarray(to_numpy(features.patches))
    return patch_match_kernels.unit(patches.reshape(-1, d)).reshape(n, h * w, d + 1)


def _apart(tests: Float32, refs: Float32, partners: Int64) -> Float32:
    """(N, P) 1 - cosine of each test patch to its partner."""
    rows = [patch_match_kernels.apart(*each) for each in zip(tests, refs, partners, strict=True)]
    return np.array(rows, np.float32).reshape(partners.shape)


def _best(
    tests: Float32, refs: Float32, grid: tuple[int, int], far: NDArray[np.bool_] | None
) -> tuple[Int64, Int64]:
    """The best match of each patch of N pairs, both ways: two (N, P)."""
    cells = grid[0] * grid[1]
    forward, backward = np.tile(np.arange(cells), (2, len(tests), 1))
    similarity = np.empty((cells, cells), np.float32)
    with one_blas_thread():
        for row in range(len(tests)):
            # Patches of equal frames are at home in their own places, at distance 0.
            if not np.array_equal(tests[row], refs[row]):
                floors = _compare(tests[row], refs[row], far, similarity)
                forward[row], backward[row] = patch_match_kernels.nearest(
                    similarity, *floors, grid[1]
                )
    return forward, backward


def _compare(
    test: Float32, ref: Float32, far: NDArray[np.bool_] | None, similarity: Float32
) -> tuple[Float32, Float32]:
    """Cosines of all patches (P, P), and the least in each row and each column that counts as its
    best, two (P,)."""
    blocks = -(-len(test) // SEARCHED_ROWS)
    by_row = np.empty(len(test), np.float32)
    by_column = np.empty((blocks, len(test)), np.float32)

    def products(start: int, stop: int) -> None:
        for block in range(start, stop):
            rows = slice(block * SEARCHED_ROWS, (block + 1) * SEARCHED_ROWS)
            part = np.matmul(test[rows], ref.T, out=similarity[rows])
            if far is not None:
                np.copyto(part, -np.inf, where=far[rows])
            part.max(axis=1, out=by_row[rows])
            part.max(axis=0, out=by_column[block])

    in_bands(products, blocks)
    tie = np.float32(TIE)
    return by_row - tie, by_column.max(axis=0) - tie
