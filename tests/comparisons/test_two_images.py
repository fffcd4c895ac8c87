"""Two images are embedded in one batch of the network, where they are alike."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest
import torch
from helpers.media import noise

from vfiscope.comparisons import Streams, choose_comparison
from vfiscope.options import RunConfig
from vfiscope.scoring.inputs import open_inputs
from vfiscope.types import Features, Frames, Needs

TEST, REF = noise(2, 12, 16)


def means(frames: Frames) -> Features:
    """The mean colour of each frame, as its only patch."""
    pooled = torch.from_numpy(np.asarray(frames.data, np.float32).mean(axis=(2, 3)))
    return Features(pooled, pooled[:, None, None])


@pytest.mark.parametrize(
    ("test", "register", "embedded"),
    [
        (TEST, "none", [2]),
        (TEST, "ecc", [1]),  # the test is embedded after its registration
        (TEST.astype(np.uint16) * 257, "none", [1, 1]),  # of another bit depth
    ],
)
def test_two_images_are_embedded_as_one_batch(
    test: np.ndarray, register: str, embedded: list[int]
) -> None:
    config, seen = RunConfig("compare", test, REF, register=register), []
    with ExitStack() as stack:
        streams = Streams(
            open_inputs(config, stack),
            embed=lambda frames: (seen.append(len(frames)), means(frames))[1],
            bare=frozenset({"test"} if register != "none" else ()),
        )
        comparison = choose_comparison(config)(config, Needs.FEATURES)
        (pairs,) = comparison.pairs(streams, 0)
        streams.drain()
    assert seen == embedded
    for features, pixels in ((pairs.test_features, test), (pairs.ref_features, REF)):
        if features is not None:
            expected = torch.from_numpy(pixels.mean(axis=(0, 1)))
            assert torch.allclose(features.pooled[0].double(), expected, rtol=1e-5)
    assert (pairs.test_features is None) == (register != "none")
    assert streams.sources["test"].counts.delivered == 1


def test_a_pair_that_is_done_is_not_paired_again() -> None:
    config = RunConfig("compare", TEST, REF)
    with ExitStack() as stack:
        streams = Streams(open_inputs(config, stack))
        assert list(choose_comparison(config)(config, Needs.REF).pairs(streams, 1)) == []
