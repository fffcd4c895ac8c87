"""Things that appear or are gone at once, from columns made by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vfiscope.segments import flag
from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.detectors.onsets import ONSET_SIGNALS
from vfiscope.types import FrameTable, Role

ROWS = 80
CALM = {
    "onset": 2.0,
    "onset_x": 0.5,
    "onset_y": 0.5,
    "structure_step": 0.02,
    "histogram_step": 0.01,
    "light_step": 0.0,
    "impulse": -1.0,
    "difference_p99": 12.0,
    "difference_rms": 9.0,
    "frame_difference": 5.0,
    "luma_mean": 100.0,
    "luma_std": 40.0,
    "pace": 1.0,
}


def scene(**changes: dict[int, float]) -> Columns:
    """Columns of a calm scene with other values in some rows: {signal: {row: value}}."""
    signals = {name: np.full(ROWS, CALM[name], np.float32) for name in ONSET_SIGNALS}
    for name, values in changes.items():
        for row, value in values.items():
            signals[name][row] = value
    rows = np.arange(ROWS)
    role, status = np.full(ROWS, Role.UNKNOWN, np.uint8), np.zeros(ROWS, np.uint8)
    frames = FrameTable(
        rows, rows, rows / 25, rows - 1, role, np.full(ROWS, np.nan), status, Fraction(1, 25)
    )
    return Columns(frames, {}, {}, signals)


def places(columns: Columns) -> list[tuple[int, int]]:
    return [(each.start, each.stop) for each in DETECTORS["onset"].detect(columns)]


def test_what_appears_and_is_gone_is_one_segment() -> None:
    (found,) = DETECTORS["onset"].detect(scene(onset={20: 60, 34: 55}))
    assert (found.kind, found.start, found.stop) == ("change", 20, 34)
    assert "around 50 % of its width and 50 % of its height, by 60 code values" in found.evidence
    assert "is as before from frame 34 on" in found.evidence
    # 58 above the calm side, of which 20 would be enough.
    assert "(2.9 times what would be enough)" in found.evidence


def test_what_stays_is_one_frame() -> None:
    found = DETECTORS["onset"].detect(scene(onset={20: 60}))
    assert [(each.start, each.stop) for each in found] == [(20, 21)]
    assert found[0].evidence.endswith("and stays so")


def test_two_things_at_two_places_are_two_changes() -> None:
    columns = scene(onset={20: 60, 34: 55}, onset_x={34: 0.8})
    assert places(columns) == [(20, 21), (34, 35)]
    assert places(scene(onset={20: 120, 34: 50})) == [(20, 21), (34, 35)]


@pytest.mark.parametrize(
    "other",
    [
        {"structure_step": {20: 0.5}},
        {"light_step": {20: 0.1}},
        {"impulse": {20: 30.0}},
        {"impulse": {19: 30.0}},
        {"difference_p99": {21: 0.0}, "difference_rms": {21: 0.0}, "pace": {21: 0.0}},
    ],
    ids=["another shot", "another light", "one frame only", "behind one", "before a repeat"],
)
def test_what_else_an_onset_can_be(other: dict[str, dict[int, float]]) -> None:
    assert places(scene(onset={20: 60}, **other)) == []


def test_a_reference_may_show_the_same() -> None:
    given = scene(onset={20: 60.0})
    paired = replace(given.frames, ref_index=given.frames.index)
    assert places(replace(given, frames=paired, shared={})) == []


def test_a_change_gives_way_to_what_explains_it() -> None:
    """Both begin in the frame that repeats the one before."""
    still = {"difference_p99": {20: 0.0}, "difference_rms": {20: 0.0}, "pace": {20: 0.0}}
    given = scene(onset={20: 60.0}, **still)
    assert places(given) == [(20, 21)]
    told = [(each.kind, each.start) for each in flag(given.frames, {}, {}, (), given.signals)]
    assert told == [("duplicate", 20)]
