"""Repeated frames are embedded once, and have the features that they would have anyway."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.media import frames_of, noise

from vfiscope.embedders.dsift import Dsift
from vfiscope.embedders.embed_once import embed_once
from vfiscope.types import Features, Frames


@pytest.mark.parametrize(
    ("order", "embedded"),
    [([0, 0, 0], 1), ([0, 1, 2], 3), ([0, 1, 1, 0, 2, 2, 2], 4), ([3], 1), ([], 0)],
)
def test_of_equal_frames_in_a_row_the_first_is_embedded(order: list[int], embedded: int) -> None:
    dsift, batches = Dsift(size=28), list[int]()

    def embed(frames: Frames) -> Features:
        batches.append(len(frames))
        return dsift.embed(frames)

    frames = frames_of(noise(4, 30, 44)[np.array(order, int)].reshape(-1, 30, 44, 3))
    made, plain = embed_once(embed, frames), dsift.embed(frames)
    assert batches == [embedded]
    assert np.array_equal(made.patches, plain.patches)
    assert np.array_equal(made.pooled, plain.pooled)


def test_a_frame_that_differs_in_one_value_is_no_repeat() -> None:
    images = np.repeat(noise(1, 30, 44), 2, axis=0)
    images[1, 3, 5, 1] ^= 1
    made = embed_once(Dsift(size=28).embed, frames_of(images))
    assert not np.array_equal(made.patches[0], made.patches[1])
