"""The cells of maps and fields: one convention for their place in a frame.

Cell (i, j) covers the rows from ``top + i * cell_height`` on and the columns from ``left + j *
cell_width`` on, in pixels of the frame as scored. In whole pixels, every border is
rounded down. For a grid that reaches from border to border of L pixels, the whole borders of its n
cells are therefore exactly ``i * L // n``, which are also the pixels that the cells of pixel maps
are means of; so one description holds for maps of pixels and of patches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vfiscope.types.arrays import Float64, Int64

__all__ = ["Box", "CellGrid", "cell_edges", "place_words"]

ACROSS, DOWN = ("left", "", "right"), ("top", "", "bottom")

ROUNDING = 1e-6
"""Pixels by which a border may lie below a whole pixel and still be meant to lie on it: far above
the rounding of float64, far below the 1 / 16384 px between two borders."""


class Box(NamedTuple):
    """Half-open, in whole pixels of the frame as scored."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class CellGrid:
    """The h x w cells of a map or field in a frame. All lengths are in pixels as scored."""

    rows: int
    columns: int
    top: float
    left: float
    cell_height: float
    cell_width: float

    def __post_init__(self) -> None:
        lengths = (self.top, self.left, self.cell_height, self.cell_width)
        if not all(map(math.isfinite, lengths)) or min(*lengths[2:], self.rows, self.columns) <= 0:
            raise ValueError(f"cells must have a size and a place: {self}")

    @classmethod
    def over(cls, size: tuple[int, int], shape: tuple[int, int]) -> CellGrid:
        """The grid that covers a frame up to its borders.

        Args:
            size: (height, width) of the frame in pixels.
            shape: (h, w) of the map.
        """
        (height, width), (rows, columns) = size, shape
        return cls(rows, columns, 0.0, 0.0, height / rows, width / columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w)."""
        return self.rows, self.columns

    @property
    def edges(self) -> tuple[Int64, Int64]:
        """The borders in whole pixels, (h + 1,) of the rows and (w + 1,) of the columns."""
        sides = (
            (self.top, self.cell_height, self.rows),
            (self.left, self.cell_width, self.columns),
        )
        rows, columns = (
            np.floor(start + np.arange(count + 1) * step + ROUNDING).astype(np.int64)
            for start, step, count in sides
        )
        return rows, columns

    @property
    def centres(self) -> tuple[Float64, Float64]:
        """The middles of the cells, (h,) down and (w,) across, pixel centres at whole numbers."""
        down, across = (np.arange(count, dtype=np.float64) + 0.5 for count in self.shape)
        return self.top + down * self.cell_height - 0.5, self.left + across * self.cell_width - 0.5

    def box(self, i: int, j: int) -> Box:
        """The pixels of cell (i, j); boxes of neighbours touch and never overlap.

        Where cells are smaller than pixels, a pixel belongs to the last cell that begins at or
        before it, and the others have a width or height of 0.

        Raises:
            IndexError: the cell does not exist; negative numbers do not count from the end.
        """
        if not (0 <= i < self.rows and 0 <= j < self.columns):
            raise IndexError(f"there is no cell ({i}, {j}) among {self.rows} x {self.columns}")
        return self.around(slice(i, i + 1), slice(j, j + 1))

    def around(self, rows: slice, columns: slice) -> Box:
        """The pixels of the block of cells from ``start`` to ``stop``."""
        down, across = self.edges
        y, x = int(down[rows.start]), int(across[columns.start])
        return Box(x, y, int(across[columns.stop]) - x, int(down[rows.stop]) - y)


def cell_edges(length: int, cells: int) -> Int64:
    """The borders of ``cells`` cells along a side of ``length`` pixels, in whole pixels, (cells +
    1,): those of :attr:`CellGrid.edges` of a grid that covers the side."""
    return np.arange(cells + 1, dtype=np.int64) * length // cells


def place_words(x: float, y: float, size: tuple[int, int]) -> str:
    """In which ninth of a frame of size (height, width) a point lies: "at the top right", "in the
    middle"."""
    column = min(2, int(3 * x / max(1, size[1])))
    row = min(2, int(3 * y / max(1, size[0])))
    words = " ".join(word for word in (DOWN[row], ACROSS[column]) if word)
    return f"at the {words}" if words else "in the middle"
