"""Drops in made-up columns: what moved, how much changed, and when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.types import Role, Segment, Status

N, AT = 40, 20


def columns_of(beside: float = 0.5, **signals: float) -> Columns:
    """A clip in even motion; frame 20 differs as the signals say, and the motion of the frames
    before and after it is a part of its own."""
    role, ordinary = np.full(N, Role.UNKNOWN, np.uint8), np.zeros(N, np.uint8)
    frames = replace(make_scores(N).frames, time_s=np.arange(N) * 0.04, role=role, status=ordinary)
    usual = {
        **dict.fromkeys(("frame_difference", "difference_p99", "difference_rms"), 10.0),
        **dict.fromkeys(("histogram_step", "structure_step", "keyframe", "tear_contrast"), 0.0),
        **dict.fromkeys(("motion_x", "motion_y"), 0.0),
        "motion_residual": 1.0,
        "pace": 1.0,
        "luma_mean": 100.0,
        "luma_std": 40.0,
    }
    columns = {name: np.full(N, value, np.float32) for name, value in usual.items()}
    columns["pace"][[AT - 1, AT + 1]] = beside
    for name, value in signals.items():
        columns[name][AT] = value
    return Columns(frames, {}, {}, columns)


def drops(columns: Columns) -> list[Segment]:
    return DETECTORS["drop"].detect(columns)


def test_what_goes_two_steps_and_changes_twice_as_much_misses_an_instant() -> None:
    [segment] = drops(columns_of(frame_difference=19, pace=2.1))
    assert (segment.kind, segment.start, segment.stop) == ("drop", AT, AT + 1)
    assert segment.evidence == (
        "instants are missing before frame 20: it moved on by 2.1 usual steps and changed 1.9 times"
        " as much as the frames beside it"
    )
    assert segment.confidence > 0.9


@pytest.mark.parametrize(
    "signals",
    [
        {"pace": 2.1},  # moved on, but nothing changed more
        {"frame_difference": 19},  # changed, but moved no further
        {"frame_difference": 80, "pace": 2.1},  # shifted, say
        {"frame_difference": 19, "pace": 2.1, "luma_mean": 112},  # light
        {"frame_difference": 19, "pace": 2.1, "structure_step": 0.6},  # another shot
        {"frame_difference": 19, "pace": 2.1, "keyframe": 1},  # renewed
        {"frame_difference": 19, "pace": 2.1, "tear_contrast": 1},  # the end of a tear
        {"frame_difference": 19, "pace": np.nan},
        {"frame_difference": 19, "pace": 2.1, "beside": 1.0},  # those beside it went as far
        {"frame_difference": 19, "pace": 2.1, "beside": 0.0},  # nothing moves: a bump
        {"frame_difference": 19, "pace": 2.1, "motion_x": 4.0, "motion_residual": 0.3},  # too
    ],
)
def test_what_is_no_drop(signals: dict[str, float]) -> None:
    assert drops(columns_of(**signals)) == []


def test_what_goes_too_far_to_be_followed_shows_in_the_frames_beside_it() -> None:
    [segment] = drops(columns_of(frame_difference=24, pace=0.1, beside=0.2))
    assert (segment.start, segment.stop) == (AT, AT + 1)
    assert drops(columns_of(frame_difference=24, pace=0.1, beside=0.6)) == []


def test_a_steady_camera_that_goes_sideways_was_bumped() -> None:
    columns = columns_of(frame_difference=19, pace=2.1)
    columns.signals["motion_x"][:] = 3.0
    columns.signals["motion_x"][AT] = 6.0
    assert len(drops(columns)) == 1
    columns.shared.clear()
    columns.signals["motion_y"][AT] = 2.0
    assert drops(columns) == []


def test_damage_that_ends_is_no_drop() -> None:
    columns = columns_of(frame_difference=19, pace=2.1)
    columns.frames.status[AT - 1] = Status.CORRUPT
    assert drops(columns) == []


def test_what_comes_twice_is_no_drop() -> None:
    columns = columns_of(frame_difference=19, pace=2.1)
    columns.signals["frame_difference"][AT + 1] = 19
    assert drops(columns) == []


def test_a_gap_in_regular_times_is_certain() -> None:
    columns = columns_of()
    gap = columns.frames.time_s + 0.12 * (np.arange(N) >= AT)
    [segment] = drops(replace(columns, frames=replace(columns.frames, time_s=gap), shared={}))
    assert (segment.start, segment.confidence) == (AT, 0.99)
    assert segment.evidence == (
        "3 frames missing before frame 20: it comes 4 usual steps of time behind frame 19"
    )
    uneven = np.cumsum(np.where(np.arange(N) % 3, 0.04, 0.12))
    assert drops(replace(columns, frames=replace(columns.frames, time_s=uneven), shared={})) == []


@pytest.mark.parametrize(("step", "found"), [(8.0, 1), (12.2, 1), (6.4, 0), (4.0, 0)])
def test_in_a_very_even_pan_several_whole_steps_are_enough(step: float, found: int) -> None:
    columns = columns_of(frame_difference=12.0, pace=1.9)  # fine detail changes hardly more
    columns.signals["motion_x"][:] = 4.0
    columns.signals["motion_x"][AT] = step
    assert len(drops(columns)) == found


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("motion_x", AT + 2, 4.5),  # the pan is not that even
        ("motion_x", AT + 1, 0.0),  # back again: a bump
        ("frame_difference", AT - 1, 11.9),  # changes as much
        ("pace", AT, 1.2),  # what moves went no further
    ],
)
def test_an_uneven_pan_is_judged_as_any_motion(name: str, at: int, value: float) -> None:
    columns = columns_of(frame_difference=12.0, pace=1.9)
    columns.signals["motion_x"][:] = 4.0
    columns.signals["motion_x"][AT] = 8.0
    columns.signals[name][at] = value
    assert drops(columns) == []
