"""Cuts, fades, flashes, black, exposure and flicker of a video, from columns made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.stage import are_timed
from vfiscope.types import FrameTable, Segment

NAMES = ("shot_cut", "fade", "gradual", "black", "flash", "exposure_step", "light_flicker")
QUIET = {
    "luma_mean": 100.0,
    "luma_std": 40.0,
    "luma_p1": 20.0,
    "luma_p99": 200.0,
    "shot_step": 0.01,
    "shot_residual": 0.02,
    "histogram_step": 0.01,
    "frame_difference": 1.0,
    "difference_p99": 4.0,
    "red_balance": 0.9,
    "blue_balance": 0.8,
    "light_step": 0.001,
    "light_share": 0.5,
    "light_spread": 0.02,
}
CUT = {"shot_step": 0.9, "shot_residual": 1.0, "histogram_step": 0.5}
WEAK = {**CUT, "shot_step": 0.36}
DULL = {"luma_std": 25.0, "luma_p99": 170.0}
Put = Mapping[int, Mapping[str, float]]


def found(put: Put, count: int = 60, step_s: float = 0.04) -> list[tuple[str, int, int]]:
    return [(s.kind, s.start, s.stop) for s in segments(put, count, step_s)]


def segments(put: Put, count: int = 60, step_s: float = 0.04) -> list[Segment]:
    frames = at_25(count, step_s)
    signals = {name: np.full(count, value, np.float32) for name, value in QUIET.items()}
    for row, values in put.items():
        for name, value in values.items():
            signals[name][row] = value
    return flagged(Columns(frames, {}, {}, signals))


def at_25(count: int, step_s: float = 0.04) -> FrameTable:
    return replace(make_scores(count).frames, time_s=np.arange(count) * step_s)


def flagged(columns: Columns) -> list[Segment]:
    said = [each for name in NAMES for each in DETECTORS[name].detect(columns)]
    assert all(0.5 < each.confidence <= 1 and each.evidence for each in said)
    return sorted(said, key=lambda each: each.start)


def lit(step: float) -> dict[str, float]:
    """A change of the light of the whole frame."""
    return {"light_step": step, "light_share": 0.95, "light_spread": 0.005}


def brightness(gains: Sequence[float], start: int = 20) -> dict[int, dict[str, float]]:
    """Frames from ``start`` on with these gains, and the frame after them with 1."""
    put = {}
    for row, (before, now) in enumerate(zip([1.0, *gains], [*gains, 1.0], strict=True), start):
        put[row] = {"luma_mean": 100 * now, **(lit(np.log(now / before)) if now != before else {})}
    return put


def test_a_quiet_clip_and_photos_of_a_time_lapse_have_nothing() -> None:
    assert found({}) == []
    assert found({20: CUT}, step_s=60.0) == []


@pytest.mark.parametrize(
    ("put", "expected"),
    [
        ({20: CUT}, [("cut", 20, 21)]),
        ({20: {**CUT, **DULL}, 22: CUT}, []),  # two other frames
        ({20: CUT, 30: CUT}, [("cut", 20, 21), ("cut", 30, 31)]),
        # between dark shots: colours say little, structure everything
        ({20: {**CUT, "shot_residual": 0.3, "histogram_step": 0.04}}, [("cut", 20, 21)]),
        # half of the frame stays
        ({20: {**CUT, "shot_step": 0.36, "shot_residual": 0.3}}, [("cut", 20, 21)]),
        # damage: as unlike as that, in several rows
        ({row: {**CUT, "shot_step": 0.36} for row in (20, 22, 23)}, []),
        # covered for a while: as dark as that before, and then as before
        ({**dict.fromkeys(range(21, 30), DULL), 20: {**WEAK, **DULL}, 30: WEAK}, []),
        # light: structure stays
        ({20: {**CUT, "shot_step": 0.1}}, []),
        # a lamp in noise: colours stay
        ({20: {**CUT, "histogram_step": 0.01}}, []),
        # fast motion: no frame stands out
        ({row: {**CUT, "shot_step": 0.7 + row % 2 / 10} for row in range(60)}, []),
    ],
)
def test_cuts_need_another_structure_other_pixels_and_other_colours(
    put: Put, expected: list[tuple[str, int, int]]
) -> None:
    assert found(put) == expected


def test_the_evidence_of_a_cut_has_its_numbers() -> None:
    (segment,) = segments({20: CUT})
    assert segment.evidence == (
        "frame 20 is unlike the frame before: structure changes by 0.9, pixels by 1 standard"
        " deviations, and 50 % of the colours"
    )


def test_cuts_of_an_interpolation_are_told_by_its_score() -> None:
    frames = replace(make_scores(60).frames, time_s=np.arange(60) / 25)
    signals = {name: np.full(60, value, np.float32) for name, value in QUIET.items()}
    for name, value in CUT.items():
        signals[name][20] = value
    assert DETECTORS["shot_cut"].detect(Columns(frames, {}, {}, signals))
    scored = Columns(frames, {"cut": np.zeros(60, np.float32)}, {}, signals)
    assert DETECTORS["shot_cut"].detect(scored) == []


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([1.2], [("flash", 20, 21)]),
        ([2.0, 1.6, 1.3], [("flash", 20, 23)]),  # it dies away
        ([1.02], []),  # 2 of 100 code values
        ([0.8], [("exposure", 20, 21)]),  # darker for a frame
        ([1.1] * 12, [("exposure", 20, 32)]),
        ([0.9] * 12, [("exposure", 20, 32)]),
        ([1.03, 1.06, 1.09, 1.12], [("exposure", 24, 25)]),  # a ramp is none, its end is
        ([1.05, 0.95] * 6, [("flicker", 20, 32)]),
        ([1.0, 0.97] * 6, [("flicker", 21, 32)]),
        ([1.005, 0.995] * 6, []),
    ],
)
def test_changes_of_the_light(gains: list[float], expected: list[tuple[str, int, int]]) -> None:
    assert found(brightness(gains)) == expected


def test_a_step_that_stays_is_one_frame_and_a_cut_is_none() -> None:
    assert found({20: lit(0.2)}) == [("exposure", 20, 21)]
    assert found({20: {**lit(0.2), **CUT}}) == [("cut", 20, 21)]
    # two frames before the end of the clip nobody knows whether it stays
    assert found({57: lit(0.2)}) == [("exposure", 57, 58)]
    assert found({58: lit(0.2)}) == []
    assert found({20: lit(0.2), 58: lit(-0.2)}) == [("exposure", 20, 58)]
    # content, not light: blocks go both ways, or as far as each likes
    assert found({20: {**lit(0.2), "light_share": 0.55}}) == []
    assert found({20: {**lit(0.2), "light_spread": 0.4}}) == []


@pytest.mark.parametrize(
    ("change", "rows", "expected"),
    [
        ({"frame_difference": 5.0, "difference_p99": 8.0}, 40, [("exposure", 20, 21)]),
        ({"frame_difference": 1.5, "difference_p99": 60.0}, 40, []),  # a red thing appears
        ({"frame_difference": 5.0, "difference_p99": 8.0}, 2, []),  # for two frames
    ],
)
def test_white_balance_steps_everywhere_and_stays(
    change: dict[str, float], rows: int, expected: list[tuple[str, int, int]]
) -> None:
    put = {row: {"red_balance": 0.99, "blue_balance": 0.75} for row in range(20, 20 + rows)}
    put[20] |= change
    assert found(put) == expected


def test_neither_end_of_a_flash_is_a_cut() -> None:
    put = {20: {"luma_mean": 180.0, "light_step": np.nan, **CUT}, 21: CUT}
    assert found(put) == [("flash", 20, 21)]


def fading(weights: Sequence[float], to: float, start: int = 20) -> dict[int, dict[str, float]]:
    return {
        row: {"luma_std": 40 * weight, "luma_mean": 100 * weight + (1 - weight) * to}
        for row, weight in enumerate(weights, start)
    }


DOWN = (0.8, 0.6, 0.4, 0.2, 0.0)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((*DOWN, 0.0, *DOWN[-2::-1]), [(20, 30)]),  # out and in
        ((*DOWN, *[0.0] * 35), [(20, 25)]),  # out, at the end of the clip
        ((0.0, 0.0, 0.0), []),  # cut to it and back
        ((0.95, 0.9, 0.85, 0.8, 0.75, 0.7), []),  # half of the contrast stays
    ],
)
@pytest.mark.parametrize("to", [0.0, 240.0])
def test_fades_to_black_and_white(
    weights: Sequence[float], to: float, expected: list[tuple[int, int]]
) -> None:
    said = [(s.start, s.stop) for s in segments(fading(weights, to)) if s.kind == "fade"]
    assert said == expected


def test_within_a_fade_noise_of_black_is_no_cut() -> None:
    put = fading((*DOWN, 0.0, *DOWN[-2::-1]), 0.0)
    put[24].update(CUT)
    assert [kind for kind, *_ in found(put)] == ["fade"]


def test_black_frames() -> None:
    dark = {"luma_mean": 2.0, "luma_std": 0.5, "luma_p99": 4.0}
    assert found({20: dark, 21: dark}) == [("black", 20, 22)]
    assert found({20: {**dark, "luma_p99": 40.0}}) == []  # a title on black


def mixing(frames: int, peak: float, colours: float = 0.08) -> dict[int, dict[str, float]]:
    """New colours from 20 on, until the other shot is whole; contrast falls where all changes."""
    part = np.arange(1, frames + 2) / (frames + 1)
    dip = 1 - 2 * part * (1 - part) if peak < 5 else np.ones(frames + 1)
    return {
        20 + i: {
            "histogram_step": colours,
            "luma_std": 40 * float(np.sqrt(dip[i])),
            "frame_difference": 5.0,
            "difference_p99": 5.0 * peak,
        }
        for i in range(frames + 1)
    }


def more_in(colours: dict[int, float]) -> dict[int, dict[str, float]]:
    return {row: {**mixing(12, 2)[row], "histogram_step": share} for row, share in colours.items()}


@pytest.mark.parametrize(
    ("put", "expected"),
    [
        (mixing(12, peak=2), [("fade", 20, 32)]),  # a dissolve
        (mixing(12, peak=20), [("cut", 20, 32)]),  # a wipe
        (mixing(12, peak=2, colours=0.018), []),  # as fast motion may bring
        (mixing(4, peak=2), []),
        # a dissolve between still shots, which brings most in its first frames; one of them alone
        (mixing(12, 2) | more_in({20: 0.25, 21: 0.4}), [("fade", 20, 32)]),
        (mixing(12, 2) | more_in({21: 0.4}), []),
        ({row: {"histogram_step": 0.08} for row in range(60)}, []),  # always in motion
        ({**mixing(12, peak=20), 19: CUT}, [("cut", 19, 20)]),  # a restless shot after a cut
        # light that goes up alike everywhere
        (
            {
                20 + i: {**mixing(12, 2)[20], "luma_std": 40 + 2.0 * i, **lit(0.05)}
                for i in range(13)
            },
            [],
        ),
    ],
)
def test_dissolves_and_wipes(put: Put, expected: list[tuple[str, int, int]]) -> None:
    assert found(put) == expected


def on_twos(colours: Sequence[float], std: float = 40.0) -> list[tuple[str, int, int]]:
    """What is said of drawings that bring so many new colours and are shown twice; where they
    bring more than 0.06 the contrast is another one."""
    brought = np.zeros(2 * len(colours))
    brought[::2] = colours
    new = brought > 0
    signals = {name: np.full(len(brought), value) for name, value in QUIET.items()}
    signals |= {"histogram_step": brought, "luma_std": np.full(len(brought), 40.0)}
    signals["luma_std"][np.repeat(np.array(colours) > 0.06, 2)] = std
    for name, change in (("frame_difference", 5), ("difference_p99", 12)):
        signals[name] = np.where(new, change, 0.0)
    stored = {name: values.astype(np.float32) for name, values in signals.items()}
    return [
        (s.kind, s.start, s.stop) for s in flagged(Columns(at_25(len(brought)), {}, {}, stored))
    ]


def test_a_pan_on_twos_is_no_dissolve_and_a_dissolve_on_twos_is_one() -> None:
    """Repeats bring nothing: the drawings beside tell how much is usual. A pan that gathers speed
    brings 0.05 of the colours instead of 0.03, and a dissolve 0.1."""
    assert on_twos([0.03] * 60) == []
    assert on_twos([0.03] * 24 + [0.05] * 12 + [0.03] * 24) == []
    assert on_twos([0.03] * 24 + [0.1] * 12 + [0.03] * 24, std=30.0) == [("fade", 48, 71)]


def test_the_evidence_of_a_dissolve_has_its_numbers() -> None:
    """13 of 13 frames bring 8 times the colours of those beside; the least contrast is that of a
    half and half mixture of unrelated shots, in frame 26 or 25: sqrt(1 - 2 * 6/13 * 7/13)."""
    (segment,) = segments(mixing(12, peak=2))
    assert segment.evidence == (
        "one shot dissolves into another within 12 frames: new colours come 8 times as fast as"
        " beside them, and contrast falls to 0.7092 of that beside them"
    )


def test_white_balance_that_returns_is_one_step() -> None:
    tinted = {"red_balance": 0.99, "blue_balance": 0.75}
    whole = {"frame_difference": 5.0, "difference_p99": 8.0}
    put = {row: dict(tinted) for row in range(20, 30)}
    put[20] |= whole
    put[30] = dict(whole)
    assert found(put) == [("exposure", 20, 30)]


def test_frames_that_are_unlike_each_other_and_give_way_are_no_cuts() -> None:
    """Four damaged frames, none like the other, before the scene goes on."""
    state = [150.0, 60.0, 170.0, 80.0]
    put = {20 + i: {**CUT, "luma_mean": luma} for i, luma in enumerate(state)}
    assert found({**put, 24: CUT}) == []


def test_a_regular_keyframe_that_renews_a_damaged_shot_is_no_cut() -> None:
    keys = np.zeros(60, np.float32)
    keys[[0, 18, 36, 54]] = 1
    for regular, expected in ((True, []), (False, [("cut", 36, 37)])):
        if not regular:
            keys[[18, 54]] = 0
        signals = {name: np.full(60, value, np.float32) for name, value in QUIET.items()}
        for name, value in WEAK.items():
            signals[name][36] = value
        frames = replace(make_scores(60).frames, time_s=np.arange(60) * 0.04)
        columns = Columns(frames, {}, {}, {**signals, "keyframe": keys})
        said = DETECTORS["shot_cut"].detect(columns)
        assert [(s.kind, s.start, s.stop) for s in said] == expected


def test_a_wipe_into_a_restless_shot() -> None:
    """New colours come 1.7 times as fast as right behind it, and 8 times as fast as before."""
    restless = {
        row: {"histogram_step": 0.047, "frame_difference": 4.0, "difference_p99": 20.0}
        for row in range(35, 60, 2)
    }
    assert found({**restless, **mixing(12, peak=12)}) == [("cut", 20, 32)]


def test_runs_of_before_have_their_cuts_told_by_what_they_hold() -> None:
    signals = {name: np.full(60, value, np.float32) for name, value in QUIET.items()}
    for name, value in CUT.items():
        signals[name][20] = value
    older = {"shot_step": "structure_step", "shot_residual": "warp_residual"}
    signals = {older.get(name, name): column for name, column in signals.items()}
    frames = replace(make_scores(60).frames, time_s=np.arange(60) * 0.04)
    columns = Columns(frames, {}, {}, signals)
    assert DETECTORS["shot_cut"].can_read(columns)
    assert [s.start for s in DETECTORS["shot_cut"].detect(columns)] == [20]


def test_images_whose_times_nobody_knows_have_no_flash() -> None:
    signals = {name: np.full(60, value, np.float32) for name, value in QUIET.items()}
    for row, values in brightness([1.4, 1.4]).items():
        for name, value in values.items():
            signals[name][row] = value
    frames = replace(make_scores(60).frames, time_s=np.arange(60) * 0.04)
    kinds = []
    for timed in (True, False):
        columns = Columns(frames, {}, {}, signals, timed=timed)
        said = [each for name in NAMES for each in DETECTORS[name].detect(columns)]
        kinds.append([(s.kind, s.start, s.stop) for s in said])
    assert kinds == [[("flash", 20, 22)], [("exposure", 20, 22)]]
    photos = [{"role": "test", "kind": "images"}]
    assert [are_timed({"fps": fps}, photos) for fps in (None, 25.0)] == [False, True]
    assert are_timed({"fps": None, "time_from": "fps"}, photos)
    assert are_timed({"fps": None}, [{"role": "test", "kind": "video"}])


def test_a_step_of_the_light_out_of_black_is_no_exposure() -> None:
    black = {"luma_mean": 16.0, "luma_std": 1.0, "luma_p1": 16.0, "luma_p99": 17.0}
    put = {**dict.fromkeys(range(10, 20), black), 21: lit(0.3)}
    assert found(put) == [("black", 10, 20)]
    assert found({21: lit(0.3)}) == [("exposure", 21, 22)]


def test_a_flicker_begins_and_ends_with_its_faint_changes() -> None:
    steps = [-0.012, 0.025, -0.03, 0.03, -0.025, 0.012]
    assert found({20 + i: lit(step) for i, step in enumerate(steps)}) == [("flicker", 20, 25)]
    assert found({21 + i: lit(s) for i, s in enumerate(steps[1:-1])}) == [("flicker", 21, 24)]


def test_white_balance_that_returns_in_the_other_colour_is_one_step_too() -> None:
    """Blue tells the step; its return is clear in red, too faint a step of which began it."""
    whole = {"frame_difference": 5.0, "difference_p99": 8.0}
    put = {row: {"blue_balance": 0.88, "red_balance": 0.88} for row in range(20, 30)}
    put[20] |= whole
    put[30] = {**whole, "red_balance": 0.98}
    put |= {row: {"red_balance": 0.98} for row in range(31, 60)}
    assert found(put) == [("exposure", 20, 30)]


def test_between_calm_shots_less_is_a_cut_but_not_behind_a_freeze() -> None:
    faint = {"shot_step": 0.17, "shot_residual": 0.3, "histogram_step": 0.2}
    calm = {row: {"shot_step": 0.005} for row in range(60)}
    assert found({**calm, 20: faint}) == [("cut", 20, 21)]
    assert found({**calm, **{row: {"shot_step": 0.03} for row in range(21, 60)}, 20: faint}) == []
    held = {row: {"shot_step": 0.0, "shot_residual": 0.0} for row in range(8, 20)}
    assert found({**calm, **held, 20: faint}) == []


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        ({"histogram_step": 0.15, "shot_residual": 0.65}, 0),
        ({"histogram_step": 0.15, "shot_residual": 1.0}, 1),
        ({"histogram_step": 0.5, "shot_residual": 0.65}, 1),
    ],
)
def test_behind_a_freeze_a_shot_goes_on_with_what_it_would_have_shown(
    cut: dict[str, float], told: int
) -> None:
    """Motion leaves 0.1 in other frames, and nothing in twelve that are held."""
    held = {row: {"shot_step": 0.0, "shot_residual": 0.0} for row in range(8, 20)}
    going = {row: {"shot_residual": 0.1} for row in (*range(8), *range(21, 60))}
    behind = {20: {"shot_step": 0.9, **cut}}
    assert found({**going, **held, **behind}) == [("cut", 20, 21)] * told
    assert found({**going, **behind}) == [("cut", 20, 21)]
    # what was still from its beginning on was not held
    still = {row: {"shot_residual": 0.0} for row in range(20)}
    assert found({**going, **still, **behind}) == [("cut", 20, 21)]
    # before the first frame nothing was held
    calm = {row: {"shot_residual": 0.1} for row in range(60)}
    assert found({**calm, 1: behind[20]}) == [("cut", 1, 2)]
