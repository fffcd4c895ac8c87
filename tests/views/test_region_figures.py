"""Figures of regions: what stands where, and what identical frames look like."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from vfiscope.errors import OutputExistsError, UsageError
from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.types import Region
from vfiscope.views.box_labels import Rect, places_for
from vfiscope.views.region_figures import REGION_FIGURES, draw_regions
from vfiscope.views.region_panels import (
    kind_counts,
    map_colours,
    mask_picture,
    overlay_picture,
    shown_map,
    shrunk,
    top_of,
)

INFERNO_AT_HALF = np.array([188, 55, 84])
"""Of matplotlib, at 64 of 128."""


def found_in(difference: int, size: tuple[int, int] = (60, 80)) -> Found:
    """A square of 30 x 20 pixels that is brighter."""
    ref = np.full((*size, 3), 100, np.uint8)
    test = ref.copy()
    test[20:40, 30:60] += difference
    return find(FramePair(test, ref), METHODS["absdiff"](Settings()))


def region(x: float, y: float, side: float = 10, kind: str = "spot") -> Region:
    return Region(0, x, y, side, side, side * side, 1.0, 1, kind, "")


def test_numbers_stand_beside_their_boxes() -> None:
    boxes = [Rect(50, 50, 70, 70), Rect(0, 0, 20, 20)]
    first, second = places_for(boxes, [(12, 10), (12, 10)], (100, 100))
    assert first == Rect(50, 40, 62, 50)
    assert second == Rect(0, 20, 12, 30)  # no room above


@pytest.mark.parametrize("count", [3, 60, 150])
def test_numbers_lie_in_the_frame_and_never_over_one_another(count: int) -> None:
    random = np.random.default_rng(count)
    corners = random.integers(0, [380, 280], (count, 2))
    boxes = [Rect(x, y, x + 15, y + 15) for x, y in corners.tolist()]
    places = places_for(boxes, [(16, 12)] * count, (400, 300))
    placed = [each for each in places if each is not None]
    assert len(placed) > 0.8 * count
    for a in placed:
        assert 0 <= a.x0 < a.x1 <= 400
        assert 0 <= a.y0 < a.y1 <= 300
    for a, b in combinations(placed, 2):
        assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0


def test_a_number_that_fits_nowhere_is_left_out() -> None:
    assert places_for([Rect(0, 0, 5, 5)], [(12, 10)], (5, 5)) == [None]
    assert places_for([], [], (5, 5)) == []


def test_the_scale_of_a_map_belongs_to_its_unit() -> None:
    weak, strong = found_in(30), found_in(100)
    assert top_of(weak) == top_of(strong) == (128.0, "")
    other = replace(strong, difference=replace(strong.difference, unit="px"))
    assert top_of(other) == (100.0, "scale of this frame alone")
    nothing = replace(found_in(0), difference=replace(found_in(0).difference, unit="px"))
    nothing = replace(nothing, cut=replace(nothing.cut, level=np.inf))
    assert top_of(nothing) == (1.0, "")


def heat_of(difference: int) -> np.ndarray:
    figure = REGION_FIGURES["heat"](found_in(difference), "")
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]


def test_colours_are_absolute_and_identical_frames_are_blank() -> None:
    blank, half, full = (heat_of(difference) for difference in (0, 64, 128))
    # the map is drawn ten times as large, from (12, 31) on
    inside, outside = np.s_[31 + 250 : 31 + 350, 12 + 350 : 12 + 550], np.s_[100:200, 50:250]
    assert np.abs(half[inside] - INFERNO_AT_HALF).max() <= 2
    assert np.abs(full[inside].astype(int) - [252, 255, 164]).max() <= 1
    for drawn in (blank[inside], blank[outside], half[outside], full[outside]):
        assert (drawn.reshape(-1, 3) == drawn[0, 0]).all()
        assert drawn.max() <= 4


@pytest.mark.slow
def test_all_figures_of_a_pair(tmp_path: Path) -> None:
    paths = draw_regions(found_in(90), tmp_path / "new", "frame_7", heading="frame 7, 0.280 s")
    assert [path.name for path in paths] == [f"frame_7_{name}.png" for name in REGION_FIGURES]
    assert sorted(tmp_path.joinpath("new").iterdir()) == sorted(paths)
    before = [path.read_bytes() for path in paths]
    with pytest.raises(OutputExistsError, match=r"frame_7_annotated\.png exists"):
        draw_regions(found_in(90), tmp_path / "new", "frame_7")
    draw_regions(
        found_in(90), tmp_path / "new", "frame_7", heading="frame 7, 0.280 s", overwrite=True
    )
    assert [path.read_bytes() for path in paths] == before


def test_the_texts_of_a_page() -> None:
    found = found_in(90)
    found = replace(found, answer=replace(found.answer, caption="A square is \x1b[31mbrighter."))
    figure = REGION_FIGURES["page"](found, "a.png")
    texts = [text.get_text() for text in figure.texts]
    assert texts[:2] == ["A square is \ufffd[31mbrighter.", "a.png"]
    assert texts[-1] == f"{found.regions[0].kind} 1"
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[:3] == ["Reference", "Current", "Difference map"]
    assert titles[-1] == "code values; threshold 40"
    assert "1 region" in titles


def test_boxes_of_tracks_have_their_numbers() -> None:
    found = found_in(90)
    (one,) = found.regions
    other = replace(one, x=2, y=2, w=5, h=5, track=25)
    figure = REGION_FIGURES["annotated"](replace(found, regions=[one, other]), "")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "T25"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (4, 700), (700, 4)])
def test_frames_of_any_shape(size: tuple[int, int], tmp_path: Path) -> None:
    ref = np.full((*size, 3), 100, np.uint8)
    found = find(FramePair(ref + 100, ref), METHODS["absdiff"](Settings()))
    assert len(draw_regions(found, tmp_path, "a")) == 4


@pytest.mark.parametrize("stem", ["", "a/b", "/a"])
def test_a_stem_that_is_no_file_name(stem: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file name"):
        draw_regions(found_in(90), tmp_path, stem)


def test_a_mask_shows_what_is_in_regions_and_what_cannot_be_decided() -> None:
    found = found_in(90)
    valid = np.ones((60, 80), bool)
    valid[:5] = False
    mask = found.cut.mask.copy()
    mask[50, 70] = True
    found = replace(
        found,
        difference=replace(found.difference, valid=valid),
        cut=replace(found.cut, mask=mask),
    )
    picture = mask_picture(found)
    assert (picture[20:40, 30:60] == 255).all()
    assert picture[50, 70] == 140
    assert (picture[:5] == 56).all()
    assert (picture == 0).sum() == 60 * 80 - 600 - 1 - 400
    unmasked = replace(found, regions=[replace(found.regions[0], mask="")])
    assert (mask_picture(unmasked) == picture).all()


def test_an_overlay_begins_at_half_the_threshold() -> None:
    found = found_in(19)
    assert not found.regions
    picture = overlay_picture(found, 100.0)
    assert (picture[..., 0] == picture[..., 1]).all()
    colours = overlay_picture(found_in(64), 100.0)[30, 45]
    assert np.abs(colours - (0.85 * INFERNO_AT_HALF + 0.15 * 90)).max() < 5
    never = replace(found_in(64), cut=replace(found.cut, level=np.inf))
    assert (overlay_picture(never, 100.0)[..., 0] == overlay_picture(never, 100.0)[..., 2]).all()


def test_small_areas_survive_in_a_reduced_map() -> None:
    values = np.zeros((1000, 3000), np.float32)
    values[777, 2999] = 5
    small = shown_map(values, 300)
    assert small.shape == (100, 300)
    assert small[77, 299] == 5
    assert small.sum() == 5
    assert shown_map(values, 3000) is values
    assert shrunk(np.zeros((1000, 3000, 3), np.uint8), 300).shape == (100, 300, 3)


def test_kinds_are_counted_in_the_order_of_their_colours() -> None:
    regions = [region(0, 0, kind="x"), region(0, 0, kind="spot"), region(0, 0, kind="missing")]
    assert list(kind_counts(regions).items()) == [("missing", 1), ("spot", 1), ("x", 1)]
    assert map_colours()(0.0)[:3] == pytest.approx((0.001462, 0.000466, 0.013866))
