"""Tears that pixels tell, from columns made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.calm_scene import ROWS, scene

from vfiscope.segments.detectors import DETECTORS
from vfiscope.segments.evidence.confidence import confidence

LATE = {
    "tear_contrast": {30: 0.9},
    "tear_share": {30: -0.5},
    "tear_lag": {30: 2.0},
    "tear_jump": {31: 0.6},
    "tear_jump_share": {31: -0.5},
    "warp_residual": {31: 0.07},
}
"""The bottom of frame 30 is two frames late, and jumps in frame 31."""
LATE_ROWS = {
    "tear_contrast": {30: 0.9, 31: 0.8, 32: 0.7},
    "tear_share": {30: 0.6, 31: 0.7, 32: 0.8},
    "tear_lag": {30: 3.0, 31: 3.0, 32: 3.0},
}
"""The top of three frames is as it was three frames before; the line sinks."""
STANDS = {
    "tear_contrast": {30: 0.8},
    "tear_share": {30: 0.4},
    "tear_jump": {30: 1.5, 31: 0.5},
    "tear_jump_share": {30: -0.6, 31: 0.45},
}
"""The top stands in frame 30 and goes two steps in frame 31."""
CATCHES_UP = {
    "tear_ahead": {31: -1.6},
    "tear_rows": {31: 1.0},
    "tear_split": {31: 0.5},
    "tear_explained": {31: 0.5},
    "tear_agreed": {31: 0.85},
}
"""The bottom goes 1.6 steps more in frame 31 than the rest, which is as clear as is enough."""
LATE_BY_MOTION = {**LATE, "tear_jump": {}, "warp_residual": {}, **CATCHES_UP}
BUSY = {
    "tear_ahead": {24: 0.6, 31: 0.9},
    "tear_rows": {24: 1.0, 31: 1.0},
    "tear_split": {24: 0.4, 31: 0.4},
    "tear_explained": {24: 0.8, 31: 0.8},
    "tear_agreed": {24: 0.95, 31: 0.95},
    "tear_contrast": {24: 0.8, 30: 0.9},
    "tear_share": {24: 0.8, 30: 0.4},
    "tear_jump": {30: 2.0},
    "tear_jump_share": {30: -0.6},
}
"""The top hardly changes in frame 30 and catches up in frame 31; something passed by before."""
AHEAD = {
    **BUSY,
    "tear_share": {24: 0.8, 31: -0.6},
    "tear_contrast": {24: 0.8, 31: 0.9},
    "tear_jump": {31: 2.0},
    "tear_jump_share": {31: 0.4},
}
"""The bottom ran ahead in frame 30, and hardly changes in frame 31."""
Changes = dict[str, dict[int, float]]


@pytest.mark.parametrize(
    ("changes", "torn"),
    [
        (LATE, (30, 31)),
        # It jumped two frames ago to what it should show now.
        (
            {
                **LATE,
                "tear_jump": {28: 0.6},
                "tear_jump_share": {28: -0.5},
                "warp_residual": {28: 0.07},
            },
            (28, 29),
        ),
        # The rest changes less in the row where the bottom jumps: the split is the same.
        (
            {
                **LATE,
                "tear_contrast": {30: 0.9, 31: 0.7},
                "tear_share": {30: -0.5, 31: 0.45},
                "tear_jump": {},
            },
            (30, 31),
        ),
        # A part jumps behind those rows, after one more of new content, or three rows before.
        ({**LATE_ROWS, "warp_residual": {33: 0.07}}, (30, 33)),
        ({**LATE_ROWS, "warp_residual": {34: 0.07}}, (30, 34)),
        ({**LATE_ROWS, "warp_residual": {27: 0.07}}, (27, 30)),
        (STANDS, (30, 31)),
        (
            {
                **STANDS,
                "tear_jump": {30: 1.5, 29: 0.5},
                "tear_jump_share": {30: -0.6, 29: 0.45},
            },
            (29, 30),
        ),
        (LATE_BY_MOTION, (30, 31)),
        (BUSY, (30, 31)),
        (AHEAD, (30, 31)),
        # Motion tells it less clearly than is enough.
        ({**BUSY, "tear_explained": {24: 0.8, 31: 0.3}}, (30, 31)),
    ],
)
def test_a_part_that_is_late_or_early_is_a_tear(changes: Changes, torn: tuple[int, int]) -> None:
    (found,) = DETECTORS["tearing"].detect(scene(**changes))
    assert (found.start, found.stop) == torn


@pytest.mark.parametrize(
    "changes",
    [
        {},
        # a part repeats the frame before, but never catches up
        {"tear_contrast": {30: 0.9}},
        # a part shows an earlier frame again, and the other one jumps, or a smaller one
        {**LATE, "tear_jump_share": {31: 0.5}},
        {**LATE, "tear_jump_share": {31: -0.7}},
        # a part is like an earlier frame, and nothing jumps
        {**LATE, "tear_jump": {}},
        {**LATE, "warp_residual": {}},
        {**LATE_ROWS, "warp_residual": {}},
        # frames are like earlier ones as they are in the same light again: flicker
        {**LATE_ROWS, "warp_residual": {33: 0.07}, "light_step": {29: 0.015, 31: -0.015}},
        # the clip ends with them, and a frame long before changed a little more than others
        {
            "tear_contrast": {58: 0.9, 59: 0.9},
            "tear_share": {58: 0.5, 59: 0.5},
            "tear_lag": {58: 2.0, 59: 2.0},
            "warp_residual": {52: 0.06},
        },
        # more of them are alike than a part can be late
        {
            **{name: {**LATE_ROWS[name], 33: LATE_ROWS[name][32]} for name in LATE_ROWS},
            "warp_residual": {34: 0.07},
        },
        # a part stands now and then, as things do that are drawn for two frames each
        {**STANDS, "tear_contrast": {28: 0.8, 30: 0.8, 32: 0.8}},
        # a part stands and goes on as before, or the other one or a smaller one goes two steps
        {**STANDS, "tear_jump": {30: 1.5}},
        {**STANDS, "tear_jump_share": {30: -0.6, 31: -0.45}},
        {**STANDS, "tear_jump_share": {30: -0.6, 31: 0.6}},
        # a part stands in another light, or where motion explains nothing
        {**STANDS, "light_step": {30: 0.03}},
        {**STANDS, "warp_residual": {30: 0.2}},
        # the rest catches up, or by one step only, elsewhere, after two rows, or hardly clearly
        {**LATE_BY_MOTION, "tear_ahead": {31: 1.6}},
        {**LATE_BY_MOTION, "tear_ahead": {31: -0.95}},
        {**LATE_BY_MOTION, "tear_split": {31: 0.7}},
        {**LATE_BY_MOTION, "tear_rows": {31: 2.0}},
        {**LATE_BY_MOTION, "tear_explained": {31: 0.35}},
        # a part changes less beside something that passes by, or it is the other one
        {**BUSY, "tear_jump": {30: 1.5}},
        {**BUSY, "tear_ahead": {24: 0.6, 31: -0.9}},
        {**AHEAD, "tear_ahead": {24: 0.6, 31: -0.9}},
        {**BUSY, "tear_rows": {24: 1.0, 31: 2.0}},
        {**BUSY, "tear_jump_share": {30: -0.4}},
    ],
)
def test_what_looks_like_a_tear_is_none(changes: Changes) -> None:
    assert DETECTORS["tearing"].detect(scene(**changes)) == []


def test_a_tear_tells_what_it_shows_again_and_how_sure_that_is() -> None:
    (one,) = DETECTORS["tearing"].detect(scene(**LATE))
    assert one.evidence == (
        "50 % of frame 30, at the bottom, shows what was there 2 frames before, while the rest goes"
        " on (contrast 0.9 of 1), and jumps beside it; 1.8 times what would be enough"
    )
    assert one.confidence == pytest.approx(confidence("tearing", 0.9 / 0.5))
    (rows,) = DETECTORS["tearing"].detect(scene(**{**LATE_ROWS, "warp_residual": {33: 0.07}}))
    assert rows.confidence == pytest.approx(confidence("tearing", (0.9 + 0.8 + 0.7) / 0.5))


@pytest.mark.parametrize(("change", "tears"), [(0.3, 0), (8.0, 1)])
def test_a_frame_that_repeats_the_one_before_is_not_torn(change: float, tears: int) -> None:
    """All of it stands; the codec renews a part."""
    columns = scene(**STANDS)
    still = ("luma_std", "structure_step", "histogram_step", "pace")
    columns.signals.update(
        {name: np.full(ROWS, v, np.float32) for name, v in zip(still, (40, 0, 0, 1), strict=True)}
    )
    for name in ("difference_p99", "difference_rms", "frame_difference"):
        columns.signals[name] = np.where(np.arange(ROWS) == 30, change, 10).astype(np.float32)
    columns.signals["pace"][30] = change / 10
    assert len(DETECTORS["tearing"].detect(columns)) == tears
