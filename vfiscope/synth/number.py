"""Frame numbers written into the pixels, to be read back from what a codec left of them.

Layout
    Two rows of twelve cells in the upper left corner, each 1/32 of the frame's width and 1/18 of
    its height, black or white. The first column is white over black and the last black over white
    (which finds the code and gives the threshold); between them stand, row by row, the 16 bits of
    the number from the highest and its 4-bit CRC (x^4 + x + 1). Below, the number in digits. As
    every length is a fraction of the frame's, the code survives a change of size.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError, UsageError
from vfiscope.types import Uint8

__all__ = ["read_stamp", "stamp"]


CODE_COLUMNS, CODE_ROWS = 12, 2
FRAME_CELLS_ACROSS, FRAME_CELLS_DOWN = 32, 18
BITS, CHECK = 16, 4
MIN_CODE_CELL_PX = 4
"""Shortest side of a cell in pixels that still survives strong compression."""
MIN_FINDER_CONTRAST = 48.0
"""Least difference between the white and the black of the finder, code values."""
CERTAIN = 0.15
"""Least distance of a cell from the threshold, as a part of that difference."""


def stamp(frame: Uint8, number: int) -> Uint8:
    """A copy of a frame with a number drawn into it as a code and as digits.

    Args:
        frame: (H, W, 3) uint8 RGB of at least 72 x 128 pixels.
        number: 0..65535.

    Raises:
        UsageError: the number or the frame does not fit.
    """
    if not 0 <= number < 2**BITS:
        raise UsageError(f"number is {number}: pass one from 0 to {2**BITS - 1}")
    height, width = _size(frame)
    if (
        height < MIN_CODE_CELL_PX * FRAME_CELLS_DOWN
        or width < MIN_CODE_CELL_PX * FRAME_CELLS_ACROSS
    ):
        raise UsageError(
            f"frame is {height} x {width}: a number needs at least"
            f" {MIN_CODE_CELL_PX * FRAME_CELLS_DOWN} x {MIN_CODE_CELL_PX * FRAME_CELLS_ACROSS}"
            " pixels"
        )
    out = frame.copy()
    cells = _cells(int(number))
    ys, xs = (
        _edges(height, FRAME_CELLS_DOWN, CODE_ROWS),
        _edges(width, FRAME_CELLS_ACROSS, CODE_COLUMNS),
    )
    for row, (top, bottom) in enumerate(pairwise(ys)):
        for column, (left, right) in enumerate(pairwise(xs)):
            out[round(top) : round(bottom), round(left) : round(right)] = (
                255 if cells[row, column] else 0
            )
    _digits(out, str(int(number)), top=round(ys[-1]), height=round(1.5 * height / FRAME_CELLS_DOWN))
    return out


def read_stamp(frame: Uint8) -> int:
    """The number that :func:`stamp` drew, 0..65535.

    Args:
        frame: (H, W, 3) uint8 RGB, of any size.

    Raises:
        SourceError: there is no code, or it is too damaged to be sure.
    """
    height, width = _size(frame)
    if height < FRAME_CELLS_DOWN or width < FRAME_CELLS_ACROSS:
        raise SourceError(
            f"frame {height} x {width} is too small for a number: its cells have no pixel of"
            " their own"
        )
    corner = frame[
        : height * CODE_ROWS // FRAME_CELLS_DOWN + 1,
        : width * CODE_COLUMNS // FRAME_CELLS_ACROSS + 1,
    ]
    luma = corner.astype(np.float64).mean(axis=2)
    level = np.empty((CODE_ROWS, CODE_COLUMNS))
    for row, (top, bottom) in enumerate(pairwise(_edges(height, FRAME_CELLS_DOWN, CODE_ROWS))):
        for column, (left, right) in enumerate(
            pairwise(_edges(width, FRAME_CELLS_ACROSS, CODE_COLUMNS))
        ):
            level[row, column] = _core(luma, top, bottom, left, right)
    white = (level[0, 0] + level[1, -1]) / 2.0
    black = (level[1, 0] + level[0, -1]) / 2.0
    if white - black < MIN_FINDER_CONTRAST:
        raise SourceError(
            f"frame {height} x {width} carries no number: its corner has a contrast of"
            f" {white - black:.0f}, below {MIN_FINDER_CONTRAST:.0f}; stamp it first"
        )
    signed = (level - (white + black) / 2.0) / (white - black)
    bits = (signed > 0.0).astype(int)
    number = _number(bits)
    if np.min(np.abs(signed)) < CERTAIN or not np.array_equal(bits, _cells(number)):
        raise SourceError(
            f"frame {height} x {width} has an unreadable number: its check fails; compress it less"
        )
    return number


def _size(frame: Uint8) -> tuple[int, int]:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise UsageError(f"frame is {frame.shape} {frame.dtype}: pass (H, W, 3) uint8")
    return int(frame.shape[0]), int(frame.shape[1])


def _edges(size: int, parts: int, count: int) -> list[float]:
    return [size * i / parts for i in range(count + 1)]


def _core(luma: NDArray[np.float64], top: float, bottom: float, left: float, right: float) -> float:
    """Mean of the middle half of a cell, at least one pixel."""
    y, x = (top + bottom) / 2.0, (left + right) / 2.0
    dy, dx = (bottom - top) / 4.0, (right - left) / 4.0
    rows = slice(int(y - dy), max(int(y - dy) + 1, round(y + dy)))
    columns = slice(int(x - dx), max(int(x - dx) + 1, round(x + dx)))
    return float(luma[rows, columns].mean())


def _cells(number: int) -> NDArray[np.int64]:
    """(2, 12) of 0 and 1: the finder around the number and its check."""
    word = number << CHECK | _crc(number)
    bits = np.array(
        [word >> shift & 1 for shift in reversed(range(BITS + CHECK))], np.int64
    ).reshape(CODE_ROWS, -1)
    return np.concatenate([[[1], [0]], bits, [[0], [1]]], axis=1)


def _number(cells: NDArray[np.int64]) -> int:
    word = int("".join(str(bit) for bit in cells[:, 1:-1].ravel()), 2)
    return word >> CHECK


def _crc(number: int) -> int:
    """Remainder of ``number * x^4`` by x^4 + x + 1 over GF(2)."""
    rest = number << CHECK
    for shift in reversed(range(BITS)):
        if rest >> (shift + CHECK) & 1:
            rest ^= 0b10011 << shift
    return rest


def _digits(frame: Uint8, text: str, *, top: int, height: int) -> None:
    """White digits on a black plate at the left border, in place."""
    face, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, height // 12)
    scale = cv2.getFontScaleFromHeight(face, max(4, int(0.6 * height)), thickness)
    width = cv2.getTextSize(text, face, scale, thickness)[0][0]
    frame[top : top + height, : width + height // 2] = 0
    cv2.putText(
        frame,
        text,
        (height // 4, top + int(0.8 * height)),
        face,
        scale,
        (255, 255, 255),
        thickness,
        cv2.LINE_AA,
    )
