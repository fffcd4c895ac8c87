"""Frames of an instant beyond their neighbours are late or early, whatever else they look like."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vfiscope.store import causes_of
from vfiscope.types import FrameTable, Role

NAMES = (
    *("fault", "moving", "repeat", "late", "early", "blend", "foreign", "level", "warp"),
    "midpoint_px",
)
LATE, EARLY, OFF = "is late", "is early", "is off in colour or brightness"
BROKEN = "is broken in geometry"


def told(*rows: dict[str, float]) -> list[str]:
    """The causes of rows with these values; others are those of a good frame of which half
    moves."""
    usual = {**dict.fromkeys(NAMES, 0.0), "moving": 0.5}
    scores = {
        name: np.array([{**usual, **row}[name] for row in rows], np.float32) for name in NAMES
    }
    count, index = len(rows), np.arange(len(rows), dtype=np.int64)
    return causes_of(
        FrameTable(
            *(index, index, index / 24, index, np.full(count, Role.SYNTHESISED, np.uint8)),
            *(np.full(count, 0.5), np.zeros(count, np.uint8), Fraction(1, 24)),
        ),
        scores,
    )


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ({"foreign": 0.1, "late": 0.8}, LATE),
        ({"foreign": 0.1, "early": 0.8, "warp": 0.2}, EARLY),
        ({"foreign": 0.1, "late": 0.3}, OFF),  # less than half of it is late
        ({"foreign": 0.1, "late": 0.8, "level": 3.0}, OFF),  # another light
        ({"warp": 0.2, "late": 0.8}, BROKEN),  # no foreign colours: content of this place
    ],
)
def test_foreign_colours_of_a_late_frame_are_those_of_its_instant(
    row: dict[str, float], cause: str
) -> None:
    assert told({}, row, {}) == ["", cause, ""]


def test_frames_that_run_further_off_are_late_too_though_little_of_them_can_be_followed() -> None:
    late = {"late": 0.9, "midpoint_px": -4.0}
    far = {"foreign": 0.4, "level": -4.0, "midpoint_px": -8.0}
    farther = {"foreign": 0.6, "warp": 0.5, "midpoint_px": -5.0}
    assert told({}, late, far, farther, {}) == ["", LATE, LATE, LATE, ""]
    assert told({}, farther, far, late, {}) == ["", LATE, LATE, LATE, ""]
    assert told({}, late, {}, far) == ["", LATE, "", OFF]  # not beside one


@pytest.mark.parametrize("midpoint", [8.0, -1.9, 0.0])
def test_what_goes_another_way_or_hardly_at_all_is_off_in_colour(midpoint: float) -> None:
    late = {"late": 0.9, "midpoint_px": -4.0}
    assert told(late, {"foreign": 0.4, "midpoint_px": midpoint}) == [LATE, OFF]
