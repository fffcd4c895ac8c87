"""Lines through test frames whose place in the source is certain."""

from __future__ import annotations

import numpy as np
import pytest

from vfiscope.alignment.anchors import Anchors, Line


def test_a_line_bends_where_frames_are_missing() -> None:
    """Half of the frames lie on place = row / 2, the others four source frames further on."""
    rows = np.arange(0, 40, 2)
    places = rows // 2 + 4 * (rows >= 20)
    line = Anchors(rows, places).line()
    assert line is not None
    assert line.slope > 0.55
    own = Anchors(rows, places).through(0.5)
    assert own.slope == 0.5
    assert own.start == pytest.approx(2.0)
    assert own.start_error == pytest.approx(5.0)  # from both halves, and one more


def test_two_places_make_no_line() -> None:
    assert Anchors(np.array([1, 2]), np.array([3, 4])).line() is None


def test_the_part_of_a_line_within_both() -> None:
    assert Line(0.5, 0.0, 0.0, 0.0).overlap(40, 10) == 20
    assert Line(0.5, -2.0, 0.0, 0.0).overlap(40, 30) == 36
    assert Line(0.5, 2.0, 0.0, 0.0).overlap(40, 30) == 40
