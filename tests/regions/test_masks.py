"""Masks as text. The texts of the hand-made masks were made by pycocotools 2.0.11."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vfiscope.errors import StoreError
from vfiscope.regions.masks import decode, encode, extent_of, lengths_of
from vfiscope.types import Box

BY_PYCOCOTOOLS = [
    (np.zeros((3, 4), bool), "<"),
    (np.ones((3, 4), bool), "0<"),
    (np.array([[0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]], bool), "32201"),
    (np.arange(12).reshape(3, 4) % 2 == 1, "3330"),
]


@pytest.mark.parametrize(("mask", "text"), BY_PYCOCOTOOLS)
def test_texts_are_those_of_coco(mask: np.ndarray, text: str) -> None:
    height, width = mask.shape
    assert encode(mask, Box(0, 0, width, height), (height, width)) == text
    assert (decode(text, (height, width)) == mask).all()


def test_any_mask_comes_back_wherever_it_lies() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        height, width = (int(side) for side in random.integers(1, 40, 2))
        w, h = int(random.integers(1, width + 1)), int(random.integers(1, height + 1))
        box = Box(
            int(random.integers(0, width - w + 1)), int(random.integers(0, height - h + 1)), w, h
        )
        mask = random.random((h, w)) < random.choice([0, 0.02, 0.5, 0.98, 1])
        whole = np.zeros((height, width), bool)
        whole[box.y : box.y + h, box.x : box.x + w] = mask
        text = encode(mask, box, (height, width))
        assert (decode(text, (height, width)) == whole).all()
        assert (decode(text, (height, width), box) == mask).all()
        rows, columns = (np.flatnonzero(whole.any(axis)) for axis in (1, 0))
        tight = extent_of(text, (height, width))
        assert (tight is None) == (not whole.any())
        if tight is not None:
            ends = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
            assert (tight.x, tight.y, tight.x + tight.w, tight.y + tight.h) == ends
        # written out by a loop, from the definition
        flat, lengths = whole.ravel(order="F"), [0]
        for value in flat:
            if value != (len(lengths) % 2 == 0):
                lengths.append(0)
            lengths[-1] += 1
        assert lengths_of(text, (height, width)).tolist() == lengths
        assert (decode(json.dumps(lengths), (height, width)) == whole).all()


def test_a_large_frame_has_a_short_text() -> None:
    box = Box(3990, 2990, 10, 10)
    text = encode(np.ones((10, 10), bool), box, (3000, 4000))
    assert len(text) < 30
    assert decode(text, (3000, 4000), box).all()
    assert decode(text, (3000, 4000)).sum() == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "]",
        "[]",
        "[1, 2]",
        "[-1, 13]",
        "[13, -1]",
        "[1e3]",
        "[" * 3000 + "]",
        "<1",
        "zz",
        "0",
        "PP`",
        "o" * 20,
        "é",
        "l" * 300 + "0",
        "[99999999999999999999999]",
    ],
)
def test_a_text_that_is_no_mask_of_the_frame(text: str) -> None:
    with pytest.raises(StoreError, match="is not a mask of a frame of 4x3 pixels") as error:
        decode(text, (3, 4))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_a_mask_of_another_size_is_refused() -> None:
    text = encode(np.ones((2, 2), bool), Box(1, 1, 2, 2), (10, 10))
    with pytest.raises(StoreError, match="runs are 100 pixels long together"):
        decode(text, (20, 20))
