"""A regularity of scores hints at frames that were passed through; nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.alignment import find_passthrough


@pytest.mark.parametrize("multiplier", range(2, 9))
@pytest.mark.parametrize("first", [0, 1])
def test_every_so_many_frames_are_better(multiplier: int, first: int) -> None:
    random = np.random.default_rng(multiplier)
    badness = random.uniform(80, 120, 100)
    badness[first::multiplier] = random.uniform(1, 5, len(badness[first::multiplier]))
    assert find_passthrough(badness) == (multiplier, first)
    badness[[0, 50, 51]] = np.nan
    assert find_passthrough(badness) == (multiplier, first)


def test_untouched_frames_are_perfect() -> None:
    assert find_passthrough(np.tile([0.0, 3.0], 20)) == (2, 0)


@pytest.mark.parametrize(
    "badness",
    [
        np.zeros(60),
        np.full(60, 7.0),
        np.random.default_rng(1).exponential(5.0, 600),
        np.tile([4.0, 5.0, 3.5, 5.0], 30),
        np.linspace(1, 100, 60),
        np.tile([1.0, 9.0], 3),
        np.full(60, np.nan),
        np.zeros(0),
    ],
    ids=[
        "perfect",
        "even",
        "random",
        "frames of a codec",
        "slope",
        "too short",
        "unknown",
        "empty",
    ],
)
def test_no_cycle_where_there_is_none(badness: np.ndarray) -> None:
    assert find_passthrough(badness) is None
