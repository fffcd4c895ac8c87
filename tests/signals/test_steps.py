"""Signals of the step from the frame before, on scenes whose values are known by hand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from helpers.signal_scenes import SCENE, H, W, frame, in_turn, step, texture, view
from numpy.typing import NDArray

from vfiscope.signals import SIGNALS, SignalFrame

STEPS = ("difference_p99", "difference_rms", "light_step", "histogram_step", "warp_residual")


@pytest.mark.parametrize("name", STEPS)
def test_the_first_frame_has_no_step(name: str) -> None:
    assert math.isnan(SIGNALS[name].compute(frame(view())))


def test_differences_of_blocks_and_of_all_pixels() -> None:
    """One of 7 x 12 blocks changes by 50, another by 30: by rank, the 99th percentile is 30."""
    then = np.full((112, 192), 100)
    now = then.copy()
    now[16:32, 32:48] += 50
    now[64:80, 48:64] -= 30
    found = step(then, now, "difference_p99", "difference_rms")
    assert found == pytest.approx([30, math.sqrt((2500 + 900) / 84)])
    assert step(then, then, "difference_p99", "difference_rms") == [0, 0]


def test_a_step_of_the_light_is_told_from_moving_content() -> None:
    then = view()
    brighter = then * 1.2
    g, spread, share = step(then, brighter, "light_step", "light_spread", "light_share")
    assert (g, spread) == pytest.approx((math.log(1.2), 0), abs=0.01)
    assert share > 0.95
    moved = then.copy()
    moved[:, 120:] = 230  # two fifths of the frame
    g, _, share = step(then, moved, "light_step", "light_spread", "light_share")
    assert abs(g) < 0.01
    assert step(then, then, "light_step", "light_share") == [0, 0]
    black = np.zeros((H, W))
    assert all(map(math.isnan, step(black, black, "light_step", "light_spread", "light_share")))


def test_a_histogram_step_is_the_part_of_other_colours() -> None:
    pixels = np.zeros((8, 500, 3), np.uint8)
    other = pixels.copy()
    other[:, :250] = (40, 0, 0)  # the next bin of red
    pair = SignalFrame(other, 8, before=SignalFrame(pixels, 8))
    assert SIGNALS["histogram_step"].compute(pair) == 0.5
    near = pixels.copy()
    near[:] = 31  # the same bins
    assert SIGNALS["histogram_step"].compute(SignalFrame(near, 8, before=pair.before)) == 0.0
    deep = [np.full((4, 4, 3), value, np.uint16) for value in (127, 128)]
    pair = SignalFrame(deep[1], 10, before=SignalFrame(deep[0], 10))
    assert SIGNALS["histogram_step"].compute(pair) == 1.0


def test_motion_leaves_little_and_another_scene_much() -> None:
    names = ("warp_residual", "structure_step")
    moving, other = view(3, 1), texture(2)[:H, :W]
    assert max(step(view(), moving, *names)) < 0.08
    assert min(step(view(), other, *names)) > 0.6
    dark = [12 + each / 16 for each in (view(), moving, other)]  # a deviation of 2.5 code values
    assert step(dark[0], dark[1], "structure_step")[0] < 0.25
    assert step(dark[0], dark[2], "structure_step")[0] > 0.6
    assert step(view(), view() * 0.5 + 30, "structure_step")[0] < 0.02
    plain = np.full((H, W), 100)
    assert math.isnan(step(plain, plain, "structure_step")[0])
    assert math.isnan(step(plain[:8], plain[:8], "warp_residual")[0])


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2.5, -1), (-7, 4), (30, 0), (-22, 18)])
def test_the_camera_is_found_however_far_it_was_bumped(x: float, y: float) -> None:
    """Content moves to the left by as much as the view moves to the right."""
    names = ("motion_x", "motion_y", "motion_rotation", "motion_scale")
    assert step(view(), view(x, y), *names) == pytest.approx([-x, -y, 0, 1], abs=0.25)


def test_the_camera_is_found_at_the_size_of_the_frame() -> None:
    scene = cv2.resize(SCENE, None, fx=3, fy=3)
    then, now = scene[60:420, 60:660], scene[60:420, 72:672]
    found = step(then, now, "motion_x", "motion_y")
    assert found == pytest.approx([-12, 0], abs=0.5)


@pytest.mark.parametrize(("degrees", "factor"), [(1.5, 1.0), (-0.5, 1.02), (0.0, 0.97)])
def test_rotation_and_scale(degrees: float, factor: float) -> None:
    middle = ((W - 1) / 2 + 40, (H - 1) / 2 + 40)
    # OpenCV counts angles against the clock.
    matrix = cv2.getRotationMatrix2D(middle, -degrees, factor)
    turned = cv2.warpAffine(SCENE, matrix, (W + 80, H + 80), flags=cv2.INTER_CUBIC)
    names = ("motion_rotation", "motion_scale", "motion_x", "motion_y")
    found = step(view(), view(scene=turned), *names)
    assert found[:2] == pytest.approx([degrees, factor], abs=0.06)
    assert found[2:] == pytest.approx([0, 0], abs=0.3)


def test_an_object_does_not_move_the_camera() -> None:
    then, now = view(), view(2, 0)
    for luma, left in ((then, 60), (now, 66)):
        luma[30:80, left : left + 60] = texture(5)[:50, :60]
    names = ("motion_x", "motion_y", "motion_residual")
    found = step(then, now, *names)
    assert found[:2] == pytest.approx([-2, 0], abs=0.2)
    assert found[2] < 0.6
    assert step(then, then, "motion_x", "motion_y") == pytest.approx([0, 0], abs=0.05)
    assert math.isnan(step(then, then, "motion_residual")[0])
    plain = np.full((H, W), 90)
    assert math.isnan(step(plain, plain, "motion_x")[0])


def test_pace_counts_instants() -> None:
    """A steady pan of 2 px whose frame 5 repeats and whose frames 9 and 10 are missing."""
    places = [0, 2, 4, 6, 8, 8, 10, 12, 14, 20, 22, 24]
    found = in_turn([view(x) for x in places], "pace")
    assert math.isnan(found[0])
    usual = [found[n] for n in (1, 2, 3, 4, 7, 11)]
    assert usual == pytest.approx([1] * 6, abs=0.1)
    assert found[5] == pytest.approx(0, abs=0.05)
    assert found[9] == pytest.approx(3, abs=0.3)
    spread = in_turn([view(x) for x in places], "pace_spread")
    assert max(spread[1:5]) < 0.2
    still = in_turn([view()] * 4, "pace")
    assert all(map(math.isnan, still))


EVEN = ("even_pace", "even_agreed", "even_off")


def even_steps(frames: list[NDArray[np.uint8]]) -> list[list[float]]:
    return list(zip(*(in_turn(frames, name) for name in EVEN), strict=True))


def test_steps_beside_even_motion_count_missing_instants() -> None:
    """A pan of 2 px whose frames 6 and 7 are missing, and one that gathers speed."""
    found = even_steps([view(x) for x in (0, 2, 4, 6, 8, 10, 16, 18, 20)])
    assert found[3] == pytest.approx([1, 1, 0], abs=0.1)
    assert found[6] == pytest.approx([3, 1, 4], abs=0.3)
    assert all(math.isnan(each) for row in (0, 1, 8) for each in found[row])
    gathers = even_steps([view(x) for x in (0, 2, 5, 9, 14, 20)])
    assert gathers[3] == pytest.approx([1, 1, 0], abs=0.1)


def two_things(left: int, right: int) -> NDArray[np.uint8]:
    """Two squares on a ground that stands, the left one so far down, the right one so far up."""
    luma = view()
    luma[20 + left : 60 + left, 20:60] = texture(5)[:40, :40]
    luma[70 - right : 110 - right, 110:150] = texture(6)[:40, :40]
    return luma


def test_things_agree_in_missing_instants_whatever_their_ways() -> None:
    """Both go two steps at once; and only the left one does, which is no missing instant."""
    both = even_steps([two_things(2 * n, 3 * n) for n in (0, 1, 2, 4, 5, 6)])[3]
    assert both[0] == pytest.approx(2, abs=0.3)
    one = even_steps(
        [two_things(3 * n, 2 * m) for n, m in ((0, 0), (1, 1), (2, 2), (4, 3), (5, 4))]
    )[3]
    assert both[1] > 0.85 > 0.75 > one[1]


def test_heading_tells_motion_that_turns_round_from_a_repeat() -> None:
    """A pan that slows down, turns round in frame 5 and comes back; and one that repeats there."""
    turning = in_turn([view(x) for x in (0, 5, 9, 12, 14, 14.4, 13, 10, 6, 1)], "heading")
    assert turning[5] == pytest.approx(-1, abs=0.05)
    assert turning[2] == pytest.approx(1, abs=0.05)
    repeated = in_turn([view(x) for x in (0, 3, 6, 9, 12, 12, 15, 18, 21)], "heading")
    assert repeated[5] == pytest.approx(1, abs=0.05)
    assert math.isnan(repeated[4])  # nothing moves on from it
    assert math.isnan(repeated[0])
