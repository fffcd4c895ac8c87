"""Peaks, plateaus, and who owns the pixels of a mask."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.regions.bulk_threshold import above_bulk
from vfiscope.regions.propose.peaks import peaks
from vfiscope.regions.steps import Cut, Difference


def of(values: np.ndarray) -> Difference:
    values = values.astype(np.float32)
    return Difference(values, "x", np.ones(values.shape, bool))


def cut_at(values: np.ndarray, level: float) -> Cut:
    return Cut(level, values > level)


def test_a_plateau_has_one_peak_at_its_middle() -> None:
    values = np.zeros((40, 60))
    values[10:31, 20:41] = 255
    (found,) = peaks(of(values), cut_at(values, 200), window=5)
    assert found.point == (30, 20)
    assert tuple(found.box) == (20, 10, 21, 21)
    assert found.mask is not None
    assert found.mask.all()


def test_every_pixel_of_the_mask_belongs_to_its_nearest_peak() -> None:
    x = np.arange(61)
    line = np.maximum(np.exp(-((x - 15) ** 2) / 200), 0.8 * np.exp(-((x - 45) ** 2) / 200))
    values = np.tile(line, (9, 1)) * np.exp(-((np.arange(9)[:, None] - 4) ** 2) / 50)
    cut = cut_at(values, 0.2)
    first, second = peaks(of(values), cut, window=12)
    assert (first.point, second.point) == ((15, 4), (45, 4))
    assert first.box.x + first.box.w == 31  # 30 is as near to both: the first one has it
    assert second.box.x == 31
    assert sum(each.mask.sum() for each in (first, second) if each.mask is not None) == (
        cut.mask.sum()
    )
    assert [each.point for each in peaks(of(values), cut, window=90)] == [(15, 4)]
    valley = float(values[4, 15:46].min()) / 0.8
    assert len(peaks(of(values), cut, window=12, dip=valley + 0.05)) == 2
    assert len(peaks(of(values), cut, window=12, dip=0.2)) == 1


def test_a_part_without_a_peak_goes_to_the_nearest() -> None:
    values = np.zeros((20, 40))
    values[5:8, 5:8], values[5:8, 12:14], values[5:8, 30:34] = 9, 5, 7
    found = peaks(of(values), cut_at(values, 1), window=20)
    assert [tuple(each.box) for each in found] == [(5, 5, 9, 3), (30, 5, 4, 3)]
    assert [tuple(each.box) for each in peaks(of(values), cut_at(values, 1), window=6)][1] == (
        30,
        5,
        4,
        3,
    )
    assert len(peaks(of(values), cut_at(values, 1), window=20, min_area=13)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 2)])
def test_degenerate_masks(shape: tuple[int, int]) -> None:
    values = np.zeros(shape)
    assert list(peaks(of(values), cut_at(values, 0.5))) == []
    (all_of_it,) = peaks(of(values + 1), cut_at(values + 1, 0.5))
    assert tuple(all_of_it.box) == (0, 0, shape[1], shape[0])


def test_the_bulk_of_a_map() -> None:
    random = np.random.default_rng(0)
    values = np.abs(random.normal(0.1, 0.01, (50, 50)))
    values[3, 4] = 0.5
    cut = above_bulk(of(values), least=0.05, deviations=12)
    assert cut.level == pytest.approx(0.1 + 12 * 0.01, rel=0.05)
    assert cut.mask.sum() == 1
    assert above_bulk(of(values * 0), least=0.05).level == pytest.approx(0.05)
    nothing = Difference(values.astype(np.float32), "x", np.zeros((50, 50), bool))
    assert not above_bulk(nothing, least=0.05).mask.any()
