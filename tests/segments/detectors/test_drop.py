"""Drops in made-up columns: what moved, how much changed, and when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.detectors.shot_cut import SHOT_SIGNALS
from vfiscope.types import Role, Segment, Status

N, AT = 40, 20
MISSING = {
    "frame_difference": 19.0,
    "pace": 2.1,
    "even_pace": 2.1,
    "even_agreed": 0.9,
    "even_off": 1.1,
}
"""All that moves goes two of its own steps at once."""
LOST = {
    "frame_difference": 24.0,
    "pace": 0.1,
    "even_pace": -0.3,
    "even_agreed": 0.1,
    "even_off": 1.1,
}
"""It went too far to be followed."""


def columns_of(beside: float = 0.5, **signals: float) -> Columns:
    """A clip in even motion; frame 20 differs as the signals say, and the motion of the frames
    before and after it is a part of its own."""
    role, ordinary = np.full(N, Role.UNKNOWN, np.uint8), np.zeros(N, np.uint8)
    frames = replace(make_scores(N).frames, time_s=np.arange(N) * 0.04, role=role, status=ordinary)
    usual = {
        **dict.fromkeys(("frame_difference", "difference_p99", "difference_rms"), 10.0),
        **dict.fromkeys(("histogram_step", "structure_step", "keyframe"), 0.0),
        **dict.fromkeys(("tear_ahead", "tear_explained", "tear_agreed"), 0.0),
        **dict.fromkeys(("even_pace", "even_agreed"), 1.0),
        "even_off": 0.1,
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
    [segment] = drops(columns_of(**MISSING))
    assert (segment.kind, segment.start, segment.stop) == ("drop", AT, AT + 1)
    assert segment.evidence == (
        "instants are missing before frame 20: it moved on by 2.1 steps at once and changed 1.9"
        " times as much as the frames beside it"
    )
    assert segment.confidence > 0.9


@pytest.mark.parametrize(
    "signals",
    [
        {"frame_difference": 11},  # nothing changed more
        {"even_pace": 1.4},  # it moved no further
        {"even_agreed": 0.3},  # one thing did
        {"even_off": 0.25},  # motion is as uneven all around
        {"frame_difference": 80},  # shifted, say
        {"luma_mean": 107},  # light
        {"histogram_step": 0.2},  # another shot
        {"structure_step": 0.7},  # too
        {"even_pace": np.nan},
        {"beside": 0.0},  # nothing moves: a bump
        {"motion_x": 4.0, "motion_residual": 0.3},  # too
        {"tear_ahead": 1.0, "tear_explained": 0.6, "tear_agreed": 0.9},  # the end of a tear
    ],
)
def test_what_is_no_drop(signals: dict[str, float]) -> None:
    assert drops(columns_of(**{**MISSING, **signals})) == []


@pytest.mark.parametrize(("at", "found"), [(AT - 4, 0), (AT - 5, 1), (AT + 4, 0), (AT + 5, 1)])
def test_what_catches_up_or_was_ahead_misses_nothing(at: int, found: int) -> None:
    """A part of a frame that shows another instant goes backwards where that begins, or ends."""
    columns = columns_of(**MISSING)
    columns.signals["pace"][at] = -1.5
    assert len(drops(columns)) == found


def test_a_keyframe_renews_only_what_ran_off_since_the_last_one() -> None:
    columns = columns_of(**MISSING, keyframe=1)
    assert len(drops(columns)) == 1
    columns.shared.clear()
    columns.signals["pace"][AT - 8] = 0.2
    assert drops(columns) == []
    columns.shared.clear()
    columns.signals["keyframe"][AT - 6] = 1
    assert len(drops(columns)) == 1


def test_where_every_frame_is_a_keyframe_none_renews_another() -> None:
    columns = columns_of(**MISSING)
    columns.signals["keyframe"][:] = 1
    assert len(drops(columns)) == 1
    columns.shared.clear()
    columns.signals["keyframe"][AT - 1] = 0  # that one may have run off
    assert drops(columns) == []


def test_what_goes_too_far_to_be_followed_shows_in_the_frames_beside_it() -> None:
    [segment] = drops(columns_of(**LOST, beside=0.2))
    assert (segment.start, segment.stop) == (AT, AT + 1)
    assert segment.evidence == (
        "instants are missing before frame 20: it moved on too far and changed 2.4 times as much as"
        " the frames beside it, in which motion goes on evenly"
    )


@pytest.mark.parametrize(
    "signals",
    [
        {"beside": 0.6},  # it went hardly further than the frames beside it
        {"frame_difference": 15.0},
        {"even_off": 0.5},
        {"even_agreed": 0.8},  # it was followed, and went back
        {"structure_step": 0.5, "beside": 0.1},  # another shot
        {"motion_residual": 0.5},  # a bump: the whole frame moved
        {"frame_difference": 60.0},  # more than any motion changes: another shot
    ],
)
def test_what_was_lost_for_another_reason_is_no_drop(signals: dict[str, float]) -> None:
    assert drops(columns_of(**{**LOST, "beside": 0.2, **signals})) == []


def test_a_busy_shot_that_goes_on_is_no_other_shot() -> None:
    """Its structure is as unlike as that of another shot; but the frames beside it move as far as
    when one in five is shown, where to another shot things seem to go many times as far."""
    busy = {**LOST, "structure_step": 0.8, "histogram_step": 0.14}
    assert [each.start for each in drops(columns_of(**busy, beside=0.2))] == [AT]
    assert drops(columns_of(**busy, beside=0.05)) == []


def test_where_instants_are_missing_is_no_cut() -> None:
    cut = {"shot_step": 0.8, "shot_residual": 1.0}
    for beside, kinds in ((0.2, ["drop"]), (0.05, ["cut"])):
        columns = columns_of(**LOST, beside=beside)
        columns.signals["structure_step"][AT], columns.signals["histogram_step"][AT] = 0.8, 0.14
        usual = {"shot_step": 0.05, "shot_residual": 0.1, "luma_p1": 10.0, "luma_p99": 200.0}
        for name in {*SHOT_SIGNALS} - {*columns.signals}:
            columns.signals[name] = np.full(N, usual.get(name, 0.0), np.float32)
        for name, value in cut.items():
            columns.signals[name][AT] = value
        told = [*drops(columns), *DETECTORS["shot_cut"].detect(columns)]
        assert [(each.kind, each.start) for each in told] == [(kind, AT) for kind in kinds]


def test_a_steady_camera_that_goes_sideways_was_bumped() -> None:
    columns = columns_of(**MISSING)
    columns.signals["motion_x"][:] = 3.0
    columns.signals["motion_x"][AT] = 6.0
    columns.signals["motion_residual"][AT] = 0.7  # the motion of the frame explains it
    assert len(drops(columns)) == 1
    columns.shared.clear()
    columns.signals["motion_y"][AT] = 2.0
    assert drops(columns) == []
    columns.shared.clear()
    columns.signals["motion_residual"][AT] = 0.9  # it does not
    assert len(drops(columns)) == 1


@pytest.mark.parametrize(("sideways", "found"), [(1.0, 1), (1.6, 0)])
def test_a_hand_held_camera_that_goes_far_sideways_was_bumped(sideways: float, found: int) -> None:
    """Its steps beside are of 2 px to the right, and this one is of 6."""
    columns = columns_of(**MISSING)
    columns.signals["motion_x"][:] = np.where(np.arange(N) % 4 < 2, -3.0, 2.0)
    columns.signals["motion_x"][AT - 1 : AT + 2] = 2.0, 6.0, 2.0
    columns.signals["motion_y"][AT] = sideways
    columns.signals["motion_residual"][AT] = 0.7
    assert len(drops(columns)) == found


def test_damage_that_ends_is_no_drop() -> None:
    columns = columns_of(**MISSING)
    columns.frames.status[AT - 1] = Status.CORRUPT
    assert drops(columns) == []


@pytest.mark.parametrize(("times", "found"), [(0.04, 1), (0.02, 0)])
def test_what_hardly_changes_is_nothing(times: float, found: int) -> None:
    """Frames change by 0.4 code values, and one by 0.76; and by half of that."""
    columns = columns_of(**MISSING)
    columns.signals["frame_difference"][:] *= times
    assert len(drops(columns)) == found


def test_what_comes_nearly_twice_is_a_drop_only_where_it_is_followed() -> None:
    for signals, beside, found in ((MISSING, 0.5, 1), (LOST, 0.2, 0)):
        columns = columns_of(**signals, beside=beside)
        columns.signals["frame_difference"][AT + 2] = 0.85 * signals["frame_difference"]
        assert len(drops(columns)) == found


def test_what_comes_twice_is_no_drop() -> None:
    columns = columns_of(**MISSING)
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
    told = drops(columns)
    assert len(told) == found
    for segment in told:
        assert segment.evidence == (
            "instants are missing before frame 20: the camera, which moves evenly, went 1.9 steps"
            " at once and changed 1.2 times as much as the frames beside it"
        )


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("motion_x", AT + 2, 4.5),  # the pan is not that even
        ("motion_x", AT + 1, 0.0),  # back again: a bump
        ("frame_difference", AT - 1, 11.9),  # changes as much
        ("pace", AT, 1.2),  # what moves went no further
        ("structure_step", AT, 0.95),  # another shot
    ],
)
def test_an_uneven_pan_is_judged_as_any_motion(name: str, at: int, value: float) -> None:
    columns = columns_of(frame_difference=12.0, pace=1.9)
    columns.signals["motion_x"][:] = 4.0
    columns.signals["motion_x"][AT] = 8.0
    columns.signals[name][at] = value
    assert drops(columns) == []
