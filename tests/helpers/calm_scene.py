"""Columns of a calm scene, in which a test puts faults by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from vfiscope.segments.detectors import Columns
from vfiscope.types import FrameTable

ROWS = 60
QUIET = {
    "impulse": -0.2,
    "seam": 100.0,
    "warp_residual": 0.05,
    "structure_step": 0.01,
    "light_step": 0.0,
    "luma_mean": 100.0,
    "luma_std": 40.0,
    "luma_p1": 20.0,
    "luma_p99": 220.0,
    "sharpness": 5.0,
    "motion_x": 0.0,
    "motion_y": 0.0,
    "motion_rotation": 0.0,
    "motion_residual": 1.0,
    "blend_residual": 4.0,
    "blend_others": 4.0,
    "blend_gradient": 1.1,
    "blend_motion": 6.0,
    "keyframe": 0.0,
    "difference_p99": 20.0,
    "tear_contrast": 0.05,
    "tear_share": 0.5,
    "tear_lag": 1.0,
    "tear_jump": 0.05,
    "tear_jump_share": 0.5,
    "tear_ahead": 0.1,
    "tear_rows": 1.0,
    "tear_split": 0.5,
    "tear_explained": 0.1,
    "tear_agreed": 0.5,
    "unmatched": 1.0,
    "echo_1": 0.3,
    "echo_2": 0.1,
    "echo_3": 0.0,
    "moving_detail": 8.0,
    "wobble": 0.0,
    "onset": 3.0,
    "onset_x": 0.5,
    "onset_y": 0.5,
}
"""A calm scene."""
TWICE = {
    "echo_2": {30: 0.5},
    "moving_detail": {30: 6.0},
    "blend_gradient": {30: 1.0},
    "blend_others": {30: 3.0},
    "difference_p99": {30: 15.0},
}
"""A frame of two instants."""


def scene(step_s: float = 0.04, status: np.ndarray | None = None, **changes: dict[int, float]):
    """Columns of a calm scene with other values in some rows: {signal: {row: value}}."""
    signals = {name: np.full(ROWS, value, np.float32) for name, value in QUIET.items()}
    for name, values in changes.items():
        for row, value in values.items():
            signals[name][row] = value
    rows = np.arange(ROWS)
    status = np.zeros(ROWS, np.uint8) if status is None else status
    role, phase = np.zeros(ROWS, np.uint8), np.full(ROWS, np.nan)
    frames = FrameTable(rows, rows, rows * step_s, rows - 1, role, phase, status, Fraction(1, 25))
    return Columns(frames, {}, {}, signals)
