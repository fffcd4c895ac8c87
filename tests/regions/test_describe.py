"""What changed, of which kind, how severe, and the sentence, on scenes made by hand."""

from __future__ import annotations

import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope.regions import FramePair
from vfiscope.regions.describe import describe
from vfiscope.regions.describe.mask_shape import mask_shape, outlines_of, polygons
from vfiscope.regions.describe.severity_of import severity_of
from vfiscope.regions.describe.surroundings import surroundings
from vfiscope.regions.describe.what_changed import colour_name
from vfiscope.regions.difference.absolute import absolute_difference
from vfiscope.regions.difference.tolerant import tolerant_difference
from vfiscope.regions.masks import encode
from vfiscope.regions.propose.components import components
from vfiscope.regions.steps import Cut, Proposal
from vfiscope.regions.threshold import fixed
from vfiscope.types import Box, Region, place_words

Pixels = NDArray[np.uint8]


def background() -> Pixels:
    """Grey 120 with a gentle texture, 240 wide and 180 high."""
    noise = np.random.default_rng(3).normal(0, 2, (180, 240, 1)) + np.full(3, 120.0)
    return noise.clip(0, 255).astype(np.uint8)


def textured(height: int, width: int, seed: int) -> Pixels:
    """Smooth blobs of contrast."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    codes = 128 + 60 * smooth / smooth.std()
    return np.repeat(codes.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def regions_of(test: Pixels, ref: Pixels, level: float = 20.0) -> list[Region]:
    pair = FramePair(test, ref)
    difference = absolute_difference(pair)
    cut = fixed(difference, level=level)
    found = components(difference, cut, min_area=10)
    return [describe(pair, difference, cut, each) for each in found]


def the_region(test: Pixels, ref: Pixels, level: float = 20.0) -> Region:
    return regions_of(test, ref, level)[0]


def painted(frame: Pixels, where: tuple[slice, slice], colour: object) -> Pixels:
    made = frame.copy()
    made[where] = colour
    return made


SQUARE = np.s_[20:60, 170:210]


def test_something_dark_was_added() -> None:
    ref = np.full((180, 240, 3), 120, np.uint8)
    region = the_region(painted(ref, SQUARE, 18), ref)
    assert (region.kind, region.change) == ("added", "darker")
    assert region.severity == 1 + 2 + 1  # 3.7 % of the frame; 102 / 20 = 5.1
    assert region.caption == (
        "Something dark was added at the top right (x 170, y 20, 40x40 px, 3.7 % of the frame): "
        "5.1 times the threshold."
    )


def test_something_bright_is_missing() -> None:
    ref = background()
    region = the_region(ref, painted(ref, SQUARE, 220))
    assert (region.kind, region.change) == ("missing", "darker")
    assert region.caption.startswith("Something bright is missing at the top right")


def test_a_thing_that_got_another_colour() -> None:
    ref = painted(background(), SQUARE, (200, 40, 40))
    region = the_region(painted(ref, SQUARE, (40, 40, 200)), ref)
    assert (region.kind, region.change) == ("colour", "colour")
    assert region.caption.startswith(
        "Something changed its colour from red to blue at the top right"
    )


def test_a_thing_that_became_brighter() -> None:
    ref = painted(background(), SQUARE, 30)
    region = the_region(painted(ref, SQUARE, 70), ref)
    assert (region.kind, region.change) == ("colour", "brighter")
    assert "became brighter" in region.caption


@pytest.mark.parametrize("shift", [(40, 0), (-12, 8)], ids=["beside", "overlapping"])
def test_a_thing_that_moved(shift: tuple[int, int]) -> None:
    thing, base = textured(36, 36, 1), background()
    x, y = 100, 70
    ref = painted(base, np.s_[y : y + 36, x : x + 36], thing)
    x, y = x + shift[0], y + shift[1]
    test = painted(base, np.s_[y : y + 36, x : x + 36], thing)
    region = regions_of(test, ref, 10)[0]
    assert (region.kind, region.change) == ("moved", "moved")
    across = f"{abs(shift[0])} px {'right' if shift[0] > 0 else 'left'}"
    assert f"Something moved by {across}" in region.caption


def test_a_second_thing_of_the_same_look_was_added_not_moved() -> None:
    thing, base = textured(36, 36, 1), background()
    ref = painted(base, np.s_[70:106, 100:136], thing)
    region = the_region(painted(ref, np.s_[70:106, 150:186], thing), ref)
    assert region.kind == "added"


def test_a_scratch_and_a_spot() -> None:
    ref = background()
    scratch, spot = ref.copy(), ref.copy()
    cv2.line(scratch, (30, 40), (150, 120), (240, 240, 240), 2)
    cv2.circle(spot, (60, 150), 2, (10, 10, 10), -1)
    region = the_region(scratch, ref)
    assert (region.kind, region.change) == ("scratch", "brighter")
    region = the_region(spot, ref)
    assert (region.kind, region.change) == ("spot", "darker")
    assert region.caption.startswith("A dark spot appeared at the bottom left")


def test_a_bite_out_of_a_plate_is_damage() -> None:
    ref = painted(background(), np.s_[40:140, 60:180], 220)
    region = the_region(painted(ref, np.s_[40:60, 100:130], 120), ref)
    assert (region.kind, region.change) == ("damage", "darker")


def test_a_bite_that_is_no_evidence_of_damage() -> None:
    """Above 5 % of the frame; beside other changes that are larger; with looks of their own."""
    plate = painted(background(), np.s_[20:160, 30:210], 220)
    assert the_region(painted(plate, np.s_[20:60, 80:130], 120), plate).kind == "damage"
    large = painted(plate, np.s_[20:80, 80:140], 120)  # 60 x 60 of 240 x 180 pixels: 8.3 %
    assert the_region(large, plate).kind == "unknown"
    among_others = painted(plate, np.s_[20:40, 80:110], 120)
    among_others[50:90, 80:110] = 120
    assert [each.kind for each in regions_of(among_others, plate)][-1] == "unknown"
    mottled = painted(plate, np.s_[20:60, 80:130], textured(40, 50, 4))
    assert {each.kind for each in regions_of(mottled, plate)}.isdisjoint({"damage"})


def test_a_disc_that_moved_to_the_place_beside_it() -> None:
    """Old and new place touch, and are one region, in front of colours of many kinds."""
    thing, base = textured(50, 50, 1), cv2.GaussianBlur(textured(180, 240, 9), (0, 0), 6)
    rows, columns = np.indices((50, 50)) - 24.5
    disc = np.hypot(rows, columns) < 25
    ref, test = base.copy(), base.copy()
    ref[40:90, 80:130][disc] = thing[disc]
    test[88:138, 92:142][disc] = thing[disc]
    pair = FramePair(test, ref)
    mask = (ref != test).any(axis=2)
    whole = Proposal(Box(80, 40, 62, 98), mask=mask[40:138, 80:142])
    region = describe(pair, absolute_difference(pair), Cut(1.0, mask), whole)
    assert (region.kind, region.change) == ("moved", "moved")
    assert region.caption.startswith("Something moved by 12 px right and 48 px down")


def test_texture_lost_and_gained() -> None:
    ref = textured(180, 240, 5)
    flat = painted(ref, SQUARE, int(ref[SQUARE].mean()))
    whole = Proposal(Box(170, 20, 40, 40), mask=np.ones((40, 40), bool))
    found = []
    for pair in (FramePair(flat, ref), FramePair(ref, flat)):
        difference = absolute_difference(pair)
        found.append(describe(pair, difference, fixed(difference, level=20), whole))
    assert [region.change for region in found] == ["texture_lost", "texture_gained"]
    assert [region.kind for region in found] == ["damage", "unknown"]
    assert found[1].caption.startswith("Something changed here (texture gained) at the top right")


def test_warmer_light_is_not_a_colour_of_things() -> None:
    """R +20, B -20 everywhere: the surroundings are alike once Cr and Cb have their own light."""
    ref = textured(120, 160, 2) // 2 + np.array([40, 60, 50], np.uint8)
    test = ref + np.array([20, 0, 0], np.uint8) - np.array([0, 0, 20], np.uint8)
    pair = FramePair(test, ref)
    difference = tolerant_difference(pair)
    cut, box = Cut(1.0, np.zeros((120, 160), bool)), Box(60, 40, 30, 30)
    inside = np.ones((30, 30), bool)
    look = surroundings(pair, difference, cut, box, inside)
    assert np.abs(np.median(look.test - look.ref, axis=(0, 1))).max() < 2
    by_luma = surroundings(pair, replace(difference, colours=None), cut, box, inside)
    assert np.abs(np.median(by_luma.test - by_luma.ref, axis=(0, 1))).max() > 8


def test_severity_follows_the_area_and_the_height() -> None:
    shares = (0.001, 0.011, 0.021, 0.051, 0.11)
    assert [severity_of(share, 1.0) for share in shares] == [1, 2, 3, 4, 5]
    assert [severity_of(0.001, times) for times in (2.9, 3.0, 6.0, np.nan)] == [1, 2, 3, 1]
    assert severity_of(0.5, 100.0) == 5


def test_the_nine_places_of_a_frame() -> None:
    words = [place_words(x, y, (90, 90)) for y in (0, 45, 89) for x in (0, 45, 89)]
    assert words[:4] == ["at the top left", "at the top", "at the top right", "at the left"]
    assert words[4:6] == ["in the middle", "at the right"]
    assert words[6:] == ["at the bottom left", "at the bottom", "at the bottom right"]


def test_outlines_and_thickness_of_a_square() -> None:
    mask = np.zeros((20, 30), bool)
    mask[5:15, 8:18] = True
    (outline,) = polygons(mask, (100, 200))
    assert sorted(map(tuple, outline)) == [(108, 205), (108, 215), (118, 205), (118, 215)]
    assert mask_shape(mask).thickness == pytest.approx(9, abs=1)
    assert mask_shape(mask[:, :9]).elongation > 5  # a column of 10 px
    assert polygons(np.zeros((3, 3), bool)) == []


def test_outlines_enclose_the_pixels_of_every_part_and_fill_holes() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:12, 3:9] = mask[8:12, 3:25] = True  # a corner
    mask[9, 5] = False
    mask[15, 20] = mask[18, 2:12] = True  # a pixel and a line
    corner, line, pixel = outlines_of(encode(mask, Box(0, 0, 30, 20), mask.shape), (20, 30))
    assert sorted(map(tuple, corner)) == [(3, 2), (3, 12), (9, 2), (9, 8), (25, 8), (25, 12)]
    assert sorted(map(tuple, line)) == [(2, 18), (2, 19), (12, 18), (12, 19)]
    assert sorted(map(tuple, pixel)) == [(20, 15), (20, 16), (21, 15), (21, 16)]
    areas = [cv2.contourArea(each.astype(np.int32)) for each in (corner, line, pixel)]
    assert areas == [6 * 10 + 16 * 4, 10, 1]
    disc = cv2.circle(np.zeros((80, 80), np.uint8), (40, 40), 30, 1, cv2.FILLED) > 0
    (outline,) = polygons(disc)
    assert len(outline) < 60
    assert cv2.contourArea(outline.astype(np.int32)) == pytest.approx(disc.sum(), rel=0.03)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 9)])
def test_the_smallest_frames(size: tuple[int, int]) -> None:
    pair = FramePair(np.full((*size, 3), 200, np.uint8), np.full((*size, 3), 20, np.uint8))
    difference = absolute_difference(pair)
    empty = Cut(np.inf, np.zeros(size, bool))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        region = describe(pair, difference, empty, Proposal(Box(0, 0, size[1], size[0])))
    assert (region.area, region.change, region.kind) == (size[0] * size[1], "brighter", "unknown")
    assert region.caption.endswith("peak 180 code values.")


def test_the_whole_frame_as_one_region() -> None:
    pair = FramePair(np.full((300, 400, 3), 200, np.uint8), np.full((300, 400, 3), 20, np.uint8))
    difference = absolute_difference(pair)
    region = describe(pair, difference, fixed(difference, level=20), Proposal(Box(0, 0, 400, 300)))
    assert (region.kind, region.severity, region.area) == ("unknown", 5, 120000)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"),
        ((255, 140, 0), "orange"),
        ((255, 255, 0), "yellow"),
        ((0, 160, 0), "green"),
        ((0, 200, 200), "turquoise"),
        ((0, 0, 255), "blue"),
        ((130, 0, 160), "purple"),
        ((255, 120, 180), "pink"),
        ((10, 10, 10), "black"),
        ((120, 120, 120), "grey"),
        ((250, 250, 250), "white"),
    ],
)
def test_colours_have_their_names(rgb: tuple[int, int, int], name: str) -> None:
    lab = cv2.cvtColor(np.full((1, 1, 3), rgb, np.float32) / 255, cv2.COLOR_RGB2Lab)
    assert colour_name(np.asarray(lab[0], np.float32)) == name
