"""Where cells lie in a frame: exact pixels, for grids of pixel maps and of patches."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.embedders.embedder import grid_for
from vfiscope.types import Box, CellGrid, cell_edges


def test_hand_made_cells() -> None:
    """3 x 2 cells over 10 rows and 7 columns: borders at 0, 3.33, 6.67, 10 and 0, 3.5, 7."""
    cells = CellGrid.over((10, 7), (3, 2))
    assert (cells.top, cells.left, cells.cell_height, cells.cell_width) == (0, 0, 10 / 3, 3.5)
    assert [cells.box(i, j) for i in range(3) for j in range(2)] == [
        *(Box(0, 0, 3, 3), Box(3, 0, 4, 3)),
        *(Box(0, 3, 3, 3), Box(3, 3, 4, 3)),
        *(Box(0, 6, 3, 4), Box(3, 6, 4, 4)),
    ]
    assert cells.around(slice(1, 3), slice(0, 2)) == Box(0, 3, 7, 7)
    down, across = cells.centres
    np.testing.assert_allclose(down, [10 / 6 - 0.5, 5 - 0.5, 50 / 6 - 0.5])
    np.testing.assert_allclose(across, [1.25, 4.75])


def test_cells_may_begin_anywhere() -> None:
    cells = CellGrid(2, 3, 4.0, 2.5, 8.0, 2.5)
    assert cells.box(1, 0) == Box(2, 12, 3, 8)
    assert cells.box(1, 2) == Box(7, 12, 3, 8)


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (2, 0), (0, 3)])
def test_there_is_no_cell_outside(place: tuple[int, int]) -> None:
    with pytest.raises(IndexError, match=r"there is no cell \(.*\) among 2 x 3"):
        CellGrid.over((10, 10), (2, 3)).box(*place)


@pytest.mark.parametrize(
    "lengths", [(0, 0, 0, 1), (0, 0, 1, -1), (0, float("nan"), 1, 1), (float("inf"), 0, 1, 1)]
)
def test_cells_without_size_or_place_are_refused(lengths: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="cells must have a size and a place"):
        CellGrid(2, 3, *lengths)


@pytest.mark.slow
def test_whole_borders_are_those_of_integers_for_every_side_and_number_of_cells() -> None:
    """i * L // n, though i * (L / n) may come out a rounding below a whole number."""
    rng = np.random.default_rng(3)
    sides = [(length, cells) for length in range(1, 130) for cells in range(1, length + 1)]
    large = rng.integers(1, 16385, (2000, 2))
    sides += [(int(length), int(cells)) for length, cells in large]
    for length, cells in sides:
        grid = CellGrid.over((length, length), (cells, 1))
        exact = np.array([i * length // cells for i in range(cells + 1)])
        assert np.array_equal(grid.edges[0], exact), (length, cells)
        assert np.array_equal(cell_edges(length, cells), exact)


def test_boxes_tile_the_frame_exactly() -> None:
    """Every pixel lies in one box and no other, of patches and pixel maps, larger and smaller than
    pixels."""
    rng = np.random.default_rng(4)
    for _ in range(60):
        size = (int(rng.integers(1, 90)), int(rng.integers(1, 90)))
        shapes = [(max(1, size[0] // 16), max(1, size[1] // 16)), grid_for(*size, 56, 14)]
        for shape in shapes:
            cells, covered = CellGrid.over(size, shape), np.zeros(size, int)
            for i, j in np.ndindex(shape):
                x, y, w, h = cells.box(i, j)
                covered[y : y + h, x : x + w] += 1
            assert (covered == 1).all(), (size, shape)
