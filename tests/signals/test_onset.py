"""What begins at a frame and stays, on scenes whose values are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.signal_scenes import H, W, in_turn, view

ROW, SIDE = 3, 24
"""The row at which a thing appears, and its side."""


def things(gone_at: int, by: float = 60.0) -> list[np.ndarray]:
    """A scene that moves on, in front of which a thing stands for some frames."""
    frames = [view(2.0 * n) for n in range(8)]
    for frame in frames[ROW:gone_at]:
        frame[40 : 40 + SIDE, 80 : 80 + SIDE] = 255 - by
    return frames


def test_what_appears_and_is_gone_is_an_onset_in_both_frames() -> None:
    frames = things(gone_at=6)
    codes, x, y = (in_turn(frames, name) for name in ("onset", "onset_x", "onset_y"))
    quiet = [codes[n] for n in (1, 2, 4, 5)]
    assert max(quiet) < 8
    assert min(codes[3], codes[6]) > 25
    assert np.isnan([codes[0], codes[-1]]).all()
    for row in (3, 6):
        assert x[row] == pytest.approx((80 + SIDE / 2) / W, abs=0.04)
        assert y[row] == pytest.approx((40 + SIDE / 2) / H, abs=0.06)


def test_what_only_one_frame_has_is_no_onset_there() -> None:
    codes = in_turn(things(gone_at=ROW + 1), "onset")
    stays = in_turn(things(gone_at=7), "onset")
    assert codes[ROW] < stays[ROW] / 2
