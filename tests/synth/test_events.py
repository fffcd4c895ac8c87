"""Planted faults and made frames against what can be computed by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.types import Role


def plain(value: int = 120, *, n: int = 6, height: int = 8, width: int = 10) -> synth.Clip:
    """``n`` grey frames of value, value + 10, value + 20 ..., 10 units of 1/100 s apart."""
    levels = (value + 10 * np.arange(n)).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (n, height, width, 3)).copy()
    return synth.Clip.at_rate(frames, 10).replace(pts=10 * np.arange(n), time_base=Fraction(1, 100))


def levels(clip: synth.Clip) -> list[int]:
    """The value of each frame of a grey clip."""
    assert np.all(clip.frames == clip.frames[:, :1, :1, :1])
    return clip.frames[:, 0, 0, 0].tolist()


def test_cut() -> None:
    joined = synth.cut(plain(0, n=3), synth.ghost(plain(100, n=4), 1, 2))
    assert levels(joined) == [0, 10, 20, 100, 115, 120, 130]
    assert joined.pts.tolist() == [0, 10, 20, 30, 40, 50, 60]
    assert joined.truth["events"] == [
        {"kind": "cut", "start": 3, "stop": 4},
        {"kind": "ghosting", "start": 4, "stop": 5, "weight": 0.5, "distance": 1},
    ]


def test_repeat() -> None:
    clip = synth.repeat(plain(0), 2, 3)
    assert levels(clip) == [0, 10, 10, 10, 10, 50]
    assert clip.instant.tolist() == [0, 1, 1, 1, 1, 5]
    assert clip.truth["events"] == [{"kind": "freeze", "start": 2, "stop": 5, "shows": 1}]
    assert synth.repeat(plain(), 2).events[0].kind == "duplicate"


@pytest.mark.parametrize(("gap", "pts"), [(True, [0, 10, 40, 50]), (False, [0, 10, 20, 30])])
def test_drop(gap: bool, pts: list[int]) -> None:
    clip = synth.drop(plain(0), 2, 2, gap=gap)
    assert levels(clip) == [0, 10, 40, 50]
    assert clip.pts.tolist() == pts
    assert clip.instant.tolist() == [0, 1, 4, 5]
    assert clip.truth["events"] == [
        {"kind": "drop", "start": 2, "stop": 3, "missing": 2, "gap": gap}
    ]


def test_drop_takes_its_part_of_earlier_events() -> None:
    clip = synth.blur(synth.blur(synth.blur(plain(n=9), 0, 3), 3, 5), 6, 8)
    ranges = [(event.kind, event.start, event.stop) for event in synth.drop(clip, 2, 3).events]
    assert ranges == [("blur", 0, 2), ("blur", 3, 5), ("drop", 2, 3)]


def test_insert_moves_what_follows() -> None:
    clip = synth.blur(synth.blur(plain(0), 0, 2), 1, 5)
    clip = synth.insert(clip, 2, np.full((2, 8, 10, 3), 200, np.uint8))
    assert levels(clip) == [0, 10, 200, 200, 20, 30, 40, 50]
    assert clip.pts.tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
    assert np.array_equal(clip.instant, [0, 1, np.nan, np.nan, 2, 3, 4, 5], equal_nan=True)
    assert clip.role.tolist() == [0, 0, Role.UNKNOWN, Role.UNKNOWN, 0, 0, 0, 0]
    assert [(event.start, event.stop) for event in clip.events] == [(0, 2), (1, 7), (2, 4)]
    assert synth.insert(plain(0), 6, np.zeros((1, 8, 10, 3), np.uint8)).pts.tolist() == [
        0,
        10,
        20,
        30,
        40,
        50,
        60,
    ]


def test_brightness_step() -> None:
    clip = synth.brightness_step(plain(200), 1, 3, gain=1.1, offset=-1.0)
    assert levels(clip) == [200, 230, 241, 230, 240, 250]
    assert levels(synth.brightness_step(plain(200), 5, 6, gain=2.0))[5] == 255
    assert clip.truth["events"] == [
        {"kind": "exposure", "start": 1, "stop": 3, "gain": 1.1, "offset": -1.0}
    ]


def test_flicker() -> None:
    clip = synth.flicker(plain(100), 1, 5, gain=0.5)
    assert levels(clip) == [100, 55, 120, 65, 140, 150]
    assert clip.truth["events"] == [{"kind": "flicker", "start": 1, "stop": 5, "gain": 0.5}]


def test_fade() -> None:
    clip = synth.fade(plain(100), 1, 5, to=(20, 20, 20))
    assert levels(clip) == [
        100,
        round(110 - 90 / 4),
        round(120 - 100 / 2),
        round(130 - 110 * 0.75),
        20,
        150,
    ]
    assert clip.truth["events"] == [
        {"kind": "fade", "start": 1, "stop": 5, "to": [20.0, 20.0, 20.0]}
    ]


def test_ghost_blends_with_a_later_frame_and_at_the_end_with_an_earlier() -> None:
    clip = synth.ghost(plain(0), 2, 6, weight=0.25, distance=2)
    assert levels(clip) == [0, 10, 25, 35, 35, 45]
    assert np.array_equal(clip.instant, [0, 1, np.nan, np.nan, np.nan, np.nan], equal_nan=True)
    assert clip.truth["events"] == [
        {"kind": "ghosting", "start": 2, "stop": 6, "weight": 0.25, "distance": 2}
    ]


def test_ghost_of_several_instants() -> None:
    clip = synth.ghost(plain(0), 2, 4, weight=0.75, distance=(-2, -1, 2))
    # 20 with the mean of 0, 10 and 40; 30 with that of 10, 20 and 50.
    assert levels(clip) == [0, 10, round(5 + 0.75 * 50 / 3), round(7.5 + 0.75 * 80 / 3), 40, 50]
    assert clip.truth["events"][0]["distance"] == [-2, -1, 2]


def test_noise_has_the_deviation_asked_for() -> None:
    base = plain(120, height=60, width=80)
    clip = synth.noise(base, 1, 3, sigma=5.0, seed=3)
    difference = clip.frames.astype(float) - base.frames
    assert difference[[0, 3, 4, 5]].any() == np.False_
    assert difference[1:3].std() == pytest.approx(np.sqrt(5.0**2 + 1 / 12), rel=0.02)
    assert np.corrcoef(difference[1].ravel(), difference[2].ravel())[0, 1] == pytest.approx(
        0.0, abs=0.03
    )
    assert np.array_equal(clip.frames, synth.noise(base, 1, 3, sigma=5.0, seed=3).frames)
    assert clip.truth["events"] == [
        {"kind": "noise", "start": 1, "stop": 3, "sigma": 5.0, "seed": 3}
    ]


def test_blur_spreads_a_line_as_a_gaussian() -> None:
    base = plain(0, n=2, height=21, width=41)
    base.frames[1, :, 20] = 255
    row = synth.blur(base, 1, 2, sigma=2.0).frames[1, 10, :, 0].astype(float)
    x = np.arange(41) - 20
    gauss = np.exp(-(x**2) / 8.0)
    # The ground of frame 1 is 10.
    assert np.abs(row - 10 - 245 * gauss / gauss.sum()).max() < 1.0


def test_shift_moves_content() -> None:
    base = plain(0, n=3, height=12, width=16)
    base.frames[1, 4, 5] = 255
    clip = synth.shift(base, 1, 2, dx=3, dy=-2)
    assert np.argwhere(clip.frames[1, ..., 0] == 255).tolist() == [[2, 8]]
    assert np.array_equal(clip.frames[[0, 2]], base.frames[[0, 2]])
    assert clip.truth["events"] == [{"kind": "shift", "start": 1, "stop": 2, "dx": 3, "dy": -2}]


def test_tear_shows_two_instants() -> None:
    clip = synth.tear(plain(0), 2, 4, row=3)
    assert clip.frames[2, :, 0, 0].tolist() == [20] * 3 + [10] * 5
    assert clip.frames[3, :, 0, 0].tolist() == [30] * 3 + [20] * 5
    assert clip.truth["events"] == [{"kind": "tearing", "start": 2, "stop": 4, "row": 3}]


def test_variable_rate() -> None:
    clip = synth.variable_rate(plain(), [0, 1, 5, 6, 7, 20])
    assert clip.time_s.tolist() == pytest.approx([0.0, 0.01, 0.05, 0.06, 0.07, 0.2], abs=1e-12)
    assert clip.truth["pts"] == [0, 1, 5, 6, 7, 20]


def test_events_leave_the_clip_they_were_given() -> None:
    base = plain(0)
    before = base.frames.copy()
    for changed in (
        synth.ghost(base, 1, 3),
        synth.repeat(base, 2),
        synth.fade(base, 0, 4),
        synth.drop(base, 2),
    ):
        assert not np.array_equal(changed.frames, before)
    assert np.array_equal(base.frames, before)
    assert base.events == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: synth.blur(c, 4, 9), r"range \[4, 9\)"),
        (lambda c: synth.blur(c, 3, 3), r"range \[3, 3\)"),
        (lambda c: synth.repeat(c, 0), "no frame before it"),
        (lambda c: synth.drop(c, 4, 2), "leave a frame before and after"),
        (
            lambda c: synth.insert(c, 1, np.zeros((1, 8, 9, 3), np.uint8)),
            "frames of the clip's size",
        ),
        (lambda c: synth.insert(c, 7, np.zeros((1, 8, 10, 3), np.uint8)), "a place within it"),
        (lambda c: synth.cut(c, plain(height=9)), "one size and time base"),
        (lambda c: synth.ghost(c, 1, 2, distance=3), "ghost distance is 3"),
        (lambda c: synth.ghost(c, 1, 2, distance=()), r"ghost distance is \(\)"),
        (lambda c: synth.tear(c, 1, 2, row=8), "row inside the frame"),
        (lambda c: synth.variable_rate(c, [0, 1, 2, 2, 3, 4]), "pts do not increase"),
        (lambda c: synth.variable_rate(c, [0, 1]), "one value for each of the 6 frames"),
        (lambda c: synth.interpolate_by(c, "magic"), "method is 'magic'"),
        (lambda c: synth.interpolate_by(c, "motion"), "needs the scene"),
        (lambda c: synth.interpolate_by(c, "blend", factor=1), "factor is 1"),
        (lambda c: synth.Clip.at_rate(c.frames[..., :2]), "pass \\(N, H, W, 3\\) uint8"),
        (lambda c: synth.Clip.at_rate(c.frames, 0), "rate is 0"),
    ],
)
def test_impossible_events(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(plain(0))


def test_interpolation_by_repeating_and_blending() -> None:
    clip = plain(0, n=7)
    assert levels(synth.interpolate_by(clip, "repeat")) == [0, 0, 20, 20, 40, 40, 60]
    assert levels(synth.interpolate_by(clip, "blend", factor=4)) == [0, 10, 20, 30, 40, 40, 40]
    made = synth.interpolate_by(clip, "repeat")
    assert made.role.tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert made.truth["role"][:2] == ["passed", "synthesised"]
    assert made.instant.tolist() == [0, 0, 2, 2, 4, 4, 6]


def test_interpolation_along_the_true_motion() -> None:
    scene = synth.Scene(120, 160, seed=3, objects=2, velocity=(2.5, -1.0))
    clip = scene.clip(5)
    error = {
        strength: np.abs(
            synth.interpolate_by(clip, "motion", scene=scene, strength=strength).frames.astype(int)
            - clip.frames
        ).mean(axis=(1, 2, 3))
        for strength in (0.0, 0.6, 1.0)
    }
    for i in (1, 3):
        assert error[1.0][i] < 1.0
        assert error[1.0][i] < 0.6 * error[0.6][i] < 0.6 * error[0.0][i]
    assert error[0.6][[0, 2, 4]].tolist() == [0, 0, 0]
