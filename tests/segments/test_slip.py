"""Slips of a cadence as segments, and runs without a source, which have none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.types import FrameTable, Role


def table(ref_index: list[int], phase: list[float]) -> FrameTable:
    n = len(ref_index)
    order, role = np.arange(n), np.where(np.array(phase) > 0, Role.SYNTHESISED, Role.PASSED)
    return FrameTable(
        order,
        order,
        order / 25,
        np.array(ref_index),
        role.astype(np.uint8),
        np.array(phase, float),
        np.zeros(n, np.uint8),
        Fraction(1, 25),
    )


def kinds(frames: FrameTable) -> list[tuple[str, int, int, float]]:
    found = DETECTORS["slip"].detect(Columns(frames, {}, {}))
    return [(each.kind, each.start, each.stop, each.peak) for each in found]


def placed(steps: list[int], multiplier: int = 2) -> FrameTable:
    return table([s // multiplier for s in steps], [s % multiplier / multiplier for s in steps])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([*range(30)], []),
        ([*range(10), 9, *range(10, 30)], [("duplicate", 10, 11, 0.0)]),
        ([*range(10), 9, 9, *range(10, 30)], [("freeze", 10, 12, 0.0)]),
        ([*range(10), *range(11, 30)], [("drop", 10, 11, 2.0)]),
        ([*range(10), *range(13, 40)], [("drop", 10, 11, 4.0)]),
    ],
)
def test_what_a_slip_is_called(
    steps: list[int], expected: list[tuple[str, int, int, float]]
) -> None:
    assert kinds(placed(steps)) == expected
    assert kinds(placed(steps, 5)) == expected


@pytest.mark.parametrize("multiplier", [2, 3, 8, 16])
def test_a_run_without_a_source_has_no_slips(multiplier: int) -> None:
    order = np.arange(6 * multiplier)
    phase = order % multiplier / multiplier
    assert kinds(table(order.tolist(), phase.tolist())) == []  # against a ground truth
    between = order // multiplier * multiplier
    assert kinds(table(between.tolist(), phase.tolist())) == []  # between originals of the test
