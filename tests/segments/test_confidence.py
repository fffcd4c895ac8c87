"""Margins and the confidence that they give."""

from __future__ import annotations

import pytest

from vfiscope.segments.detectors.confidence import MAX_CONFIDENCE, MEASURED, confidence


@pytest.mark.parametrize("evidence", sorted(MEASURED))
def test_what_was_measured_is_met_and_doubt_falls_with_the_margin(evidence: str) -> None:
    just, twice = MEASURED[evidence]
    assert confidence(evidence, 1.0) == pytest.approx(just)
    assert confidence(evidence, 2.0) == pytest.approx(twice)
    values = [confidence(evidence, margin) for margin in (0.0, 0.5, 1.0, 1.5, 4.0, 1e9)]
    assert values == sorted(values)
    assert 0 <= values[0] < 0.5 < just < twice < values[-1] == MAX_CONFIDENCE


def test_odds_are_a_power_of_the_margin() -> None:
    """With odds of 1.5 at 1 and of 3 at 2, they are 6 at 4."""
    MEASURED["made up"] = 0.6, 0.75
    try:
        assert confidence("made up", 4.0) == pytest.approx(6 / 7)
    finally:
        del MEASURED["made up"]
