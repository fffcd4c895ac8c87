"""Rules whose values are relative to the clip, robust z-scores, and ranges that last until another
value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores
from helpers.stored import SPECS

from vfiscope.errors import UsageError
from vfiscope.segments import flag
from vfiscope.segments.columns import Columns
from vfiscope.segments.rules import Rule, failure, limits_of, marked, parse_rule
from vfiscope.types import Role

P, S, U = Role.PASSED, Role.SYNTHESISED, Role.UNKNOWN
INF, NAN = float("inf"), float("nan")


def columns(values: Sequence[float], role: Sequence[int] = (), signal: str = "") -> Columns:
    frames = make_scores(len(values)).frames
    rows = np.arange(len(values))
    frames = replace(
        frames,
        index=rows,
        time_s=rows / 25,
        role=np.array(role or [U] * len(values), np.uint8),
        status=np.zeros(len(values), np.uint8),
    )
    named = {signal or "ssim": np.array(values, np.float32)}
    return Columns(frames, {} if signal else named, SPECS, named if signal else {})


def read(text: str) -> Rule:
    rule = parse_rule(text)
    assert isinstance(rule, Rule)
    return rule


def found(text: str, asked: Columns) -> list[tuple[int, int]]:
    return [(each.start, each.stop) for each in marked(read(text), asked)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssim < 0.5 * median", [(2, 3)]),  # 0.8: below 0.4
        ("ssim <= p50", [(1, 4)]),
        ("ssim > mean", [(0, 2), (4, 5)]),  # 0.66
        ("ssim > 1.1*median", [(0, 1), (4, 5)]),
        ("ssim <= min", [(2, 3)]),
        ("ssim >= max", [(0, 1), (4, 5)]),
        ("ssim < p5", [(2, 3)]),
    ],
)
def test_values_relative_to_the_clip(text: str, expected: list[tuple[int, int]]) -> None:
    assert found(text, columns([0.9, 0.8, 0.1, 0.6, 0.9])) == expected


def test_the_clip_is_the_rules_own_frames_with_finite_values() -> None:
    """The median of the synthesised ones is 40, that of all 60."""
    values, role = [80, 40, 80, INF, 60, NAN, 80, 10], [P, S] * 4
    assert found("ssim < 0.5 * median", columns(values, role)) == [(7, 8)]
    assert found("ssim of all < 0.8 * median", columns(values, role)) == [(1, 2), (7, 8)]
    assert found("ssim < median", columns([NAN, INF, INF])) == []
    assert failure(read("min(ssim) < 0.5 * median"), columns(values, role)) == (
        "min(ssim of synthesised) = 10"
    )
    assert failure(read("min(ssim) < 0.2 * median"), columns(values, role)) is None
    assert failure(read("min(ssim) < median"), columns([NAN, NAN])) is None


def test_robust_deviations() -> None:
    """The median is 3 and the median of (2, 1, 0, 1, 2, 97) is 1.5: sigma is 2.2239."""
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 100.0]
    sigma = 1.4826 * 1.5
    for z, expected in (((100 - 3.5) / sigma, [(5, 6)]), ((5 - 3.5) / sigma, [(4, 6)])):
        assert found(f"z(ssim) > {z - 1e-3}", columns(values)) == expected
    assert found("z(ssim) < -1", columns(values)) == [(0, 1)]
    assert found("z(ssim) > 43.4", columns(values)) == []
    said = marked(read("z(ssim) > 20"), columns(values))[0].evidence
    assert said == (
        "1 frame in 0.04 s meets z(ssim) > 20, frame 5 most, with 100; the median is 3.5 and"
        " 1.4826 MAD 2.224"
    )


def test_where_most_frames_are_alike_any_other_is_infinitely_far() -> None:
    values = [5.0, 5.0, 5.0, 5.0, 5.001, NAN, INF]
    assert found("z(ssim) > 1e9", columns(values)) == [(4, 5), (6, 7)]
    assert found("z(ssim) >= 0", columns(values)) == [(0, 5), (6, 7)]
    assert found("z(ssim) < 0", columns([NAN, NAN])) == []


def test_a_range_lasts_until_another_value() -> None:
    values = [0.97, 0.94, 0.89, 0.94, 0.91, 0.95, 0.94, 0.85, NAN, 0.94]
    assert found("ssim < 0.9", columns(values)) == [(2, 3), (7, 8)]
    assert found("ssim < 0.9 until 0.95", columns(values)) == [(2, 5), (7, 8)]
    assert found("ssim < 0.9 until 0.95 for 2 frames", columns(values)) == [(2, 5)]
    assert found("ssim < 0.9 until 0.95 for 0.12 s", columns(values)) == [(2, 5)]
    assert found("ssim < 0.9 until 0.95 for 4 frames", columns(values)) == []
    # a value that turns out stricter than the first one changes nothing
    assert found("ssim < 0.9 until 0.5 * median", columns(values)) == [(2, 3), (7, 8)]
    (first, _) = marked(read("ssim < 0.9 until 1.01 * median"), columns(values))
    assert (first.start, first.stop, first.peak_index) == (2, 5, 2)
    assert first.evidence == (
        "3 frames in 0.12 s meet ssim < 0.9 until 1.01 * median, frame 2 most, with 0.89;"
        " 1.01 * median is 0.9494"
    )


def test_a_range_of_synthesised_frames_steps_over_originals() -> None:
    values = [1, 0.5, 1, 0.9, 1, 0.97, 1, 0.9]
    assert found("ssim < 0.8 until 0.95", columns(values, [P, S] * 4)) == [(1, 4)]


def test_rules_on_signals() -> None:
    """A signal has a unit and no direction."""
    asked = columns([100.0, 104.0, 180.0, 181.0, 101.0], signal="luma_mean")
    assert found("luma_mean > 1.5 * median for 2 frames", asked) == [(2, 4)]
    with pytest.raises(UsageError, match="luma_mean is in code, not in dB"):
        found("luma_mean > 150 dB", asked)
    (segment,) = flag(asked.frames, {}, {}, ["luma_mean > 150"], asked.signals)
    assert (segment.metric, segment.peak, segment.kind) == ("luma_mean", 181, "low_score")
    assert failure(read("max(luma_mean) > 180"), asked) == "max(luma_mean) = 181"
    specs = asked.known
    rule = parse_rule("LUMA_MEAN > 150 CODE", specs=specs)
    assert isinstance(rule, Rule)
    assert (rule.unit, str(rule)) == ("code", "luma_mean > 150 code")


def test_the_numbers_that_a_figure_draws() -> None:
    asked = columns([1.0, 2.0, 3.0])
    assert limits_of(read("ssim < 5"), asked) == [5]
    assert limits_of(read("ssim < 0.5 * median until 2.5"), asked) == [1.0, 2.5]
    assert limits_of(read("ssim < median"), columns([NAN])) == []


def test_independent_images_have_no_ranges() -> None:
    asked = columns([0.5, 0.5, 0.9])
    assert [s.stop for s in marked(read("ssim < median"), asked, alone=True)] == []
    with pytest.raises(UsageError, match=r"write 'ssim < 0\.6'"):
        marked(read("ssim < 0.6 until 0.7"), asked, alone=True)
    assert len(marked(read("ssim < 0.6"), asked, alone=True)) == 2
