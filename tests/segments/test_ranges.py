"""Whether one of many ranges of frames reaches a place."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.spans import Ranges


def test_it_reaches_where_one_of_all_ranges_does() -> None:
    random = np.random.default_rng(3)
    starts = random.integers(0, 300, 40)
    both = list(zip(starts.tolist(), (starts + random.integers(0, 9, 40)).tolist(), strict=True))
    ranges = Ranges(both)
    for first in range(300):
        for last in (first, first + 2):
            met = any(start <= last and stop >= first for start, stop in both)
            assert ranges.reach(first, last) == met
    assert not Ranges([]).reach(0, 300)
