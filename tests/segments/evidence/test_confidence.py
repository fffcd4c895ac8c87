"""Margins and the confidence that they give."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments import detectors, flag
from vfiscope.segments.detectors import Detector
from vfiscope.segments.evidence.confidence import (
    MAX_CONFIDENCE,
    MEASURED,
    MIN_CONFIDENCE,
    confidence,
)
from vfiscope.segments.spans import segment_of


@pytest.mark.parametrize("evidence", sorted(MEASURED))
def test_what_was_measured_is_met_and_doubt_falls_with_the_margin(evidence: str) -> None:
    just, twice = MEASURED[evidence]
    assert confidence(evidence, 1.0) == pytest.approx(just)
    assert confidence(evidence, 2.0) == pytest.approx(twice)
    values = [confidence(evidence, margin) for margin in (0.0, 0.5, 1.0, 1.5, 4.0, 1e9)]
    assert values == sorted(values)
    assert 0 <= values[0] < MIN_CONFIDENCE < twice < values[-1] == MAX_CONFIDENCE


def test_odds_are_a_power_of_the_margin() -> None:
    """With odds of 1.5 at 1 and of 3 at 2, they are 6 at 4."""
    MEASURED["made up"] = 0.6, 0.75
    try:
        assert confidence("made up", 4.0) == pytest.approx(6 / 7)
    finally:
        del MEASURED["made up"]


def test_what_is_less_probable_than_not_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = make_scores(9)
    for name, sure, count in (("made up", 0.49, 0), ("made up", 0.5, 1), ("jump", 0.2, 1)):
        one = segment_of(
            *(scores.frames, "x", np.arange(9.0), np.arange(9.0), (2, 3), sure, "blur")
        )
        made = Detector(name, (), lambda _, one=one: [replace(one)])
        monkeypatch.setattr("vfiscope.segments.detectors.DETECTORS", {name: made})
        assert len(flag(scores.frames, {}, {})) == count


def test_what_detectors_ask_for_was_measured_and_nothing_else() -> None:
    sources = [path.read_text() for path in Path(detectors.__file__).parent.glob("*.py")]
    asked = {name for text in sources for name in re.findall(r'confidence\(\s*"(\w+)"', text)}
    assert asked == set(MEASURED)
