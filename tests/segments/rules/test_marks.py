"""Rules: which frames they mark, and what fails a run."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from vfiscope.errors import UsageError
from vfiscope.segments import Columns, flag
from vfiscope.segments.failures import failures_of
from vfiscope.segments.rules import failure, marked, parse_rule
from vfiscope.types import FrameTable, MetricSpec, Role, Status

INF, NAN = float("inf"), float("nan")


SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, "peak signal-to-noise ratio"),
    "ssim": MetricSpec("ssim", "1", -1, 1, False, 1, 0.01, "structural similarity"),
}


def table(
    n: int,
    *,
    time_s: Sequence[float] | None = None,
    index: Sequence[int] | None = None,
    role: Sequence[int] | None = None,
    status: Sequence[int] | None = None,
) -> FrameTable:
    rows = np.arange(n)
    return FrameTable(
        index=rows if index is None else np.asarray(index, np.int64),
        pts=rows,
        time_s=rows / 25 if time_s is None else np.asarray(time_s, np.float64),
        ref_index=rows,
        role=np.full(n, Role.UNKNOWN, np.uint8) if role is None else np.asarray(role, np.uint8),
        phase=np.full(n, NAN),
        status=np.zeros(n, np.uint8) if status is None else np.asarray(status, np.uint8),
        time_base=Fraction(1, 25),
    )


def ranges(
    text: str, values: Sequence[float], frames: FrameTable | None = None
) -> list[tuple[int, int]]:
    rule = parse_rule(text)
    column = np.asarray(values, np.float32)
    found = marked(rule, Columns(frames or table(len(column)), {rule.name: column}, SPECS))
    return [(segment.start, segment.stop) for segment in found]


def test_runs_of_rows_that_are_long_enough() -> None:
    values = [0.95, 0.8, 0.8, 0.95, 0.8, 0.7, 0.8, 0.95, 0.8]
    assert ranges("ssim < 0.9", values) == [(1, 3), (4, 7), (8, 9)]
    assert ranges("ssim < 0.9 for 2 frames", values) == [(1, 3), (4, 7)]
    assert ranges("ssim < 0.9 for 3 frames", values) == [(4, 7)]
    assert ranges("ssim < 0.9 for 4 frames", values) == []
    assert ranges("ssim < 1", values) == [(0, 9)]


def test_a_segment_says_where_how_bad_and_when() -> None:
    frames = table(5, index=[10, 12, 14, 16, 18], time_s=[1.0, 1.5, 1.6, 2.6, 3.0])
    values = {"psnr": np.array([40, 28, 25, 27, 40], np.float32)}
    (found,) = marked(parse_rule("psnr < 30"), Columns(frames, values, SPECS))
    assert (found.start, found.stop, found.peak, found.peak_index) == (12, 17, 25.0, 14)
    assert (found.start_time_s, found.stop_time_s) == (1.5, 3.0)
    assert (found.kind, found.metric, found.confidence, found.rule) == (
        "low_score",
        "psnr",
        1.0,
        "psnr < 30",
    )


def test_the_last_row_lasts_the_median_interval() -> None:
    frames = table(4, time_s=[0.0, 0.1, 0.2, 1.0])
    (found,) = marked(
        parse_rule("ssim < 0.9"),
        Columns(frames, {"ssim": np.array([1, 1, 1, 0.5], np.float32)}, SPECS),
    )
    assert found.stop_time_s == pytest.approx(1.1, abs=1e-12)
    (alone,) = marked(
        parse_rule("ssim < 0.9"), Columns(table(1), {"ssim": np.array([0.5], np.float32)}, SPECS)
    )
    assert (alone.start, alone.stop, alone.start_time_s, alone.stop_time_s) == (0, 1, 0.0, 0.0)


def test_seconds_are_measured_in_the_clips_own_time() -> None:
    values = [1, 0.5, 0.5, 1, 0.5, 0.5, 1]
    vfr = table(7, time_s=[0, 0.1, 0.2, 0.3, 0.4, 0.9, 1.4])
    assert ranges("ssim < 0.9 for 0.5 s", values, vfr) == [(4, 6)]
    assert ranges("ssim < 0.9 for 200 ms", values, vfr) == [(1, 3), (4, 6)]
    assert ranges("ssim < 0.9 for 1 s", values, vfr) == [(4, 6)]
    assert ranges("ssim < 0.9 for 1.01 s", values, vfr) == []


def test_rounded_times_are_long_enough() -> None:
    frames = table(8, time_s=np.arange(8) / 25 + 1e6)
    assert ranges("ssim < 0.9 for 0.2 s", [1, 0, 0, 0, 0, 0, 1, 1], frames) == [(1, 6)]


def test_the_peak_is_the_value_that_meets_the_rule_most() -> None:
    values = {"psnr": np.array([60, 55, INF, 20], np.float32)}
    (found,) = marked(parse_rule("psnr > 50"), Columns(table(4), values, SPECS))
    assert (found.start, found.stop, found.peak, found.peak_index) == (0, 3, INF, 2)


def test_infinity_is_a_value() -> None:
    values = [INF, 30, INF, 60]
    assert ranges("psnr > 50", values) == [(0, 1), (2, 4)]
    assert ranges("psnr < 50", values) == [(1, 2)]
    assert ranges("psnr < 3e38", values) == [(1, 2), (3, 4)]
    assert ranges("psnr > 3e38", values) == [(0, 1), (2, 3)]


def test_a_row_without_a_value_never_meets_and_ends_a_run() -> None:
    values = [0.5, 0.5, NAN, 0.5, 0.5]
    status = [0, 0, Status.UNPAIRED, 0, 0]
    assert ranges("ssim < 0.9", values, table(5, status=status)) == [(0, 2), (3, 5)]
    assert ranges("ssim < 0.9 for 3 frames", values, table(5, status=status)) == []
    assert ranges("ssim > -9", [NAN, NAN]) == []


P, S, U = Role.PASSED, Role.SYNTHESISED, Role.UNKNOWN


def test_frames_of_another_role_are_stepped_over() -> None:
    role = [P, S, P, S, P, S, P]
    values = [NAN, 0.5, NAN, 0.5, NAN, 0.95, NAN]
    assert ranges("ssim < 0.9", values, table(7, role=role)) == [(1, 4)]
    assert ranges("ssim < 0.9 for 2 frames", values, table(7, role=role)) == [(1, 4)]
    assert ranges("ssim < 0.9 for 3 frames", values, table(7, role=role)) == []
    good = [1, 0.5, 1, 0.5, 1, 0.95, 1]
    assert ranges("ssim < 0.9 for 2 frames", good, table(7, role=role)) == [(1, 4)]
    assert ranges("ssim of all < 0.9", good, table(7, role=role)) == [(1, 2), (3, 4)]
    # an unreadable frame of the other role says nothing about this one, and of all frames it is one
    status = [0, 0, Status.UNREADABLE, 0, 0, 0, 0]
    assert ranges("ssim < 0.9", values, table(7, role=role, status=status)) == [(1, 4)]
    assert ranges("ssim of all < 0.9", values, table(7, role=role, status=status)) == [
        (1, 2),
        (3, 4),
    ]
    assert ranges("ssim of all < 0.9", values, table(7, role=role)) == [(1, 4)]


def test_what_breaks_a_run_of_frames_of_a_role() -> None:
    values = [1, 0.5, 1, NAN, 1, 0.5, 1, 0.5]
    assert ranges("ssim < 0.9 for 2 frames", values, table(8, role=[P, S] * 4)) == [(5, 8)]
    values[3] = 0.5
    assert ranges("ssim < 0.9 for 4 frames", values, table(8, role=[P, S] * 4)) == [(1, 8)]
    assert ranges("ssim < 0.9", values, table(8, role=[P, S, P, U, P, S, P, S])) == [(1, 2), (5, 8)]


def test_seconds_last_from_the_first_to_the_last_frame_of_a_role() -> None:
    values, frames = [1, 0.5, 1, 0.5, 1, 1], table(6, role=[P, S] * 3)
    assert ranges("ssim < 0.9 for 120 ms", values, frames) == [(1, 4)]  # three frames of 40 ms
    assert ranges("ssim < 0.9 for 121 ms", values, frames) == []


LOOKED_AT = [
    # rule, rows that it looks at: where told apart, and where not
    ("ssim > -2", [1, 3, 5], range(7)),
    ("ssim > -2 for 3 frames", [1, 3, 5], range(7)),
    ("ssim > -2 for 0.1 s", [1, 3, 5], range(7)),
    ("ssim of synthesised > -2", [1, 3, 5], None),
    ("ssim of passed > -2 for 3 frames", [0, 2, 4], None),
    ("ssim of passed > -2 for 0.1 s", [0, 2, 4], None),
    ("ssim of all > -2", range(7), range(7)),
    ("ssim of all > -2 for 7 frames", range(7), range(7)),
    *[
        (rule, rows, untold)
        for pool in ("mean", "std", "min", "p1", "p5", "p50", "median", "p95", "p99", "max")
        for rule, rows, untold in (
            (f"{pool}(ssim) > -2", [1, 3, 5], range(7)),
            (f"{pool}(ssim of synthesised) > -2", [1, 3, 5], None),
            (f"{pool}(ssim of passed) > -2", [0, 2, 4], None),
            (f"{pool}(ssim of all) > -2", range(7), range(7)),
        )
    ],
]


STATISTICS = {"mean": np.mean, "std": np.std, "min": np.min, "median": np.median, "max": np.max}


@pytest.mark.parametrize(
    ("text", "told", "untold"), LOOKED_AT, ids=[entry[0] for entry in LOOKED_AT]
)
def test_which_frames_a_rule_looks_at(
    text: str, told: Sequence[int], untold: Sequence[int] | None
) -> None:
    column = np.array([0.99, 0.4, 0.98, 0.5, 0.95, 0.7, 0.1], np.float32)
    for role, rows in (([P, S, P, S, P, S, U], told), ([U] * 7, untold)):
        frames, rule = table(7, role=role), parse_rule(text)
        if rows is None:
            with pytest.raises(
                UsageError,
                match="the roles of these frames are unknown: vfiscope score with --multiplier M",
            ):
                failure(rule, Columns(frames, {"ssim": column}, SPECS))
            continue
        met = failure(rule, Columns(frames, {"ssim": column}, SPECS))
        chosen = column[list(rows)].astype(np.float64)
        assert met is not None
        if rule.pooled:
            name = text.partition("(")[0]
            expected = (
                STATISTICS[name](chosen)
                if name in STATISTICS
                else np.percentile(chosen, int(name[1:]))
            )
            about = rule.role or ("synthesised" if role[0] == P else "")
            name = name.replace("p50", "median")
            assert met == f"{name}(ssim{' of ' * bool(about)}{about}) = {expected:.4g}"
        else:
            (segment,) = marked(rule, Columns(frames, {"ssim": column}, SPECS))
            assert (segment.start, segment.stop, segment.peak) == (
                rows[0],
                rows[-1] + 1,
                np.float32(max(chosen)),
            )
            assert segment.role == (rule.role or ("synthesised" if role[0] == P else "all"))
            named = "" if segment.role == "all" else f"{segment.role} "
            assert (
                met == f"{len(rows)} {named}frames, the first in [{segment.start}, {segment.stop})"
            )


def test_a_role_of_which_there_is_no_frame_meets_nothing() -> None:
    values = {"ssim": np.full(3, 0.5, np.float32)}
    assert (
        failure(
            parse_rule("ssim of synthesised < 0.9"), Columns(table(3, role=[P] * 3), values, SPECS)
        )
        is None
    )
    assert (
        failure(
            parse_rule("mean(ssim of passed) < 0.9"), Columns(table(3, role=[S] * 3), values, SPECS)
        )
        is None
    )


def test_a_rule_of_frames_for_which_a_metric_is_not_defined_is_an_error() -> None:
    frames, values = table(4, role=[P, S] * 2), {"psnr": np.array([40, NAN, 41, NAN], np.float32)}
    for text, better in (
        ("psnr < 30 dB", "psnr of passed < 30 dB"),
        ("mean(psnr) < 30", "mean(psnr of passed) < 30"),
    ):
        with pytest.raises(
            UsageError, match="no value for synthesised frames here, only for passed ones"
        ) as caught:
            failure(parse_rule(text), Columns(frames, values, SPECS))
        assert str(caught.value).endswith(f"write '{better}'")
        assert failure(parse_rule(better), Columns(frames, values, SPECS)) is None
    lost = table(
        4, role=[P, S] * 2, status=[0, Status.UNREADABLE] * 2
    )  # there it is defined, but nothing could be read
    assert failure(parse_rule("psnr < 30"), Columns(lost, values, SPECS)) is None
    nowhere = {"psnr": np.full(4, NAN, np.float32)}
    assert failure(parse_rule("psnr < 30"), Columns(frames, nowhere, SPECS)) is None


def test_values_are_compared_as_they_are_stored() -> None:
    assert ranges("ssim >= 0.9", [0.9]) == [(0, 1)]
    assert ranges("ssim < 0.9", [0.9]) == []
    stored = {"ssim": np.full(3, 0.9, np.float32)}
    assert failure(parse_rule("mean(ssim) >= 0.9"), Columns(table(3), stored, SPECS))


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ("mean", 3.0),
        ("std", 2.0**0.5),
        ("min", 1.0),
        ("max", 5.0),
        ("p1", 1.04),
        ("p5", 1.2),
        ("p50", 3.0),
        ("median", 3.0),
        ("p95", 4.8),
        ("p99", 4.96),
    ],
)
def test_pools(pool: str, expected: float) -> None:
    values = {"psnr": np.array([1, 2, NAN, 3, INF, 4, 5], np.float32)}
    assert failure(
        parse_rule(f"{pool}(psnr) < {expected + 1e-3}"), Columns(table(7), values, SPECS)
    )
    assert not failure(
        parse_rule(f"{pool}(psnr) < {expected - 1e-3}"), Columns(table(7), values, SPECS)
    )
    assert failure(
        parse_rule(f"{pool}(psnr) > {expected - 1e-3}"), Columns(table(7), values, SPECS)
    )


def test_pools_of_infinite_and_of_no_values() -> None:
    same = {"psnr": np.full(3, INF, np.float32)}
    assert failure(parse_rule("min(psnr) > 99"), Columns(table(3), same, SPECS))
    assert not failure(parse_rule("mean(psnr) < 99"), Columns(table(3), same, SPECS))
    assert failure(parse_rule("std(psnr) <= 0"), Columns(table(3), same, SPECS))
    nothing = {"psnr": np.full(3, NAN, np.float32)}
    assert not failure(parse_rule("mean(psnr) < 99"), Columns(table(3), nothing, SPECS))
    assert not failure(parse_rule("mean(psnr) > 0"), Columns(table(3), nothing, SPECS))


def test_a_plain_rule_is_met_by_any_segment() -> None:
    values = {"ssim": np.array([1, 0.5, 0.5, 1], np.float32)}
    assert failure(parse_rule("ssim < 0.9 for 2 frames"), Columns(table(4), values, SPECS))
    assert not failure(parse_rule("ssim < 0.9 for 3 frames"), Columns(table(4), values, SPECS))


def test_a_failure_says_by_what() -> None:
    values = {
        "ssim": np.array([1, 0.5, 0.5, 1, 0.5, NAN], np.float32),
        "psnr": np.full(6, INF, np.float32),
    }
    frames = table(6, index=range(10, 22, 2))
    rules = [
        "ssim < 0.9",
        "ssim < 0.9 for 2 frames",
        "ssim < 0.5",
        "ssim >= 1 for 1 frame",
        "Median(SSIM) < 0.6",
    ]
    assert failures_of(
        [*rules, "mean(psnr) > 50", "std(ssim) > 1"], Columns(frames, values, SPECS)
    ) == {
        "ssim < 0.9": "3 frames, the first in [12, 15)",
        "ssim < 0.9 for 2 frames": "2 frames, the first in [12, 15)",
        "ssim >= 1 for 1 frame": "2 frames, the first in [10, 11)",
        "Median(SSIM) < 0.6": "median(ssim) = 0.5",
        "mean(psnr) > 50": "mean(psnr) = inf",
    }


def test_a_passed_frame_that_is_stepped_over_is_not_counted() -> None:
    frames, values = table(3, role=[S, P, S]), {"ssim": np.array([0.5, NAN, 0.5], np.float32)}
    assert (
        failure(parse_rule("ssim < 0.9"), Columns(frames, values, SPECS))
        == "2 synthesised frames, the first in [0, 3)"
    )
    assert (
        failure(parse_rule("ssim of all < 0.9"), Columns(frames, values, SPECS))
        == "2 frames, the first in [0, 3)"
    )
    assert failure(parse_rule("ssim > 0.5"), Columns(frames, values, SPECS)) is None


def test_a_metric_that_the_run_has_not_is_an_error_that_lists_those_it_has() -> None:
    values = {"psnr": np.ones(3, np.float32), "ssim": np.ones(3, np.float32)}
    with pytest.raises(
        UsageError, match=r"no metric or signal 'sim': did you mean 'ssim'\? the run has psnr, ssim"
    ):
        marked(parse_rule("sim < 0.9"), Columns(table(3), values, SPECS))
    again = "make the run again with --metrics psnr,ssim,cosine; the run has psnr, ssim"
    with pytest.raises(UsageError, match=f"no metric or signal 'cosine': {again}"):
        failure(parse_rule("mean(cosine) < 0.9"), Columns(table(3), values, SPECS))
    with pytest.raises(UsageError, match="no metric or signal 'cosine'"):
        parse_rule("cosine > 0.9", specs=SPECS)
    with pytest.raises(
        UsageError,
        match="no metric or signal 'luma_mean': it is a signal, make the run again with --signals"
        " luma_mean;",
    ):
        marked(parse_rule("luma_mean < 20"), Columns(table(3), values, SPECS))
    with pytest.raises(UsageError, match="no metric or signal 'lpips': choose from psnr, ssim"):
        failure(parse_rule("lpips < 1"), Columns(table(3), values, SPECS))
    with pytest.raises(UsageError, match="the run has none at all"):
        failure(parse_rule("ssim < 0.9"), Columns(table(3), {}, {}))


def test_a_unit_that_the_metric_has_not_is_an_error() -> None:
    values = {"psnr": np.ones(3, np.float32), "ssim": np.ones(3, np.float32)}
    with pytest.raises(UsageError, match="ssim is a plain number, not in dB"):
        failure(parse_rule("ssim < 30 dB"), Columns(table(3), values, SPECS))
    with pytest.raises(UsageError, match="psnr is in dB, not in px"):
        parse_rule("psnr < 30 px", specs=SPECS)
    assert parse_rule("psnr < 30 dB", specs=SPECS).unit == "dB"


def test_a_unit_of_ones_own_metric_is_known_once_its_spec_is() -> None:
    specs = {"blur": MetricSpec("blur", "cy/px", 0, 1, True, 0, 0.1, "")}
    with pytest.raises(UsageError, match=r"expected a unit \(dB, px\)"):
        parse_rule("blur > 0.1 levels")
    levels = {"blur": MetricSpec("blur", "levels", 0, 1, True, 0, 0.1, "")}
    assert parse_rule("blur > 0.1 LEVELS", specs=levels).unit == "levels"
    assert parse_rule("blur > 0.1", specs=specs).unit == ""


def test_a_pooled_rule_marks_no_frames() -> None:
    values = {"ssim": np.ones(3, np.float32)}
    with pytest.raises(UsageError, match=r"use it with --fail-on, or write 'ssim < 0.95'"):
        marked(parse_rule("mean(ssim) < 0.95"), Columns(table(3), values, SPECS))
    with pytest.raises(UsageError, match="whole clip"):
        flag(table(3), values, SPECS, ["mean(ssim) < 0.95"])


def test_flag_joins_rules_and_sorts_by_start_then_metric() -> None:
    values = {
        "ssim": np.array([1, 0.5, 1, 0.5], np.float32),
        "psnr": np.array([40, 20, 40, 40], np.float32),
    }
    found = flag(table(4), values, SPECS, ["ssim < 0.9", "psnr < 30", "ssim < 0.8"])
    assert [(segment.start, segment.stop, segment.metric) for segment in found] == [
        (1, 2, "psnr"),
        (1, 2, "ssim"),
        (3, 4, "ssim"),
    ]


def test_a_range_found_by_both_rules_is_listed_once_as_the_users() -> None:
    column = np.full(20, 40, np.float32)
    column[5:8] = 20
    default = flag(table(20), {"psnr": column}, SPECS)
    assert [(s.start, s.stop) for s in default] == [(5, 8)]
    assert default[0].confidence == pytest.approx(20 / 21)
    both = flag(table(20), {"psnr": column}, SPECS, ["psnr < 30"])
    assert [(s.start, s.stop, s.confidence, s.rule) for s in both] == [(5, 8, 1.0, "psnr < 30")]
    assert default[0].rule == ""
    two = flag(table(20), {"psnr": column}, SPECS, ["psnr < 30", " PSNR < 25"])
    assert [(s.start, s.stop, s.rule) for s in two] == [(5, 8, " PSNR < 25")]


def test_a_metric_without_a_spec_is_left_to_the_users_rules() -> None:
    column = np.r_[np.full(20, 40), 1].astype(np.float32)
    assert flag(table(21), {"mine": column}, {}) == []
    assert [(s.start, s.stop) for s in flag(table(21), {"mine": column}, {}, ["mine < 30"])] == [
        (20, 21)
    ]
    with pytest.raises(UsageError, match="the run has mine"):
        flag(table(21), {"mine": column}, SPECS, ["ssim < 1"])
