"""Matching of patches (:mod:`vfiscope.metrics.patch_matching`): loops compiled by numba.

Conventions:
    Patches are numbered in reading order. Sums are taken in parts of :data:`SUMMED`, in an
    order that is the same on every run; those of equal vectors are equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.jit import REORDERED, compiled, in_bands
from vfiscope.types import Float32, Int64

__all__ = ["SEARCHED_ROWS", "apart", "fractions", "nearest", "unit"]

SUMMED = 4096
"""Most numbers that are added in float32."""
SEARCHED_ROWS = 128
"""Rows of similarities that are searched together: 700 kB for 1400 patches, which fit a cache."""
GLANCE = 64
"""Similarities that are first looked at together; a constant, because the compiler only vectorises
loops of constant length that end in a test."""
DAMPING = np.float32(1e-3)
"""Sub-patch motion fades out where a step of one patch changes the cosine by less than about this,
for lack of detail."""


@compiled(REORDERED, inner=True)
def _product(one: Float32, other: Float32) -> Any:
    """Scalar product of two vectors, float64."""
    total = np.float64(0)
    for first in range(0, len(one), SUMMED):
        part = np.float32(0)
        for i in range(first, min(len(one), first + SUMMED)):
            part += one[i] * other[i]
        total += part
    return total


@compiled(REORDERED, inner=True)
def _half_square(one: Float32, other: Float32) -> Any:
    """Half the squared distance of two vectors."""
    total = np.float64(0)
    for first in range(0, len(one), SUMMED):
        part = np.float32(0)
        for i in range(first, min(len(one), first + SUMMED)):
            part += (one[i] - other[i]) * (one[i] - other[i])
        total += part
    return np.float32(total / 2)


def unit(vectors: Float32) -> Float32:
    """(N, D) -> (N, D + 1): unit vectors; a zero vector becomes the last axis, orthogonal to all
    others."""
    made = np.empty((len(vectors), vectors.shape[1] + 1), np.float32)
    in_bands(_unit, len(made), vectors, made)
    return made


@compiled()
def _unit(start: int, stop: int, vectors: Float32, made: Float32) -> None:
    last = vectors.shape[1]
    for row in range(start, stop):
        vector, out = vectors[row], made[row]
        length = np.float32(np.sqrt(_product(vector, vector)))
        out[last] = 1 if length == 0 else 0
        length += out[last]
        for i in range(last):
            out[i] = vector[i] / length


def apart(test: Float32, ref: Float32, partner: Int64) -> Float32:
    """Half the squared distance of each vector (N, E) to its partner in ``ref``, (N,)."""
    made = np.empty(len(test), np.float32)
    in_bands(_apart, len(made), test, ref, partner, made)
    return made


@compiled()
def _apart(
    start: int, stop: int, test: Float32, ref: Float32, partner: Int64, made: Float32
) -> None:
    for row in range(start, stop):
        made[row] = _half_square(test[row], ref[partner[row]])


def nearest(
    similarity: Float32, row_floor: Float32, column_floor: Float32, columns: int
) -> tuple[Int64, Int64]:
    """For each row, of the similarities at or above its floor, the one nearest to the row's own
    patch; likewise for each column.

    Args:
        similarity: (P, P) of test and reference patches.
        row_floor: (P,) least similarity in each row that counts as its best.
        column_floor: (P,) the same for each column.
        columns: patches in a row of the frame.

    Returns:
        For each row its column and for each column its row, two (P,); the first of equally near
        ones.
    """
    n = len(similarity)
    blocks = -(-n // SEARCHED_ROWS)
    forward, found = np.arange(n), np.zeros((blocks, n), np.int64)
    away = np.full((blocks, n), n * n)
    # Nothing is nearer than a patch's own place.
    own = similarity.diagonal()
    floors = [
        np.where(own >= floor, np.float32(np.inf), floor) for floor in (row_floor, column_floor)
    ]
    in_bands(_nearest, blocks, similarity, *floors, columns, forward, found, away)
    backward = found[away.argmin(axis=0), np.arange(n)]
    return forward, np.where(own >= column_floor, np.arange(n), backward)


@compiled(inner=True)
def _away(one: int, other: int, columns: int) -> int:
    """Squared distance of the places of two patches."""
    down, across = one // columns - other // columns, one % columns - other % columns
    return down * down + across * across


@compiled(inner=True)
def _any_above(line: Float32, row_floor: Any, column_floor: Float32, first: int) -> Any:
    """True where one of :data:`GLANCE` similarities reaches a floor; also where fewer are left."""
    if first + GLANCE > len(line):
        return True
    some, floors, above = line[first:], column_floor[first:], np.int32(0)
    for i in range(GLANCE):
        above |= np.int32(some[i] >= min(row_floor, floors[i]))
    return above != 0


@compiled()
def _nearest(
    start: int,
    stop: int,
    similarity: Float32,
    row_floor: Float32,
    column_floor: Float32,
    columns: int,
    forward: Int64,
    found: Int64,
    away: Int64,
) -> None:
    """``found`` and ``away``: for each block of rows and each column the nearest row, and how far
    that is."""
    n = len(similarity)
    for row in range(start * SEARCHED_ROWS, min(n, stop * SEARCHED_ROWS)):
        line, floor, least, block = similarity[row], row_floor[row], n * n, row // SEARCHED_ROWS
        for first in range(0, n, GLANCE):
            if not _any_above(line, floor, column_floor, first):
                continue
            for column in range(first, min(n, first + GLANCE)):
                if line[column] < min(floor, column_floor[column]):
                    continue
                far = _away(row, column, columns)
                if line[column] >= floor and far < least:
                    least, forward[row] = far, column
                if line[column] >= column_floor[column] and far < away[block, column]:
                    away[block, column], found[block, column] = far, row


def fractions(
    test: Float32, ref: Float32, partner: Int64, distance: Float32, columns: int
) -> Float32:
    """Distance in patches from the match of each patch to its true place, by neighbouring patches;
    :func:`vfiscope.metrics.patch_matching.motion` tells how.

    Args:
        test: (P, E) unit vectors.
        ref: (P, E) likewise.
        partner: (P,) the match of each patch of the test.
        distance: (P,) half the squared distance to it.
        columns: patches in a row of the frame.

    Returns:
        (2, P) along x and along y, -0.5..0.5.
    """
    made = np.zeros((2, len(test)), np.float32)
    in_bands(_fractions, len(test), test, ref, partner, distance, columns, made)
    return made


@compiled()
def _fractions(
    start: int,
    stop: int,
    test: Float32,
    ref: Float32,
    partner: Int64,
    distance: Float32,
    columns: int,
    made: Float32,
) -> None:
    for here in range(start, stop):
        there = partner[here]
        for axis in range(2):
            step, places = (1, columns) if axis == 0 else (columns, len(test) // columns)
            # Both patches must have both neighbours.
            if 0 < here // step % places < places - 1 and 0 < there // step % places < places - 1:
                made[axis, here] = _fraction(test, ref, here, there, step, distance[here])


@compiled(REORDERED, inner=True)
def _to_neighbours(test: Float32, ref: Float32, here: int, there: int, step: int) -> Any:
    """Squared distances of a patch from the neighbours of its match, before and behind it, and of
    the match from those of the patch, behind and before it."""
    own, before, behind = test[here], test[here - step], test[here + step]
    match, match_before, match_behind = ref[there], ref[there - step], ref[there + step]
    one, two, three, four = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for i in range(len(own)):
        one += (own[i] - match_before[i]) * (own[i] - match_before[i])
        two += (own[i] - match_behind[i]) * (own[i] - match_behind[i])
        three += (behind[i] - match[i]) * (behind[i] - match[i])
        four += (before[i] - match[i]) * (before[i] - match[i])
    return one, two, three, four


@compiled(inner=True)
def _fraction(test: Float32, ref: Float32, here: int, there: int, step: int, least: Any) -> Any:
    """The fraction along the axis on which neighbours are ``step`` patches apart.

    Compiled apart from the sums: in another order ``before`` and ``after`` of equal frames would
    not be equal.
    """
    one, two, three, four = _to_neighbours(test, ref, here, there, step)
    half = np.float32(0.5)
    before, after = (one + three) * half * half, (two + four) * half * half
    rise = max(before, after) - least
    if rise > 0:
        return min(max(half * (before - after) / (rise + DAMPING), -half), half)
    return np.float32(0)
