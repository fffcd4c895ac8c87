"""What tells another shot, on scenes whose values are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.signal_scenes import frame, step, texture, view

from vfiscope.signals import SIGNALS
from vfiscope.signals.frame_flow import flow_between

SHOT = ("shot_step", "shot_residual")


def test_the_same_scene_is_no_other_shot_whatever_its_light() -> None:
    then = view()
    assert step(then, then, *SHOT) == pytest.approx([0, 0], abs=1e-6)
    structure, _ = step(then, then * 0.6, *SHOT)
    assert structure < 0.02
    assert all(math.isnan(SIGNALS[name].compute(frame(then))) for name in SHOT)


def test_motion_is_followed_only_where_something_is_left() -> None:
    then = view()
    moved = np.roll(then, 4, axis=1)
    where_it_lies = 1 - np.median(
        [
            np.corrcoef(then[y : y + 8, x : x + 8].ravel(), moved[y : y + 8, x : x + 8].ravel())[
                0, 1
            ]
            for y in range(0, then.shape[0] - 7, 8)
            for x in range(0, then.shape[1] - 7, 8)
        ]
    )
    structure, left = step(then, moved, *SHOT)
    assert where_it_lies > 0.2
    assert structure < 0.1
    assert left < 0.2


def test_another_scene_is_another_shot_and_two_plain_frames_tell_nothing() -> None:
    then = view()
    other = texture(99, then.shape)
    structure, left = step(then, other, *SHOT)
    assert structure > 0.6
    assert left > 0.24
    grey = np.full(then.shape, 90)
    assert math.isnan(step(grey, grey + 3, "shot_step")[0])


@pytest.mark.parametrize("size", [(12, 240), (24, 200), (12, 40), (240, 12)])
def test_flow_is_found_in_frames_of_any_shape(size: tuple[int, int]) -> None:
    """OpenCV crashes on wide and low ones."""
    then = texture(5, size).astype(np.uint8)
    assert flow_between(np.roll(then, 1, axis=1), then).shape == (*size, 2)
