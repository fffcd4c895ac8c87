"""Ghosts from columns made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.calm_scene import TWICE, scene

from vfiscope.segments.detectors import DETECTORS
from vfiscope.segments.evidence.confidence import confidence


@pytest.mark.parametrize(
    ("changes", "ghosts"),
    [
        ({}, 1),
        # A codec took the fine detail of all frames; what moves is as flat as before.
        ({"moving_detail": {30: 7.9}}, 1),
        # It has all of its detail, and lies beside steeper frames: it repeats one, or is torn.
        ({"moving_detail": {}}, 0),
        # Less detail in what is as steep as ever, as where noise is gone.
        ({"blend_gradient": {}}, 0),
        # Blurred along its motion: seen again, and no mixture.
        ({"blend_others": {}}, 0),
        # Detail falls to less than blends leave: 0.26 of its power; but for two clear mixtures.
        ({"moving_detail": {30: 4.1}}, 0),
        ({"moving_detail": {30: 4.1}, "blend_others": {30: 1.0}, "blend_residual": {30: 1.0}}, 1),
        ({"moving_detail": {30: 3.4}, "blend_others": {30: 1.0}, "blend_residual": {30: 1.0}}, 0),
        # No mixture is known.
        ({name: {30: np.nan} for name in ("blend_others", "blend_residual")}, 0),
        # Half of a step late: both steps together are 2.1 usual ones, and not as many as 2.4.
        ({"difference_p99": {30: 26.0, 31: 16.0}}, 1),
        ({"difference_p99": {30: 32.0, 31: 16.0}}, 0),
        # A weak echo, and what a mixture explains: 0.87 together, or 0.78.
        ({"echo_2": {30: 0.215}, "difference_p99": {30: 18.3}, "blend_others": {30: 3.3}}, 1),
        ({"echo_2": {30: 0.205}, "difference_p99": {30: 18.3}, "blend_others": {30: 3.3}}, 0),
        # No echo: a mixture explains it, and it is off its time by 0.33, or by 0.28.
        ({"echo_2": {}, "difference_p99": {30: 17.0}, "blend_others": {30: 1.2}}, 1),
        ({"echo_2": {}, "difference_p99": {30: 17.4}, "blend_others": {30: 1.2}}, 0),
    ],
)
def test_a_ghost_is_flatter_and_of_two_instants(
    changes: dict[str, dict[int, float]], ghosts: int
) -> None:
    columns = scene(**{**TWICE, **changes})
    assert len(DETECTORS["ghosting"].detect(columns)) == ghosts


def test_the_margin_of_a_ghost_is_of_how_flat_it_is_and_of_what_shows_two_instants() -> None:
    (ghost,) = DETECTORS["ghosting"].detect(scene(**TWICE))
    weaker, flatter = 3.0, np.log(1.1) / 0.03 / 2.5
    off_time = np.log(20 / 15) / 0.1 / 5
    shown = np.hypot(np.hypot(3.0, np.log(4 / 3) / 1.2), off_time)
    margin = np.sqrt(shown * np.sqrt(flatter**2 + weaker**2 / 2))
    assert ghost.confidence == pytest.approx(confidence("ghosting", margin), abs=1e-4)
