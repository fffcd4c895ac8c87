"""Slips of a cadence as segments, and runs without a source, which have none."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.evidence.repeats import REPEAT_SIGNALS
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


def test_a_freeze_that_is_seen_says_more_than_one_frame_out_of_place() -> None:
    """Of 12 frames that stand still only the first is out of place."""
    frames = placed([*range(20), 19, *range(20, 50)])
    change = np.full(len(frames), 10.0, np.float32)
    change[20:32] = 0.5
    usual = {name: np.zeros_like(change) for name in REPEAT_SIGNALS}
    usual |= dict.fromkeys(("difference_p99", "difference_rms", "frame_difference"), change)
    usual |= {"pace": (change > 1).astype(np.float32), "luma_std": np.full_like(change, 40)}
    columns = Columns(frames, {}, {}, usual)
    found = [each for name in ("slip", "duplicate") for each in DETECTORS[name].detect(columns)]
    assert [(each.kind, each.start, each.stop) for each in found] == [("freeze", 20, 32)]


def against_reference(ref_index: list[int], change: dict[int, float]) -> Columns:
    """Frames with these partners; they change by 10, or as ``change`` says."""
    n = len(ref_index)
    frames = replace(
        table(ref_index, [0.0] * n), role=np.full(n, Role.UNKNOWN), phase=np.full(n, np.nan)
    )
    differs = np.full(n, 10, np.float32)
    differs[list(change)] = list(change.values())
    return Columns(frames, {}, {}, {"frame_difference": differs})


def test_a_reference_says_what_repeats_and_which_frames_are_missing() -> None:
    shown = [*range(10), 9, *range(10, 20), *range(23, 40)]  # 20, 21 and 22 are missing
    segments = DETECTORS["slip"].detect(against_reference(shown, {10: 0.5, 21: 30}))
    assert [(each.kind, each.start, each.stop) for each in segments] == [
        ("duplicate", 10, 11),
        ("drop", 21, 22),
    ]
    assert segments[1].evidence == "frames 20 to 22 of the reference missing before frame 21"


def test_frames_that_catch_up_with_a_reference_miss_nothing_more() -> None:
    shown = [*range(10), 9, 9, 9, *range(13, 40)]
    columns = against_reference(shown, {10: 0.5, 11: 0.5, 12: 0.5, 13: 35})
    assert [each.kind for each in DETECTORS["slip"].detect(columns)] == ["freeze"]


@pytest.mark.parametrize(("row", "found"), [(31, []), (30, [("duplicate", 30, 31)])])
def test_of_two_equal_frames_of_a_reference_one_may_be_taken_twice(
    row: int, found: list[tuple[str, int, int]]
) -> None:
    """Drawings on twos: frame 31 shows what frames 30 and 31 of the reference show, and is paired
    with the first of them; where frame 30 repeats frame 29, a drawing comes late."""
    shown = np.arange(60)
    shown[row] -= 1
    columns = against_reference(shown.tolist(), dict.fromkeys((row, *range(1, 60, 2)), 0.0))
    change = columns.signals["frame_difference"]
    usual = {"luma_mean": 100.0, "luma_std": 40.0, "structure_step": 0.0, "histogram_step": 0.0}
    columns.signals.update({name: np.full(60, v, np.float32) for name, v in usual.items()})
    columns.signals.update(dict.fromkeys(("difference_p99", "difference_rms"), change))
    columns.signals["pace"] = (change > 0).astype(np.float32)
    told = DETECTORS["slip"].detect(columns)
    assert [(each.kind, each.start, each.stop) for each in told] == found


def test_partners_by_time_repeat_and_skip_where_the_frames_do_not() -> None:
    shown = [*range(10), 9, *range(10, 20), *range(21, 40)]
    assert DETECTORS["slip"].detect(against_reference(shown, {})) == []
