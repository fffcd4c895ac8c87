"""Maps over frames: their scale, exact pixels, and where they are strongest."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.errors import UsageError
from vfiscope.metrics import MAPS
from vfiscope.types import Box, CellGrid, MetricSpec
from vfiscope.views.heat import (
    OVER_COLOURS,
    Layer,
    Scale,
    extent_of,
    grey,
    overlay_map,
    scale_of,
    stretched,
    strongest_box,
    window,
)

NAN = float("nan")
MISMATCH, SSIM = MAPS["mismatch"].spec, MAPS["ssim"].spec


def to(spec: MetricSpec, top: float = 1.0) -> Scale:
    """A scale that ends at a departure."""
    return scale_of([], spec, top)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def values(
    *cells: tuple[int, int], low: float = 0.0, high: float = 0.5, shape: tuple[int, int] = (6, 8)
) -> np.ndarray:
    """A map that is low but for some (row, column)."""
    made = np.full(shape, low, np.float32)
    for cell in cells:
        made[cell] = high
    return made


def layer(values: np.ndarray, size: tuple[int, int] = (48, 64)) -> Layer:
    """A map from border to border of a frame."""
    return Layer(values, CellGrid.over(size, values.shape))


def test_a_scale_ends_where_nearly_all_cells_lie_and_never_below_the_floor() -> None:
    ramp = np.linspace(0, 1, 1001, dtype=np.float32).reshape(7, 143)
    scale = scale_of([ramp, ramp], MISMATCH, "auto")
    assert scale.top == pytest.approx(0.995, abs=1e-3)
    assert scale.ends == (0.0, scale.top)
    assert "99.5 %" in scale.words
    quiet = scale_of([ramp * 1e-3, np.full((2, 2), NAN, np.float32)], MISMATCH, "auto")
    assert (quiet.top, quiet.words) == (MISMATCH.floor, "ends at 0.01: less is not worth flagging")
    assert scale_of([], MISMATCH, "auto").top == MISMATCH.floor


def test_a_scale_of_what_is_better_higher_runs_down_from_perfect() -> None:
    scale = scale_of(
        [1 - np.linspace(0, 0.4, 1001, dtype=np.float32).reshape(7, 143)], SSIM, "auto"
    )
    assert scale.ends == pytest.approx((1.0, 1 - 0.398), abs=1e-4)
    np.testing.assert_allclose(
        scale.strength(np.array([1.0, 0.801, 0.0, NAN], np.float32)), [0, 0.5, 1, 0], atol=1e-3
    )


def test_a_scale_may_be_the_whole_range_or_a_number() -> None:
    assert scale_of([values()], MISMATCH, "absolute").ends == (0.0, 2.0)
    assert scale_of([values()], SSIM, "absolute").ends == (1.0, -1.0)
    assert scale_of([values()], MISMATCH, "0.25").ends == (0.0, 0.25)
    assert scale_of([values()], SSIM, 0.25).ends == (1.0, 0.75)


def test_a_scale_needs_an_end() -> None:
    endless = MetricSpec("far", "px", 0, float("inf"), True, 0, 0.0, "")
    with pytest.raises(UsageError, match="the range of far has no end: pass a number"):
        scale_of([values()], endless, "absolute")
    assert scale_of([values()], endless, "auto").top == 1.0
    assert scale_of([values((0, 0))], endless, 4).top == 4


@pytest.mark.parametrize("how", ["wide", "0", "-1", "nan", "inf", 0])
def test_a_scale_that_is_none_is_refused(how: str | float) -> None:
    with pytest.raises(UsageError, match="pass auto, absolute, or a number above 0"):
        scale_of([values()], MISMATCH, how)


def test_a_perfect_map_leaves_every_pixel_as_it_was() -> None:
    scale = scale_of([values()], MISMATCH, "auto")
    for frame in (picture(), grey(picture())):
        assert np.array_equal(overlay_map(frame, layer(values()), scale), frame)
        assert np.array_equal(
            overlay_map(frame, layer(np.full((6, 8), NAN, np.float32)), scale, OVER_COLOURS), frame
        )
    shades = grey(picture())
    assert (np.ptp(shades.astype(int), axis=2) == 0).all()
    assert (
        grey(np.zeros((1, 1, 3), np.uint8)).max(),
        grey(np.full((1, 1, 3), 255, np.uint8)).max(),
    ) == (20, 128)


def test_a_map_colours_its_own_cells_alone_and_worse_is_lighter() -> None:
    scale = scale_of([], MISMATCH, "1")
    black = np.zeros((48, 64, 3), np.uint8)
    cells = values((1, 2), high=0.5) + values((3, 4), high=1.0)
    shown = overlay_map(black, layer(cells), scale).astype(int).sum(axis=2)
    assert set(np.argwhere(shown).T[0]) == {*range(8, 16), *range(24, 32)}
    assert set(np.argwhere(shown).T[1]) == {*range(16, 24), *range(32, 40)}
    assert shown[8:16, 16:24].std() == shown[24:32, 32:40].std() == 0
    assert shown[24, 32] > shown[8, 16] > 0


@pytest.mark.parametrize("size", [(48, 64), (50, 67), (6, 8)])
def test_cells_lie_edge_to_edge_as_those_of_pixel_maps(size: tuple[int, int]) -> None:
    cells = np.arange(48).reshape(6, 8)
    spread = stretched(cells, CellGrid.over(size, (6, 8)), size)
    assert spread.shape == size
    for (row, column), cell in np.ndenumerate(cells):
        mine = np.argwhere(spread == cell)
        assert tuple(mine.min(axis=0)) == (row * size[0] // 6, column * size[1] // 8)
        assert tuple(mine.max(axis=0) + 1) == (
            (row + 1) * size[0] // 6,
            (column + 1) * size[1] // 8,
        )


def test_outside_of_its_cells_a_map_changes_no_pixel_and_its_box_is_where_they_lie() -> None:
    """2 x 2 cells of 10 x 20 pixels from row 6, column 8 on, in a frame of 48 x 64."""
    cells = CellGrid(2, 2, 6.0, 8.0, 10.0, 20.0)
    made = Layer(np.array([[0.0, 0.5], [0.0, 0.0]], np.float32), cells)
    spread = stretched(np.ones((2, 2)), cells, (48, 64))
    assert spread.sum() == spread[6:26, 8:48].sum() == 20 * 40
    assert strongest_box(made, to(MISMATCH)) == Box(28, 6, 20, 10)
    black = np.zeros((48, 64, 3), np.uint8)
    changed = overlay_map(black, made, scale_of([], MISMATCH, "1")).any(axis=2)
    assert changed[6:16, 28:48].all()
    assert changed.sum() == 10 * 20


def test_the_box_is_around_the_area_that_holds_most() -> None:
    weak = values((0, 0), high=0.9) + values((3, 4), (3, 5), (4, 6), high=0.6)
    assert strongest_box(layer(weak), to(MISMATCH)) == Box(
        32, 24, 24, 16
    )  # cells that touch at a corner belong together
    assert strongest_box(layer(weak + values((2, 1), high=0.3)), to(MISMATCH)) == Box(
        32, 24, 24, 16
    )
    assert strongest_box(layer(1 - weak), to(SSIM)) == Box(32, 24, 24, 16)


def test_what_a_box_does_not_say_is_said_in_words() -> None:
    assert extent_of(values((1, 1), high=0.005), to(MISMATCH)) == "nothing to point at"
    assert extent_of(values((1, 1), high=0.5), to(MISMATCH)) == ""
    half = np.zeros((6, 8), np.float32)
    half[:3] = 0.5
    assert extent_of(half, to(MISMATCH)) == "all over the frame"
    half[2, 7] = 0.24
    assert extent_of(half, to(MISMATCH)) == ""
    assert extent_of(1 - half, to(SSIM)) == ""


def test_nothing_is_pointed_at_where_nothing_is_worth_flagging() -> None:
    small = to(MISMATCH, 0.01)  # its floor
    assert strongest_box(layer(values((1, 1), high=0.009)), small) is None
    assert strongest_box(layer(np.full((6, 8), NAN, np.float32)), small) is None
    assert strongest_box(layer(values((1, 1), high=0.0101)), small) == Box(8, 8, 8, 8)
    # what is dark on the scale of the sheet
    faint = values((1, 1), high=0.05)
    assert strongest_box(layer(faint), to(MISMATCH, 0.6)) is None
    assert extent_of(faint, to(MISMATCH, 0.6)) == "nothing to point at"
    assert strongest_box(layer(faint), to(MISMATCH, 0.4)) == Box(8, 8, 8, 8)


def test_no_box_is_around_what_is_all_over_the_frame() -> None:
    half = np.zeros((6, 8), np.float32)
    half[:3] = 0.5
    assert extent_of(half, to(MISMATCH)) == "all over the frame"
    assert strongest_box(layer(half), to(MISMATCH)) is None


@pytest.mark.parametrize(
    ("box", "part"),
    [
        (Box(96, 40, 8, 8), Box(80, 34, 40, 20)),  # a fifth at least
        (Box(0, 0, 8, 8), Box(0, 0, 40, 20)),
        (Box(190, 95, 10, 5), Box(160, 80, 40, 20)),
        (Box(20, 0, 60, 30), Box(11, 0, 78, 39)),
    ],
)
def test_the_enlarged_part_is_around_the_box_and_inside_the_frame(box: Box, part: Box) -> None:
    assert window(box, layer(values(shape=(10, 20)), (100, 200)), MISMATCH, (100, 200)) == part


def test_of_a_large_box_the_strongest_half_is_enlarged() -> None:
    """A fifth at one side is twice as strong as the rest: the window takes all of it and ends at
    the border."""
    cells = np.full((10, 20), 0.5, np.float32)
    cells[:, 16:] = 1.0
    part = window(Box(0, 0, 200, 100), layer(cells, (100, 200)), MISMATCH, (100, 200))
    assert (part.w, part.h) == (100, 50)
    assert part.x == 100
    assert (
        window(Box(0, 0, 200, 100), layer(cells[:, ::-1], (100, 200)), MISMATCH, (100, 200)).x == 0
    )


def test_the_map_that_is_computed_here_is_the_stored_one() -> None:
    from vfiscope.inspection.show import ABSDIFF

    stored = MAPS["absdiff"].spec
    for key in ("name", "unit", "low", "high", "lower_is_better", "identity", "floor"):
        assert getattr(ABSDIFF, key) == getattr(stored, key)
    assert isinstance(stored, MetricSpec)
