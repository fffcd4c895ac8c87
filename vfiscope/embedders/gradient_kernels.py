"""Dense SIFT (:mod:`vfiscope.embedders.dsift`) on the CPU: loops compiled by numba, on plain
arrays.

Operations are rounded one by one, in the order of the tensor functions for other devices: both
return the same bits.
"""

from __future__ import annotations

import numpy as np

from vfiscope.jit import compiled, in_bands
from vfiscope.types import Float32

__all__ = ["pool", "votes"]


ZERO, ONE = np.float32(0), np.float32(1)
DIAGONAL = np.float32(0.5**0.5)
TINY = np.float32(1e-12)


@compiled(inner=True)
def _axes(gx: Float32, gy: Float32, magnitudes: Float32, along: Float32) -> None:
    """Cosines (4, W) of the gradients of a row with four axes."""
    for x in range(len(gx)):
        scale = ONE / (magnitudes[x] + TINY)
        cos, sin = gx[x] * scale, gy[x] * scale
        along[0, x], along[1, x], along[2, x], along[3, x] = (
            cos,
            (cos + sin) * DIAGONAL,
            sin,
            (sin - cos) * DIAGONAL,
        )


@compiled(inner=True)
def _share_out(along: Float32, magnitudes: Float32, there: Float32, back: Float32) -> None:
    """Votes for the two directions of an axis: cos^9 times the magnitude, for the direction of the
    sign."""
    for x in range(len(along)):
        power = along[x] * along[x]
        power = power * power
        power = power * power
        vote = power * along[x] * magnitudes[x]
        there[x], back[x] = max(vote, ZERO), max(-vote, ZERO)


def votes(gx: Float32, gy: Float32, magnitude: Float32) -> Float32:
    """(9, H, W): 8 directions and the magnitude, from gradients and their magnitude (H, W)."""
    made = np.empty((9, *magnitude.shape), np.float32)
    in_bands(_votes, len(magnitude), gx, gy, magnitude, made)
    return made


@compiled()
def _votes(
    start: int, stop: int, gx: Float32, gy: Float32, magnitude: Float32, made: Float32
) -> None:
    width = magnitude.shape[1]
    along = np.empty((4, width), np.float32)
    for y in range(start, stop):
        _axes(gx[y], gy[y], magnitude[y], along)
        for axis in range(4):
            _share_out(along[axis], magnitude[y], made[axis, y], made[axis + 4, y])
        for x in range(width):
            made[8, y, x] = magnitude[y, x]


@compiled(inner=True)
def _add(line: Float32, row: Float32, weight: float) -> None:
    for x in range(len(line)):
        line[x] += row[x] * weight


def pool(planes: Float32, rise: Float32, fall: Float32) -> Float32:
    """Sums under triangles two cells wide about the corners of the cells, (C, h + 1, w + 1).

    Args:
        planes: (C, h * patch, w * patch).
        rise: (patch,) weights in the cell before a corner.
        fall: (patch,) weights in the cell behind it.
    """
    n, h, w = planes.shape[0], planes.shape[1] // len(rise), planes.shape[2] // len(rise)
    made = np.zeros((n, h + 1, w + 1), np.float32)
    in_bands(_pool, n * (h + 1), planes, rise, fall, made)
    return made


@compiled()
def _pool(
    start: int, stop: int, planes: Float32, rise: Float32, fall: Float32, made: Float32
) -> None:
    patch, h, w = len(rise), made.shape[1] - 1, made.shape[2] - 1
    line = np.empty(w * patch, np.float32)
    for job in range(start, stop):
        plane, corner = planes[job // (h + 1)], job % (h + 1)
        corners = made[job // (h + 1), corner]
        for x in range(len(line)):
            line[x] = ZERO
        for step in range(patch):
            if corner > 0:
                _add(line, plane[(corner - 1) * patch + step], rise[step])
            if corner < h:
                _add(line, plane[corner * patch + step], fall[step])
        for step in range(patch):
            for cell in range(w):
                corners[cell + 1] += line[cell * patch + step] * rise[step]
            for cell in range(w):
                corners[cell] += line[cell * patch + step] * fall[step]
