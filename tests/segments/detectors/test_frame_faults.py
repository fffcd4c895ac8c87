"""Damage, bumps, blur, ghosts, tears and warps from columns made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.calm_scene import ROWS, TWICE, scene

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.types import Segment, Status


def found(columns: Columns) -> list[Segment]:
    kinds = ("blur", "corruption", "ghosting", "shift", "tearing", "warp")
    return [each for kind in kinds for each in DETECTORS[kind].detect(columns)]


def places(columns: Columns) -> list[tuple[str, int, int]]:
    return [(each.kind, each.start, each.stop) for each in found(columns)]


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_few_rows_have_no_fault(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.calm_scene.ROWS", rows)
    assert found(scene()) == []


LONE = {"impulse": {30: 40.0}, "unmatched": {30: 40.0}, "warp_residual": {30: 0.1, 31: 0.1}}
BENT = {**LONE, "wobble": {30: 1.0}}
BRIEF = {"onset": {30: 25.0, 32: 30.0}, "warp_residual": {30: 0.09, 31: 0.07, 32: 0.09}}
JUMP = {"motion_x": {30: 6.0}, "motion_residual": {30: 0.3}}
SOFT = {"sharpness": {30: 3.0, 31: 3.0, 32: 3.0}, "luma_std": {30: 39.0, 31: 39.0, 32: 39.0}}
GHOST = {
    "blend_residual": {29: 2.0, 30: 0.1, 31: 2.0},
    "blend_gradient": {30: 0.8},
    "moving_detail": {30: 7.0},
    "echo_2": {30: 0.3},
    "difference_p99": {30: 15.0},
}
PACED = {
    "tear_ahead": {32: 0.9},
    "tear_rows": {32: 2.0},
    "tear_split": {32: 0.35},
    "tear_explained": {32: 0.8},
    "tear_agreed": {32: 0.95},
    "tear_contrast": {30: 0.9},
    "tear_share": {30: 0.35},
    "tear_jump": {30: 2.0},
    "tear_jump_share": {30: -0.65},
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({**LONE, "seam": {30: 400.0}}, [("corruption", 30, 31)]),
        # The same damage in two frames: nothing is lone, but seams come and go with what is new.
        (
            {"seam": {30: 300.0, 31: 300.0}, "warp_residual": {30: 0.2, 32: 0.2}},
            [("corruption", 30, 32)],
        ),
        # Another scene begins with much that moves: it differs from both sides, but goes on.
        (
            {**LONE, "seam": {30: 118.0}, "structure_step": {30: 0.8}, "warp_residual": {30: 0.9}},
            [],
        ),
        # The last frame of a scene, the same way.
        (
            {**LONE, "seam": {30: 118.0}, "structure_step": {31: 0.8}, "warp_residual": {31: 0.9}},
            [],
        ),
        # The second frame has hardly anything of its own, as all of the scene shakes.
        (
            {
                "impulse": {30: 40.0, 31: 2.0},
                "seam": {30: 300.0, 31: 200.0},
                "warp_residual": {30: 0.1, 31: 0.1, 32: 0.1},
            },
            [("corruption", 30, 32)],
        ),
        # Frames are predicted from a lost one until the keyframe.
        (
            {
                "impulse": {29: 12.0, 30: 12.0},
                "warp_residual": {40: 0.2},
                "difference_p99": {40: 40.0},
                "keyframe": {0: 1.0, 40: 1.0},
            },
            [("corruption", 30, 40)],
        ),
        (BENT, [("warp", 30, 31)]),
        ({**BENT, "blend_residual": {30: 0.7}}, [("warp", 30, 31)]),
        # Text on a plain screen: its spread is small, its range is not.
        ({**BENT, "luma_std": dict.fromkeys(range(ROWS), 10.0)}, [("warp", 30, 31)]),
        # Most of the frame is plain, so that most of its structure is bent.
        ({**BENT, "structure_step": {30: 0.75, 31: 0.75}}, [("warp", 30, 31)]),
        # The second of two bent frames has hardly anything of its own.
        (
            {**BENT, "unmatched": {30: 40.0, 31: 2.5}, "wobble": {30: 1.0, 31: 0.5}},
            [("warp", 30, 32)],
        ),
        # Much that only it has, in bends that are too small for the flow to follow.
        ({**LONE, "warp_residual": {30: 0.07, 31: 0.07}}, [("warp", 30, 31)]),
        # More is left behind than before, as at another compression: each side knows its usual.
        (
            {**BENT, "warp_residual": {30: 0.07, **dict.fromkeys(range(31, ROWS), 0.06), 31: 0.09}},
            [("warp", 30, 31)],
        ),
        # Two bent frames, each of which has the other one beside it: nothing is lone.
        (BRIEF, [("warp", 30, 32)]),
        (JUMP, [("shift", 30, 31)]),
        (
            {"motion_x": {30: 6.0, 33: -6.0}, "motion_residual": {30: 0.3, 33: 0.3}},
            [("shift", 30, 33)],
        ),
        (SOFT, [("blur", 30, 33)]),
        (GHOST, [("ghosting", 30, 31)]),
        # Sharpness falls a frame before the one that is clearly a blend: still no blur.
        (
            {
                **GHOST,
                "sharpness": dict.fromkeys((29, 30), 3.0),
                "luma_std": dict.fromkeys((29, 30), 39.0),
            },
            [("ghosting", 30, 31)],
        ),
        # Blends with the next frame itself: detail is seen twice and is weaker.
        (
            {
                "echo_1": {30: 0.5, 31: 0.5},
                "moving_detail": {30: 6.5, 31: 6.5},
                "blend_gradient": {30: 1.0, 31: 1.0},
                "blend_others": {30: 3.0, 31: 3.0},
                "difference_p99": {30: 15.0, 32: 15.0},
            },
            [("ghosting", 30, 32)],
        ),
        # A blend of older instants explains it, and a little of an echo is there.
        (
            {
                "blend_others": {30: 0.2},
                "echo_3": {30: 0.15},
                "moving_detail": {30: 6.5},
                "blend_gradient": {30: 1.0},
            },
            [("ghosting", 30, 31)],
        ),
        # The top falls behind by a step in frame 30, and catches up in frame 32.
        (PACED, [("tearing", 30, 32)]),
        # Most of the frame jumps, but a part does not; or it is seen twice: no bumps.
        ({**PACED, **JUMP}, [("tearing", 30, 32)]),
        ({**TWICE, **JUMP}, [("ghosting", 30, 31)]),
    ],
)
def test_a_fault_is_named_and_placed(
    changes: dict[str, dict[int, float]], expected: list[tuple[str, int, int]]
) -> None:
    assert places(scene(**changes)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        # a flash: all of the frame is lone, and brighter
        {**LONE, "seam": {30: 400.0}, "luma_mean": {30: 180.0}, "light_step": {30: 0.6}},
        # something that only passes: motion explains it
        {"impulse": {30: 40.0}},
        {"impulse": {30: 40.0}, "wobble": {30: 1.0}},
        # places that leave their way, but show nothing that the neighbours do not: flow errs
        {"wobble": {30: 5.0}, "warp_residual": {30: 0.1, 31: 0.1}},
        # frames are missing: only the way into one of them leaves much
        {**BENT, "warp_residual": {30: 0.06, 31: 0.2}},
        # a keyframe that renews a little everywhere, behind two frames with lone blocks
        {
            "impulse": {29: 12.0, 30: 12.0},
            "warp_residual": {40: 0.2},
            "keyframe": {0: 1.0, 40: 1.0},
        },
        # the first frames behind a cut or a flash, which the encoder has not learnt yet
        {**SOFT, "warp_residual": {29: 0.2}},
        # a cut to a softer scene, which stays
        {"sharpness": dict.fromkeys(range(30, ROWS), 3.0)},
        # fog: contrast goes with sharpness
        {**SOFT, "luma_std": {30: 24.0, 31: 24.0, 32: 24.0}},
        # a dissolve: blends for ten frames
        {"blend_residual": dict.fromkeys(range(25, 35), 0.1)},
        # a mixture of other frames that is as steep as ever: a frame repeats, or the camera jumps
        {**GHOST, "blend_gradient": {}, "difference_p99": {30: 40.0, 31: 40.0}},
        # a blur takes detail and leaves no echo
        {"moving_detail": {30: 4.0, 31: 4.0}},
        # an echo in detail that is as strong as ever: something periodic comes in
        {"echo_2": dict.fromkeys(range(30, 33), 0.6)},
        # the top and the bottom differ in pace all the time
        {
            **PACED,
            **{name: dict.fromkeys(range(20, 40), 0.9) for name in ("tear_ahead", "tear_agreed")},
            "tear_explained": dict.fromkeys(range(20, 40), 0.8),
        },
        # parts differ in pace, but neither changes more than the other or repeats anything
        {**PACED, "tear_jump": {}, "tear_contrast": {}},
        # it is another place where a part changes more
        {**PACED, "tear_jump_share": {30: 0.8}, "tear_contrast": {}},
        # a part falls behind by a frame and never stands, or another one does
        {**PACED, "tear_contrast": {30: 0.6}},
        {**PACED, "tear_share": {30: 0.8}},
        # things that pass by each other: each evidence is weak
        {
            **PACED,
            "tear_explained": {32: 0.45},
            "tear_ahead": {32: 0.8},
            "tear_agreed": {32: 0.9},
            "tear_jump": {30: 0.6},
        },
        # half of the blocks do not take part
        {**PACED, "tear_agreed": {32: 0.6}},
        # a part falls behind and shows what nobody saw before: something appears
        {**PACED, "warp_residual": {31: 0.2}},
        # bent, but a mixture of its neighbours explains it; more is needed where all tell clearly
        {**BENT, "wobble": {30: 0.15}, "blend_residual": {30: 0.7}},
        {**BENT, "blend_residual": {30: 0.5}},
        # what is there now is further from what was than anything within the frame
        {
            **BENT,
            "luma_p1": dict.fromkeys(range(ROWS), 90.0),
            "luma_p99": dict.fromkeys(range(ROWS), 120.0),
        },
        # a frame of another scene
        {**BENT, "structure_step": {30: 0.85, 31: 0.85}},
        # a faint flash, which only one frame has too
        {**BENT, "light_step": {30: 0.025, 31: -0.025}},
        # a thing that is seen for two frames, and held frames: nothing goes on between the ends
        {**BRIEF, "warp_residual": {30: 0.09, 32: 0.09}},
        {**BRIEF, "difference_p99": {31: 1.0}},
        # blocks that are damaged anew in each frame, with too few seams to tell it by them
        {**BRIEF, "seam": {30: 115.0}},
        # it begins here and is gone there
        {**BRIEF, "onset_x": {32: 0.7}},
        # a short blur that is too faint to be one
        {**BRIEF, "sharpness": {30: 4.3, 31: 4.3}},
        # detail is seen twice and weaker where the steps are longer than two: a camera swings
        {**TWICE, "difference_p99": {30: 15.0, 31: 30.0}},
        # an older instant explains it, but detail is seen once, and the steps are even
        {"blend_others": {30: 0.2}, "moving_detail": {30: 6.5}},
        # a jump that motion of the whole frame does not explain
        {"motion_x": {30: 6.0}},
    ],
)
def test_what_looks_like_a_fault_is_none(changes: dict[str, dict[int, float]]) -> None:
    assert places(scene(**changes)) == []


def in_light(factor: float, sharpness: float, structure: float = 0.1) -> Columns:
    """Frames 30 to 32 in another light, and with another sharpness in that light."""
    rows = (30, 31, 32)
    return scene(
        luma_mean=dict.fromkeys(rows, 104 * factor - 4),
        luma_std=dict.fromkeys(rows, 39.0 * factor),
        sharpness=dict.fromkeys(rows, sharpness * factor),
        structure_step={30: structure, 33: structure},
    )


@pytest.mark.parametrize(("factor", "needed"), [(1.3, 0.32), (0.7, 0.32)])
def test_blur_is_told_in_another_light_beyond_what_that_explains(
    factor: float, needed: float
) -> None:
    """Twice the usual 0.16, and the logarithm of the factor, as light may take or give so much."""
    light = np.log(factor)
    (clear,) = found(in_light(factor, 1.0))
    margin = (np.log(5) - light) / (needed + abs(light))
    assert (clear.kind, clear.start, clear.stop) == ("blur", 30, 33)
    assert f"{margin:.4g} times what would be enough" in clear.evidence
    assert places(in_light(factor, 4.0)) == []
    assert places(in_light(factor, 1.0, structure=0.9)) == []  # another scene


def test_blur_is_told_where_sharpness_goes_up_and_down_anyway() -> None:
    restless = {row: 5.0 if row % 2 else 4.2 for row in range(ROWS)}
    soft, flat = {30: 3.4, 31: 3.5, 32: 3.4}, {"luma_std": SOFT["luma_std"]}
    assert places(scene(sharpness={**restless, **soft}, **flat)) == [("blur", 30, 33)]
    # What is no softer than others may be the encoder's.
    assert places(scene(sharpness={**restless, 30: 4.0, 31: 4.1, 32: 4.0}, **flat)) == []


def test_frames_missing_in_a_pan_are_no_bump() -> None:
    pan = dict.fromkeys(range(ROWS), 2.0)
    steady = dict.fromkeys(range(ROWS), 0.2)
    ahead = scene(motion_x={**pan, 30: 8.0}, motion_residual=steady)
    aside = scene(motion_x=pan, motion_y={30: 8.0}, motion_residual=steady)
    assert places(ahead) == []
    assert places(aside) == [("shift", 30, 31)]


@pytest.mark.parametrize(
    ("places_px", "stop"),
    [
        ((9.0, -4.5, 2.25, 0.0), 33),
        # A swing that has nearly come back is none that is at rest.
        ((16.0, -9.6, 5.8, -3.5, 2.1, 0.0), 35),
        ((6.0, 6.0, 0.0), 32),
    ],
)
def test_a_camera_that_swings_is_one_bump(places_px: tuple[float, ...], stop: int) -> None:
    steps = dict(enumerate(np.diff(places_px, prepend=0.0).tolist(), 30))
    left = dict.fromkeys(steps, 0.3)
    assert places(scene(motion_x=steps, motion_residual=left)) == [("shift", 30, stop)]
    # Each of its frames differs from both neighbours, and seams come and go with where it is.
    alone = dict.fromkeys(range(30, stop), 40.0)
    seams = dict.fromkeys(range(30, stop), 200.0)
    columns = scene(motion_x=steps, motion_residual=left, impulse=alone, seam=seams)
    assert places(columns) == [("shift", 30, stop)]


def test_a_bump_along_the_way_is_told_by_its_way_back() -> None:
    pan, steady = dict.fromkeys(range(ROWS), 2.0), dict.fromkeys(range(ROWS), 0.2)
    back = scene(motion_x={**pan, 30: 8.8, 31: -4.8}, motion_residual=steady)
    repeat = scene(motion_x={**pan, 30: 0.0, 31: 4.0}, motion_residual=steady)
    assert places(back) == [("shift", 30, 31)]
    assert places(repeat) == []


def test_catching_up_behind_a_freeze_is_no_bump() -> None:
    still = dict.fromkeys(range(22, 30), 1.0)
    jump = {"motion_x": {30: 6.0}, "motion_residual": {30: 0.3}}
    assert places(scene(**jump, difference_p99=still)) == []
    # In a scene where nothing goes on, nothing can be caught up.
    calm = dict.fromkeys(range(ROWS), 0.3) | {29: 0.0}
    assert places(scene(**jump, difference_p99=calm)) == [("shift", 30, 31)]


def test_a_freeze_ends_with_content_that_is_neither_damage_nor_bent() -> None:
    still = dict.fromkeys(range(22, 30), 1.0)
    assert places(scene(**BENT, difference_p99=still)) == []
    assert places(scene(**LONE, seam={30: 400.0}, difference_p99=still)) == []


def test_a_jump_whose_way_back_no_motion_explains_is_no_bump() -> None:
    """Part of the frame shows a later instant: the jump to it looks like one of the camera."""
    pan = dict.fromkeys(range(ROWS), 2.6)
    left = dict.fromkeys(range(ROWS), 0.15) | {30: 0.55, 31: 0.9}
    assert places(scene(motion_x={**pan, 30: 4.6, 31: 0.3}, motion_residual=left)) == []


def test_a_camera_that_gathers_speed_does_not_leap() -> None:
    speed = {28: 0.9, 29: 2.8, 30: 4.8, 31: 3.6, 32: 2.4, 33: 1.0}
    assert places(scene(motion_x=speed, motion_residual=dict.fromkeys(speed, 0.5))) == []


def test_steps_that_return_regularly_are_a_cadence() -> None:
    rows = range(0, ROWS, 3)
    columns = scene(motion_x=dict.fromkeys(rows, 6.0), motion_residual=dict.fromkeys(rows, 0.2))
    assert places(columns) == []


def test_what_the_decoder_says_lasts_until_the_keyframe_that_renews_the_frame() -> None:
    status = np.zeros(ROWS, np.uint8)
    status[20:22] = Status.CORRUPT
    renewed = scene(status=status, warp_residual={30: 0.2}, keyframe={0: 1.0, 30: 1.0})
    (segment,) = found(renewed)
    assert (segment.kind, segment.start, segment.stop) == ("corruption", 20, 30)
    assert segment.confidence == 0.92
    assert segment.evidence == "the decoder reports damage at frame 20, which lasts up to frame 29"
    assert places(scene(status=status, keyframe={0: 1.0, 30: 1.0})) == [("corruption", 20, 22)]


def test_confidence_grows_with_the_margin() -> None:
    weak, strong = (
        found(scene(motion_x={30: x}, motion_residual={30: 0.3}))[0] for x in (1.8, 6.0)
    )
    # Margins are 1.8 / 1.5 and 6 / 1.5.
    assert weak.confidence == pytest.approx(confidence("shift", 1.2))
    assert strong.confidence == pytest.approx(confidence("shift", 4.0))
    assert strong.evidence == (
        "the whole of frame 30 jumps by 6 px, 4 times what its usual motion would explain,"
        " and stays there"
    )


def test_a_tear_is_told_in_steps_and_a_ghost_with_its_evidence() -> None:
    (torn,) = found(scene(**PACED))
    assert torn.evidence == (
        "the upper 35 % of frame 30 goes 0.9 usual steps less than the rest, and as many more at"
        " frame 32; 2.721 times what would be enough"
    )
    (ghost,) = found(scene(**TWICE))
    assert ghost.evidence == (
        "frame 30 is of two instants: the detail of what moves is 6 code values, around it 8, and"
        " its slopes are 1 times those of the neighbours, around it 1.1; seen again 2 frames of"
        " motion apart, with a correlation of 0.5, around it 0.1; of mixtures the best leaves 3"
        " times what motion leaves, around it 4; the steps to it and from it are 0.75 and 1 times"
        " as large as usual"
    )


def in_cadence(share: float, **changes: dict[int, float]) -> Columns:
    """A scene of which two of five frames change by a part of what the others do."""
    columns = scene(**changes)
    calm = np.isin(np.arange(ROWS) % 5, (2, 4))
    columns.signals["difference_rms"] = np.where(calm, 20 * share**2, 20).astype(np.float32)
    columns.signals["pace"] = np.where(calm, share, 1).astype(np.float32)
    columns.signals["frame_difference"] = columns.signals["difference_rms"] / 2
    for name in ("structure_step", "histogram_step"):
        columns.signals[name] = np.zeros(ROWS, np.float32)
    assert len(DETECTORS["cadence"].detect(columns)) == 1
    return columns


@pytest.mark.parametrize(("share", "ghosts"), [(0.6, 0), (0.1, 1)])
def test_frames_of_two_fields_are_no_ghosts(share: float, ghosts: int) -> None:
    """Two of five frames show a new field beside an old one; what repeats shows one instant."""
    assert len(DETECTORS["ghosting"].detect(in_cadence(share, **TWICE))) == ghosts


@pytest.mark.parametrize(("row", "ghosts"), [(30, 1), (32, 0)])
def test_a_repeat_in_a_cadence_is_of_one_instant(row: int, ghosts: int) -> None:
    twice = {name: {row: values[30]} for name, values in TWICE.items()}
    assert len(DETECTORS["ghosting"].detect(in_cadence(0.1, **twice))) == ghosts


@pytest.mark.parametrize(("px", "alone", "bumps"), [(2.4, 1, 0), (6.0, 1, 1)])
def test_a_bump_in_a_cadence_exceeds_its_steps(px: float, alone: int, bumps: int) -> None:
    """A frame behind one that repeats goes two usual steps at once."""
    jump = {"motion_x": {30: px}, "motion_residual": {30: 0.3}}
    assert len(DETECTORS["shift"].detect(scene(**jump))) == alone
    assert len(DETECTORS["shift"].detect(in_cadence(0.1, **jump))) == bumps


@pytest.mark.parametrize(("left", "warps"), [(0.053, 0), (0.058, 1)])
def test_a_bend_leaves_more_than_motion_explains(left: float, warps: int) -> None:
    """Things that pass by quickly have content of their own and leave their way, but motion leaves
    6 % more than usual there, not 16 %."""
    bent = {**BENT, "warp_residual": {30: left, 31: left}}
    assert len(DETECTORS["warp"].detect(scene(**bent))) == warps


def test_bends_are_told_with_their_place_or_their_way() -> None:
    (one,) = found(scene(**BENT))
    assert one.evidence == (
        "places of frame 30 lie elsewhere than before and after: they leave their way by 1 px and"
        " come back, 40 code values are in neither neighbour, and motion leaves 2 times as much as"
        " usual"
    )
    (two,) = found(scene(**BRIEF))
    assert two.evidence == (
        "around 50 % of the width and 50 % of the height, frames 30 to 31 are unlike those before"
        " and behind, and unlike each other: 25 code values that no motion explains begin there and"
        " are gone again"
    )
    assert two.confidence == confidence("warp", 4.0)
    beside = {"unmatched": {29: 15.0}, "wobble": {29: 0.6}, "onset_x": {29: 0.1}}
    left = {"warp_residual": {29: 0.1, **BRIEF["warp_residual"]}}
    (three,) = found(scene(**{**BRIEF, **beside, **left}))
    assert (three.start, three.stop, three.evidence) == (29, 32, two.evidence)


def test_photos_of_a_time_lapse_are_not_asked() -> None:
    assert places(scene(step_s=600.0, **JUMP)) == []


def test_runs_without_the_signals_are_left_out() -> None:
    columns = scene(**JUMP)
    without = Columns(columns.frames, {}, {}, {"luma_mean": columns.signals["luma_mean"]})
    assert not any(DETECTORS[kind].can_read(without) for kind in ("shift", "tearing", "warp"))


RESTLESS = {
    "wobble": dict.fromkeys(range(1, 60, 2), 0.3),
    "unmatched": {30: 8.0},
    "onset": dict.fromkeys(range(60), 5.0),
    "warp_residual": {30: 0.07, 31: 0.07},
}
"""All places leave their way in every second frame, as in the hand that holds a camera."""


def test_where_all_is_restless_a_bend_is_told_by_what_it_shows() -> None:
    (bend,) = found(scene(**RESTLESS))
    assert (bend.kind, bend.start, bend.stop) == ("warp", 30, 31)
    assert bend.evidence == (
        "places of frame 30 lie elsewhere than before and after: 8 code values are in neither"
        " neighbour, and motion leaves 1.4 times as much as usual"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"wobble": {}},  # a calm scene, in which nothing left its way
        {"tear_explained": {31: 0.5}},  # two parts go ways of their own
        {"onset": {30: 60.0}},  # something begins, and stays
        {"blend_residual": {30: 1.0}},  # a mixture leaves as much as motion
        {"unmatched": {30: 2.0}},  # little is new
        {"warp_residual": {30: 0.053, 31: 0.053}},  # motion explains it
    ],
)
def test_in_a_restless_scene_other_things_are_no_bend(
    changes: dict[str, dict[int, float]],
) -> None:
    assert found(scene(**{**RESTLESS, **changes})) == []
