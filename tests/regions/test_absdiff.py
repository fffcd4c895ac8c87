"""The plain difference, and the words between the steps."""

from __future__ import annotations

import numpy as np

from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.masks import decode, encode
from vfiscope.types import Box


def test_a_planted_square_is_found_where_it_lies() -> None:
    ref = np.full((60, 80, 3), 100, np.uint8)
    test = ref.copy()
    test[20:40, 30:60, 1] = 190
    found = find(FramePair(test, ref), METHODS["absdiff"](Settings()))
    (region,) = found.regions
    assert (region.x, region.y, region.w, region.h) == (30, 20, 30, 20)
    assert (region.area, region.score, region.peak) == (600, 90, 90)
    assert (region.centroid_x, region.centroid_y) == (44.5, 29.5)
    assert (found.answer.answer, found.answer.regions) == ("changed", 1)
    assert found.answer.changed_area == 600 / 4800
    assert decode(region.mask, (60, 80)).sum() == 600
    assert (decode(region.mask, (60, 80)) == found.cut.mask).all()


def test_identical_frames_have_no_region() -> None:
    ref = np.full((60, 80, 3), 100, np.uint8)
    found = find(FramePair(ref, ref), METHODS["absdiff"](Settings()))
    assert not found.regions
    assert found.answer.answer == "same"


def test_a_mask_that_starts_at_the_first_pixel() -> None:
    mask = np.ones((2, 3), bool)
    text = encode(mask, Box(0, 0, 3, 2), (4, 5))
    assert decode(text, (4, 5)).sum() == 6
    assert decode(text, (4, 5))[:2, :3].all()
