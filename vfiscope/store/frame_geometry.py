"""The size of the frames as scored, and where the cells of maps and fields lie in them.

A result has the root attributes ``frame_height`` and ``frame_width``; every map and field has
``top``, ``left``, ``cell_height`` and ``cell_width``, see :mod:`vfiscope.types.cells`. Older
results have none of these: their frames have the size set by ``--resize``, and all their maps span
the whole frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vfiscope.store.members import attribute
from vfiscope.types import CellGrid

__all__ = ["read_cells", "read_size", "write_cells", "write_size"]

SLACK_PX = 1e-3
"""Pixels by which a rounded border may lie outside of the frame."""
CELL_ATTRIBUTES = ("top", "left", "cell_height", "cell_width")


def write_size(attrs: Any, size: tuple[int, int] | None) -> None:
    """Store the (height, width) of the frames as scored, where it is known."""
    if size is not None:
        attrs["frame_height"], attrs["frame_width"] = size


def read_size(
    attrs: Any, config: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]
) -> tuple[int, int] | None:
    """The (height, width) of the frames as scored; None where an older file does not store it.

    Raises:
        ValueError: no frame can have that size.
    """
    if "frame_height" in attrs:
        size = (int(attribute(attrs, "frame_height")), int(attribute(attrs, "frame_width")))
    else:
        # With --resize the test was resized to the second input; without it all sizes agree.
        own = sources[-1] if config.get("resize") is not None else sources[0]
        if "height" not in own or "width" not in own:
            return None
        size = (int(own["height"]), int(own["width"]))
    if min(size) < 1:
        raise ValueError(f"frames are {size[0]} pixels high and {size[1]} wide")
    return size


def write_cells(dataset: Any, cells: CellGrid) -> None:
    """Store the place and size of the cells of a map or field."""
    for name in CELL_ATTRIBUTES:
        dataset.attrs[name] = float(getattr(cells, name))


def read_cells(dataset: Any, size: tuple[int, int] | None) -> CellGrid | None:
    """The cells of a map or field; None where neither they nor the frame size are known.

    Raises:
        ValueError: cells cannot have that size or place.
    """
    rows, columns = (int(count) for count in dataset.shape[-2:])
    if "top" in dataset.attrs:
        lengths = [float(attribute(dataset.attrs, name)) for name in CELL_ATTRIBUTES]
        grid = CellGrid(rows, columns, *lengths)
        _check_inside(grid, size)
        return grid
    return None if size is None else CellGrid.over(size, (rows, columns))


def _check_inside(grid: CellGrid, size: tuple[int, int] | None) -> None:
    if size is None:
        raise ValueError("cells lie in a frame whose size is not stored")
    bottom = grid.top + grid.rows * grid.cell_height
    right = grid.left + grid.columns * grid.cell_width
    if min(grid.top, grid.left, size[0] - bottom, size[1] - right) < -SLACK_PX:
        raise ValueError(f"cells lie outside of the frame: {grid}")
