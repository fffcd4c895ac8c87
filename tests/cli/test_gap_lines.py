"""The line about the gaps of a time-lapse."""

from __future__ import annotations

from typing import Any

from vfiscope.cli.messages import _ranges


def test_many_gaps_are_one_line_that_names_the_longest() -> None:
    def gap(start: int, hours: float) -> dict[str, Any]:
        said = f"{hours:g} h pass before frame {start}, where 3 h are usual"
        place = {"start": start, "stop": start + 1, "kind": "gap", "rule": ""}
        return {**place, "metric": "time", "peak": hours * 3600, "evidence": said}

    (line,) = _ranges(
        [gap(3, 18), gap(6, 18), gap(24, 90), *(gap(n, 18) for n in range(27, 48, 3))]
    )
    assert line == (
        "  10 gaps, before frames 3, 6, 24, 27, 30, 33, 36, 39, 42, 45; the longest: 90 h pass"
        " before frame 24, where 3 h are usual"
    )
