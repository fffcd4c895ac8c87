"""Frames with more regions than are kept, and their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vfiscope.regions import FramePair, Settings, find, make_method
from vfiscope.regions import find as found_by
from vfiscope.regions.find import MOST_REGIONS

PLAIN = np.full((48, 96, 3), 100, np.uint8)


def with_squares(sides: list[int]) -> FramePair:
    test = PLAIN.copy()
    for number, side in enumerate(sides):
        test[4 : 4 + side, 16 * number : 16 * number + side] = 200
    return FramePair(test, PLAIN)


def test_the_largest_are_kept_in_their_order_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MOST_REGIONS == 1000
    monkeypatch.setitem(found_by.__globals__, "MOST_REGIONS", 3)
    method, described = make_method("absdiff", Settings()), []

    def describe(*given: object) -> object:
        described.append(given)
        return method.describe(*given)  # type: ignore[arg-type]

    asked = replace(method, describe=describe)  # type: ignore[arg-type]
    found = find(with_squares([9, 12, 8, 11, 10]), asked)
    kept = {(region.x, region.w) for region in found.regions}
    assert kept == {(16, 12), (48, 11), (64, 10)}
    assert len(described) == 3
    assert found.answer.regions == 5
    assert found.answer.caption.startswith("5 regions changed")
    assert find(with_squares([9, 12]), asked).answer.regions == 2


def test_methods_put_the_largest_first_except_as_published() -> None:
    test = PLAIN.copy()
    test[2:26, 2:26], test[34:46, 40:52] = 200, 200
    pair = FramePair(test, PLAIN)
    for name in ("hybrid", "fusion", "ensemble"):
        areas = [region.area for region in find(pair, make_method(name, Settings())).regions]
        assert len(areas) == 2
        assert areas[0] > areas[1], name
    [first, second] = find(pair, make_method("hybrid-legacy", Settings())).regions
    assert first.y > second.y
