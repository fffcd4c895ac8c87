"""Bumps of a hand-held camera whose frames are shown twice or three times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments.detectors import DETECTORS, Columns

ROWS = 60
STEPS = np.random.default_rng(0).standard_normal(ROWS + 4)
WALK_PX = 4 * np.convolve(STEPS, np.ones(5) / 5, "valid")
"""Motion of a hand-held camera, frame by frame."""
QUIET = ("motion_rotation", "structure_step", "histogram_step")


def hand_held(held: int, jump_px: float = 0.0) -> Columns:
    """A camera of which every frame is shown so often; frame 30 jumps."""
    new = np.arange(ROWS) % held == 0
    x = np.zeros(ROWS)
    x[new] = np.resize(WALK_PX, int(new.sum()))
    signals = dict.fromkeys(QUIET, np.zeros(ROWS)) | {"motion_y": np.roll(x, 3 * held) / 2}
    x[0], x[30] = np.nan, x[30] + jump_px
    signals |= {"motion_x": x, "motion_residual": np.where(new, 0.3, 1.0)}
    for name in ("difference_p99", "difference_rms", "frame_difference"):
        signals[name] = np.where(new, 20, 0.1)
    for name, value in (("pace", np.nan), ("luma_mean", 100), ("luma_std", 40)):
        signals[name] = np.full(ROWS, value)
    frames = replace(make_scores(ROWS).frames, time_s=np.arange(ROWS) * 0.04)
    return Columns(frames, {}, {}, {name: v.astype(np.float32) for name, v in signals.items()})


@pytest.mark.parametrize("held", [1, 2, 3])
def test_a_hand_held_camera_is_not_bumped_where_frames_are_held(held: int) -> None:
    """What is shown again stands still, and the next frame goes on as it went."""
    assert DETECTORS["shift"].detect(hand_held(held)) == []
    assert len(DETECTORS["cadence"].detect(hand_held(held))) == (held > 1)
    [bump] = DETECTORS["shift"].detect(hand_held(held, jump_px=90.0))
    assert (bump.kind, bump.start) == ("shift", 30)
