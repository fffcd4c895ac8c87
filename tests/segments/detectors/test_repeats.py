"""Repeats, freezes and cadences in made-up columns: how much each frame changes is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.metrics import METRICS
from vfiscope.segments import flag
from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.detectors.low_score import low_scores
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.evidence.repeats import repeated_rows
from vfiscope.types import Role, Segment

N = 60
ABSDIFF = METRICS["absdiff"].spec


def columns_of(change: np.ndarray, step_s: float = 0.04, **signals: np.ndarray) -> Columns:
    """All signals of a clip whose frames change like that; nothing else happens."""
    count = len(change)
    frames = replace(make_scores(count).frames, time_s=np.arange(count) * step_s)
    usual = {
        "difference_p99": change,
        "difference_rms": change,
        "frame_difference": change,
        "luma_mean": np.full(count, 100.0),
        "structure_step": np.zeros(count),
        "histogram_step": np.zeros(count),
        "pace": np.ones(count) * (change > 1),
        "luma_std": np.full(count, 40.0),
    }
    named = {name: each.astype(np.float32) for name, each in (usual | signals).items()}
    return Columns(frames, {}, {}, named)


def moving(*calm: int, change: float = 10.0, left: float = 0.5, count: int = N) -> np.ndarray:
    """(N,) frames that all change alike, but for the calm ones."""
    made = np.full(count, change)
    made[0] = np.nan
    made[list(calm)] = left
    return made


def found(columns: Columns) -> list[tuple[str, int, int]]:
    segments: list[Segment] = []
    for name in ("cadence", "duplicate"):
        segments += DETECTORS[name].detect(columns)
    return [(each.kind, each.start, each.stop) for each in segments]


def test_a_frame_that_hardly_changes_repeats_the_one_before() -> None:
    [segment] = DETECTORS["duplicate"].detect(columns_of(moving(20)))
    assert (segment.kind, segment.start, segment.stop) == ("duplicate", 20, 21)
    # (0.5 + 0.05) / (10 + 0.05), both signals being alike
    assert segment.evidence == (
        "frame 20 repeats frame 19: the change is 0.05473 times that of the frames beside it, which"
        " change by 10.05 code values"
    )
    assert segment.confidence > 0.95
    assert (segment.peak, segment.peak_index) == (0.5, 20)


def test_motion_that_turns_round_repeats_nothing() -> None:
    """A pendulum hardly moves where it turns, at once in one frame or in every half cycle."""
    heading = np.ones(N)
    heading[20] = -1
    assert found(columns_of(moving(20), heading=heading)) == []
    slowly = moving()
    slowly[17:24] = 8, 6, 4, 2, 4, 6, 8
    assert found(columns_of(slowly)) == []
    swings = np.arange(6, N - 2, 6)
    heading = np.ones(N)
    heading[swings] = -1
    assert found(columns_of(moving(*swings), heading=heading)) == []


@pytest.mark.parametrize("length", [2, 5, 14, 40])
def test_several_in_a_row_are_a_freeze(length: int) -> None:
    change = moving(*range(20, 20 + length), count=80)
    assert found(columns_of(change)) == [("freeze", 20, 20 + length)]


def test_a_freeze_amid_slower_and_faster_motion() -> None:
    change = moving(*range(20, 26))
    change[10:20] *= np.linspace(4, 0.7, 10)  # slows down to 7 before it
    change[26] = 45  # and catches up
    assert found(columns_of(change)) == [("freeze", 20, 26)]


def test_a_freeze_at_the_start_or_end_begins_or_ends_at_once() -> None:
    for rows in (range(1, 12), range(N - 11, N)):
        [segment] = DETECTORS["duplicate"].detect(columns_of(moving(*rows)))
        assert (segment.kind, segment.start, segment.stop) == ("freeze", rows[0], rows[-1] + 1)
        assert segment.confidence == 0.7


def test_a_codec_may_arrive_at_a_long_freeze_in_two_frames() -> None:
    change = moving(*range(21, 30))
    change[20] = 7.5
    assert found(columns_of(change)) == [("freeze", 21, 30)]


def test_a_freeze_lasts_where_the_frame_behind_it_is_another() -> None:
    structure = np.zeros(N)
    structure[34] = 0.5
    change = moving(*range(20, 34))
    assert found(columns_of(change, structure_step=structure)) == [("freeze", 20, 34)]
    cut = np.where(np.arange(N) == 34, 0.4, 0.0)  # of the shot behind a cut nothing is known
    columns = columns_of(change, structure_step=structure, histogram_step=cut)
    assert [each.confidence for each in DETECTORS["duplicate"].detect(columns)] == [0.7]
    change[14:20] = np.linspace(9, 1.5, 6)  # it slows down to a stop: a shot that ends still
    columns = columns_of(change, structure_step=structure, histogram_step=cut)
    assert DETECTORS["duplicate"].detect(columns) == []


def test_motion_that_was_followed_up_to_a_freeze_tells_it_though_its_colours_are_new() -> None:
    """Behind it the shot has moved on so far that it seems another one, and before it each frame
    brings some colours, as transitions do; but these were followed and stop at once."""
    rows = np.arange(N)
    colours = np.where((rows >= 14) & (rows < 17), 0.3, 0.0) + np.where(rows == 34, 0.4, 0.0)
    behind = {"structure_step": np.where(rows == 34, 0.9, 0.0), "histogram_step": colours}
    change = moving(*range(20, 34))
    told = DETECTORS["duplicate"].detect(columns_of(change, **behind))
    assert [(each.kind, each.start, each.stop, each.confidence) for each in told] == [
        ("freeze", 20, 34, 0.7)
    ]
    lost = np.where((rows >= 14) & (rows < 17), np.nan, (change > 1) * 1.0)
    assert found(columns_of(change, **behind, pace=lost)) == []


def test_a_still_shot_between_dissolves_is_no_freeze() -> None:
    spread = np.r_[np.linspace(24, 40, 20), np.full(20, 40.0), np.linspace(40, 24, 20)]
    assert found(columns_of(moving(*range(20, 40)), luma_std=spread)) == []


def test_the_less_moves_the_less_is_certain() -> None:
    sure = [
        DETECTORS["duplicate"].detect(columns_of(moving(20, change=change, left=0.9)))
        for change in (40.0, 12.0, 3.0)
    ]
    confidences = [segment.confidence for [segment] in sure]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[-1] < 0.9
    assert found(columns_of(moving(20, change=1.9, left=0.4))) == []


@pytest.mark.parametrize(
    ("change", "signals"),
    [
        (np.full(N, 0.3), {}),  # nothing moves
        (np.r_[np.full(20, 10.0), np.linspace(10, 0.3, 10), np.full(30, 0.3)], {}),  # it stops
        (moving(*range(20, 24)), {"pace": np.zeros(N)}),  # letters appear, and nothing moves
        (moving(20, left=9.0, change=20.0), {}),  # half new: no codec changes a repeat so much
        (moving(*range(20, 26), left=3.0), {"pace": np.full(N, 0.8)}),  # blurred: it moves on
        (moving(20), {"luma_std": np.full(N, 1.0)}),  # there is nothing to see
        (
            moving(*range(20, 40)),  # light fades out and in around a still shot
            {"luma_mean": 100 + 10.0 * np.abs(np.arange(N) - 30)},
        ),
        (10 + 9.5 * np.cos(np.arange(N) / 6), {}),  # slow for a while, and not at once
    ],
)
def test_what_is_no_repeat(change: np.ndarray, signals: dict[str, np.ndarray]) -> None:
    assert found(columns_of(change, **signals)) == []


@pytest.mark.parametrize(
    ("left", "sharp", "kinds"),
    [
        (1.0, 5.0, ["freeze"]),  # as sharp as the frames beside it
        (1.0, 0.4, []),  # 0.1 of their change, and 0.08 of their sharpness
        (0.1, 0.4, ["freeze"]),  # it changes less than blur explains
        (1.0, np.nan, ["freeze"]),
    ],
)
def test_what_is_blurred_changes_less(left: float, sharp: float, kinds: list[str]) -> None:
    sharpness = np.full(N, 5.0)
    sharpness[19:22] = sharp
    columns = columns_of(moving(20, 21, left=left), sharpness=sharpness)
    assert [kind for kind, _, _ in found(columns)] == kinds


def test_photos_of_a_time_lapse_are_not_judged() -> None:
    assert found(columns_of(moving(20), step_s=60.0)) == []


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ((2,), "twos: 1 frame of every 2 repeats"),
        ((3,), "threes: 2 frames of every 3 repeat"),
        ((2, 3), "3 frames of every 5 repeat"),
        ((1, 1, 1, 2), "1 frame of every 5 repeats"),
    ],
)
def test_frames_that_are_held_in_a_pattern(pattern: tuple[int, ...], said: str) -> None:
    """From frame 20 on, for 60 frames, each is shown as often as the pattern says."""
    shown = [number == 0 for held in pattern for number in range(held)]
    new = np.array((shown * 60)[:60])
    change = moving(count=100)
    change[20:80][~new] = 0.5
    [segment] = DETECTORS["cadence"].detect(columns_of(change))
    assert (segment.start, segment.stop) == (20, 80)
    assert segment.evidence.startswith(said)
    assert segment.confidence > 0.95
    assert DETECTORS["duplicate"].detect(columns_of(change)) == []


def test_repeated_rows_are_those_of_patterns_and_of_single_repeats() -> None:
    twos = range(21, 80, 2)
    context = context_of(columns_of(moving(5, *twos, left=0.1, count=100)))
    assert np.flatnonzero(repeated_rows(context)).tolist() == [5, *twos]
    unknown = context_of(Columns(make_scores(9).frames, {}, {}, {}))
    assert not repeated_rows(unknown).any()


def test_fields_that_are_woven() -> None:
    """Two of five frames show one new field, and change by six tenths."""
    change = moving(*(row for row in range(20, 80) if row % 5 in (2, 4)), left=6.0, count=100)
    pace = np.where(change < 10, 0.5, 1.0)
    [segment] = DETECTORS["cadence"].detect(columns_of(change, pace=pace))
    assert (segment.start, segment.stop) == (20, 80)
    assert segment.evidence.startswith(
        "2 frames of every 5 show a new field beside an old one, the first is frame 22;"
    )


def test_every_second_frame_that_is_coded_better_shows_no_new_field() -> None:
    """Not every dip is as deep, so that some cycles of four look like a pattern and none of two."""
    uneven = np.exp(np.random.default_rng(32).normal(0, 0.05, 200))
    change = 20 * np.where(np.arange(200) % 2, 0.7, 1.0) * uneven
    assert found(columns_of(change, pace=np.full(200, np.nan))) == []


def test_a_cadence_of_the_whole_clip_begins_with_its_first_repeat() -> None:
    """Around the first rows nothing is known, and the pattern is found behind them."""
    change = moving(*range(1, 60, 2), left=0.1, count=60)
    [segment] = DETECTORS["cadence"].detect(columns_of(change))
    assert (segment.start, segment.stop) == (0, 60)
    assert segment.evidence.startswith(
        "twos: 1 frame of every 2 repeats the frame before, the first is frame 1;"
    )


def test_a_repeat_now_and_then_is_a_cadence_where_it_is_regular() -> None:
    regular = moving(12, 37, 62, 87, count=120)
    assert found(columns_of(regular)) == [("cadence", 0, 88)]
    # one of them was not found, and another repeat is none of them
    assert found(columns_of(moving(12, 37, 87, 112, 95, count=140))) == [
        ("cadence", 0, 113),
        ("duplicate", 95, 96),
    ]
    some = moving(12, 37, 50, 91, count=120)
    assert [kind for kind, _, _ in found(columns_of(some))] == ["duplicate"] * 4


def test_two_repeats_a_second_apart_and_no_others_are_a_cadence() -> None:
    assert found(columns_of(moving(32, 57, count=90))) == [("cadence", 8, 58)]
    assert [kind for kind, _, _ in found(columns_of(moving(32, 56)))] == ["duplicate"] * 2


def test_a_cadence_needs_motion_that_slows_down_with_it() -> None:
    """A codec that makes every fifth frame change less does not stop what moves."""
    calm = [row for row in range(20, 80) if row % 5 == 0]
    change = moving(*calm, left=5.0, count=100)
    assert found(columns_of(change, pace=np.ones(100))) == []
    lit = 100 + 5 * np.cumsum(change > 8)  # and what blinks does not move
    assert found(columns_of(change, luma_mean=lit)) == []


def test_what_a_codec_alternates_in_a_still_scene_is_no_cadence() -> None:
    change = np.where(np.arange(N) % 2, 0.6, 1.8)
    assert found(columns_of(change)) == []


def test_a_still_scene_is_named_and_no_freeze() -> None:
    """Noise of 2 code values lets blocks differ by 4.5; the keyframe at 50 does not end it."""
    change = np.r_[np.full(30, 12.0), np.full(40, 3.5)]
    change[50] = 6
    columns = columns_of(change, noise=np.full(70, 2.0), pace=np.zeros(70))
    assert found(columns) == []
    [segment] = DETECTORS["static"].detect(columns)
    assert (segment.kind, segment.start, segment.stop) == ("static", 29, 70)
    assert segment.evidence == (
        "nothing moves for 1.6 s: the most changed blocks usually differ by 3.5 code values, and"
        " noise explains 4.5"
    )
    change[50] = np.nan  # nor does a frame that cannot be read
    unread = columns_of(change, noise=np.full(70, 2.0), pace=np.zeros(70))
    assert [each.evidence for each in DETECTORS["static"].detect(unread)] == [segment.evidence]
    short = columns_of(change[:50], noise=np.full(50, 2.0), pace=np.zeros(50))
    assert DETECTORS["static"].detect(short) == []
    quiet = columns_of(change, noise=np.zeros(70), pace=np.zeros(70))
    assert DETECTORS["static"].detect(quiet) == []


@pytest.mark.parametrize("change_there", [40.0, 3.5])  # of much of the frame, or of a small part
@pytest.mark.parametrize(("gone", "stretches"), [(None, [(0, 50), (50, 100)]), (55, [(0, 100)])])
def test_a_still_scene_ends_where_something_appears_for_good(
    gone: int | None, stretches: list[tuple[int, int]], change_there: float
) -> None:
    change, onset = np.full(100, 3.5), np.full(100, 1.0)
    for row in (50,) if gone is None else (50, gone):
        change[row], onset[row] = change_there, 40
    place = {"onset": onset, "onset_x": np.full(100, 0.5), "onset_y": np.full(100, 0.5)}
    other = {"impulse": np.full(100, -1.0), "light_step": np.zeros(100)}
    columns = columns_of(change, noise=np.full(100, 2.0), pace=np.zeros(100), **place, **other)
    told = [(each.start, each.stop) for each in DETECTORS["static"].detect(columns)]
    assert told == stretches


def test_a_freeze_is_not_static_too() -> None:
    columns = columns_of(moving(*range(20, 60), count=80), noise=np.ones(80))
    assert found(columns) == [("freeze", 20, 60)]
    assert DETECTORS["static"].detect(columns) == []


def test_frames_between_unreadable_ones_are_not_judged() -> None:
    change = moving(20)
    change[[19, 21]] = np.nan
    assert found(columns_of(change)) == []


def test_a_low_score_of_what_is_explained_is_not_told_beside_it() -> None:
    """In a scan the frame behind a repeat differs more; against a reference it may be worse too."""
    given, rows = columns_of(moving(20)), np.arange(N)
    absdiff = np.full(N, 0.01, np.float32)
    absdiff[[20, 21, 40]] = 0, 0.2, 0.2
    scores, specs = {"absdiff": absdiff}, {"absdiff": METRICS["absdiff"].spec}
    unknown = np.full(N, Role.UNKNOWN, np.uint8)

    def told(partners: np.ndarray) -> list[tuple[str, int, int]]:
        frames = replace(given.frames, role=unknown, ref_index=partners)
        segments = flag(frames, scores, specs, (), given.signals)
        return [(each.kind, each.start, each.stop) for each in segments]

    assert told(rows - 1) == [("duplicate", 20, 21), ("low_score", 40, 41)]
    assert ("low_score", 21, 22) in told(rows)


HOLDS = [2, 3, 1, 2, 2, 3, 3, 1, 2, 3, 2, 1, 1, 3, 2, 2, 3, 2, 3, 2, 1, 3, 2, 2]


def test_drawings_that_are_held_in_no_order_are_a_cadence() -> None:
    change = np.concatenate([[10.0] + [0.1] * (held - 1) for held in HOLDS])
    change[0] = np.nan
    columns = columns_of(change)
    [segment] = DETECTORS["cadence"].detect(columns)
    assert segment.evidence.startswith(
        "drawings are held for 1 to 3 frames, in no order: 22 frames repeat the frame before"
    )
    assert found(columns) == [("cadence", 0, len(change))]
    unknown = np.full(len(change), Role.UNKNOWN, np.uint8)
    back = replace(columns.frames, role=unknown, ref_index=columns.frames.index - 1)
    columns = replace(columns, frames=back)
    scored = replace(columns, scores={"absdiff": change / 255}, specs={"absdiff": ABSDIFF})
    assert DETECTORS["low_score"].detect(scored) == []


def test_single_repeats_in_no_order_are_faults() -> None:
    rows = (9, 14, 33, 50)
    assert {kind for kind, _, _ in found(columns_of(moving(*rows, left=0.1)))} == {"duplicate"}


UNEVEN = (30, 18, 45, 14, 20, 55, 22, 12, 38, 25, 16, 50)
"""Changes of the frames of a hand-held camera, which swings."""


def uneven(held: int, new: int = 1, count: int = 96, left: float = 0.5) -> np.ndarray:
    """(N,) of every ``new`` frames the last one is shown ``held`` times."""
    made = np.full(count, left)
    places = [row for row in range(count) if row % (new + held - 1) < new]
    made[places] = np.resize(UNEVEN, len(places))
    made[0] = np.nan
    return made


@pytest.mark.parametrize(
    ("held", "new", "said"),
    [(2, 1, "twos: 1 frame of every 2"), (3, 1, "threes: 2 frames"), (2, 4, "1 frame of every 5")],
)
def test_a_hand_held_camera_turns_round_in_a_cadence_too(held: int, new: int, said: str) -> None:
    """It does so in half of the repeats, and some of what it shows changes little."""
    change = uneven(held, new)
    heading = np.where(np.arange(96) % 4 < 2, -1.0, 1.0)
    columns = columns_of(change, heading=heading)
    [segment] = DETECTORS["cadence"].detect(columns)
    assert (segment.start, segment.stop) == (0, 96)
    assert segment.evidence.startswith(said)
    assert DETECTORS["duplicate"].detect(columns) == []
    always = columns_of(change, heading=np.where(change == 0.5, -1.0, 1.0))
    assert DETECTORS["cadence"].detect(always) == []  # a pendulum stands where it turns


def test_uneven_motion_with_few_calm_frames_is_no_cadence() -> None:
    """Three times the same frame of a cycle of four hardly changes, and in the fourth by half."""
    change = np.random.default_rng(0).uniform(10, 50, 96)
    change[[20, 24, 28]] = 0.5
    change[32] = 0.5 * min(change[31], change[33])
    assert DETECTORS["cadence"].detect(columns_of(change)) == []


def test_a_clear_cadence_lasts_as_long_as_its_repeats_can_be_seen() -> None:
    """From frame 60 on a codec leaves more of them, half of what is new."""
    change = uneven(2)
    change[61::2] = 0.5 * np.minimum(change[60:-1:2], np.append(change[62::2], 99))
    assert found(columns_of(change)) == [("cadence", 0, 96)]


@pytest.mark.parametrize(("still", "ranges"), [(6, [(0, 96)]), (20, [(0, 38), (60, 96)])])
def test_a_cadence_goes_on_where_nothing_moves_for_a_while(
    still: int, ranges: list[tuple[int, int]]
) -> None:
    """Of the last repeat before that nothing is known: nothing moves behind it."""
    change = uneven(2)
    change[40 : 40 + still] = 0.5
    told = [(each.start, each.stop) for each in DETECTORS["cadence"].detect(columns_of(change))]
    assert told == ranges


def test_a_low_score_of_what_moves_unevenly_and_is_held_is_not_told() -> None:
    """Half of the frames repeat, and every level lies between these and the others."""
    columns = columns_of(uneven(2))
    absdiff = uneven(2) / 255
    assert low_scores(columns.frames, absdiff, ABSDIFF)
    unknown = np.full(len(absdiff), Role.UNKNOWN, np.uint8)
    back = replace(columns.frames, role=unknown, ref_index=columns.frames.index - 1)
    columns = replace(columns, frames=back, scores={"absdiff": absdiff}, specs={"absdiff": ABSDIFF})
    assert DETECTORS["low_score"].detect(columns) == []
