"""Masks drawn by a network: which of them are taken, and which are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from vfiscope.regions import FramePair, Settings, find, make_method
from vfiscope.regions.describe import describe
from vfiscope.regions.segment.prompted import DrawMasks, prompted
from vfiscope.regions.steps import Cut, Difference, Mask, Proposal
from vfiscope.types import Box, Uint8

TEST = np.full((40, 60, 3), 200, np.uint8)
REF = np.zeros_like(TEST)
PAIR = FramePair(TEST, REF)
FLAT = Difference(np.ones((40, 60), np.float32), "code values", np.ones((40, 60), bool))


def box_mask(*box: int) -> Mask:
    mask = np.zeros((40, 60), bool)
    x, y, w, h = box
    mask[y : y + h, x : x + w] = True
    return mask


def drawing(test: Sequence[Mask], ref: Sequence[Mask]) -> DrawMasks:
    def draw(frame: Uint8, proposals: Sequence[Proposal]) -> Iterator[Mask]:
        yield from test if frame is TEST else ref

    return draw


NOTHING = box_mask(0, 0, 0, 0)
EVERYTHING = box_mask(0, 0, 60, 40)
FOUND = Proposal(Box(10, 10, 8, 6), context=Box(5, 5, 20, 20))
CUT = Cut(0.5, box_mask(10, 10, 8, 6) | box_mask(50, 30, 4, 4))


def one(test: Mask, ref: Mask = NOTHING, of: Proposal = FOUND, **facts: Mask) -> Proposal:
    made = prompted(
        PAIR, replace(FLAT, **facts), CUT, [of], draw=drawing([test], [ref]), name="net"
    )
    return made[0]


def test_a_mask_is_cut_at_the_box_that_is_reported() -> None:
    made = one(box_mask(8, 8, 34, 4))
    assert (made.box, made.context, made.mask_by) == (Box(8, 8, 17, 4), FOUND.context, "net")
    assert made.mask is not None
    assert made.mask.all()
    made = one(box_mask(10, 10, 8, 7), of=replace(FOUND, context=None))
    assert made.box == made.context == FOUND.box


def test_a_mask_of_something_larger_is_not_taken() -> None:
    """Of 34 columns 17 are in the box that is reported, of 35 too, which is less than half."""
    assert one(box_mask(8, 8, 35, 4)) is one(EVERYTHING) is FOUND


def test_nothing_is_drawn_where_the_map_is_not_valid() -> None:
    made = one(box_mask(8, 8, 8, 4), valid=box_mask(0, 0, 12, 40))
    assert made.box == Box(8, 8, 4, 4)


@pytest.mark.parametrize("mask", [NOTHING, box_mask(20, 10, 5, 5), box_mask(50, 30, 4, 4)])
def test_a_mask_beside_what_changed_is_not_taken(mask: Mask) -> None:
    """An empty one, one in the reported box, and one on another change."""
    assert one(mask, mask) is FOUND
    assert FOUND.mask_by == "map"


def test_of_both_frames_the_mask_that_agrees_better_is_taken() -> None:
    """Of 48 pixels of the map: 48 of 400 against 24 of 48; equal ones are of the test frame."""
    half, wide = box_mask(10, 10, 4, 6), box_mask(5, 5, 20, 20)
    assert one(wide, half).box == one(half, wide).box == Box(10, 10, 4, 6)
    assert one(half, box_mask(14, 10, 4, 6)).box == Box(10, 10, 4, 6)


def test_a_proposal_with_pixels_of_its_own_is_compared_with_those() -> None:
    own = np.zeros((6, 8), bool)
    own[:, :2] = True
    found = replace(FOUND, mask=own)
    assert one(box_mask(14, 10, 4, 6), of=found) is found
    assert one(box_mask(11, 10, 4, 6), of=found).box == Box(11, 10, 4, 6)


def test_masks_belong_to_their_proposals_in_order() -> None:
    """The second is not drawn, and keeps its place."""
    other = Proposal(Box(50, 30, 4, 4))
    drawn = drawing([box_mask(10, 10, 3, 3), NOTHING, box_mask(51, 31, 2, 2)], [NOTHING] * 3)
    made = prompted(PAIR, FLAT, CUT, [FOUND, FOUND, other], draw=drawn, name="net")
    assert [each.box for each in made] == [Box(10, 10, 3, 3), FOUND.box, Box(51, 31, 2, 2)]
    assert [each.mask_by for each in made] == ["net", "map", "net"]
    assert prompted(PAIR, FLAT, CUT, [], draw=drawn, name="net") == []
    with pytest.raises(ValueError, match="shorter"):
        prompted(PAIR, FLAT, CUT, [FOUND], draw=drawing([], []), name="net")


def test_the_region_has_the_mask_that_was_drawn() -> None:
    region = describe(PAIR, FLAT, CUT, one(box_mask(8, 8, 4, 4)))
    assert (region.area, region.mask_by) == (16, "net")
    assert (region.x, region.y, region.w, region.h) == FOUND.context
    assert (region.tight_x, region.tight_y, region.tight_w, region.tight_h) == (8, 8, 4, 4)


def test_without_weights_a_method_has_the_mask_of_the_map() -> None:
    assert make_method("auto", Settings()).segment is None
    found = find(PAIR, make_method("absdiff", Settings()))
    assert [region.mask_by for region in found.regions] == ["map"]
