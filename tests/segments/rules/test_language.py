"""How a rule is written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.errors import UsageError
from vfiscope.segments.rules import OPERATORS, Gate, Rule, Value, parse_rule
from vfiscope.store import POOLS, ROLES

A_POOL = "one of mean, std, min, p1, p5, p50, p95, p99, max, median"
A_VALUE = f"a finite number or {A_POOL}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssim < 0.9", Rule("ssim", "<", Value(0.9))),
        ("  SSIM<.9FOR 3FRAMES ", Rule("ssim", "<", Value(0.9), frames=3)),
        ("ssim <= 0.9 for 1 frame", Rule("ssim", "<=", Value(0.9))),
        ("psnr ≥ 30 dB for 0.5s", Rule("psnr", ">=", Value(30), "dB", seconds=0.5)),
        ("psnr =< 30db for 200 ms", Rule("psnr", "<=", Value(30), "dB", seconds=0.2)),
        (
            "midpoint_px > 5 pixels for 2 seconds",
            Rule("midpoint_px", ">", Value(5), "px", seconds=2),
        ),
        ("cosine > 1e-1", Rule("cosine", ">", Value(0.1))),
        ("midpoint_px < -2.5px", Rule("midpoint_px", "<", Value(-2.5), "px")),
        ("psnr < 3.4e38", Rule("psnr", "<", Value(3.4e38))),
        ("mean(ssim) < 0.95", Rule("ssim", "<", Value(0.95), function="mean")),
        (" P5 ( PSNR ) < 30dB", Rule("psnr", "<", Value(30), "dB", function="p5")),
        ("Median(ssim) < 0.95", Rule("ssim", "<", Value(0.95), function="p50")),
        (
            "ssim of passed < 0.99 for 2 frames",
            Rule("ssim", "<", Value(0.99), frames=2, role="passed"),
        ),
        ("SSIM OF Synthesized<.9", Rule("ssim", "<", Value(0.9), role="synthesised")),
        (
            "mean( psnr of all ) < 35 dB",
            Rule("psnr", "<", Value(35), "dB", function="mean", role="all"),
        ),
        ("of of all > 1", Rule("of", ">", Value(1), role="all")),
        (
            "sharpness < 0.5 * median for 2 s",
            Rule("sharpness", "<", Value(0.5, "p50"), seconds=2),
        ),
        ("ssim<P5", Rule("ssim", "<", Value(1, "p5"))),
        ("max(noise) > 3*Mean", Rule("noise", ">", Value(3, "mean"), function="max")),
        ("z(luma_mean) > 6", Rule("luma_mean", ">", Value(6), function="z")),
        ("Z(ssim of all)<-4", Rule("ssim", "<", Value(-4), function="z", role="all")),
        ("z > 3", Rule("z", ">", Value(3))),
        ("ssim < 0.9 until 0.95", Rule("ssim", "<", Value(0.9), until=Value(0.95))),
        (
            "psnr < 25 until 28 dB for 3 frames",
            Rule("psnr", "<", Value(25), "dB", frames=3, until=Value(28)),
        ),
        (
            "noise > 2 * median until median",
            Rule("noise", ">", Value(2, "p50"), until=Value(1, "p50")),
        ),
        ("until < 3 until 4", Rule("until", "<", Value(3), until=Value(4))),
        ("any(freeze) for 1 s", Gate("any", "freeze", seconds=1)),
        ("Any( Fault )", Gate("any", "fault")),
        ("any(drop) for 2 frames", Gate("any", "drop", frames=2)),
        ("count(duplicate) > 3", Gate("count", "duplicate", ">", 3)),
    ],
)
def test_forms_that_are_read(text: str, expected: Rule | Gate) -> None:
    assert parse_rule(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a score or signal at position 1, found the end"),
        ("0.9 > ssim", "expected a score or signal at position 1, found '0'"),
        ("ssim", "expected one of < <= > >= at position 5, found the end"),
        ("ssim == 3", "expected one of < <= > >= at position 6, found '='"),
        ("ssim <> 3", "expected one of < <= > >= at position 6, found '<'"),
        ("ssim < ", f"expected {A_VALUE} at position 8, found the end"),
        ("ssim < nan", f"expected {A_VALUE} at position 8, found 'nan'"),
        ("ssim < inf", f"expected {A_VALUE} at position 8, found 'inf'"),
        ("mean(psnr) > infinity", f"expected {A_VALUE} at position 14, found 'infinity'"),
        ("ssim < 1e400", f"expected {A_VALUE} at position 8, found '1e400'"),
        ("psnr < 1e39 dB", f"expected {A_VALUE} at position 8, found '1e39'"),
        (
            "ssim < 0,9",
            "expected until VALUE, for N frames, for T s, or the end at position 9, found ','",
        ),
        ("ssim < 0.9 banana", "at position 12, found 'banana'"),
        ("ssim < .9 for", "expected a number of frames or seconds at position 14, found the end"),
        ("ssim < .9 for 3", "expected frames, s or ms at position 16, found the end"),
        ("ssim < .9 for 3 apples", "expected frames, s or ms at position 17, found 'apples'"),
        ("ssim < .9 for 0 frames", "a whole number of frames, 1 or more at position 15"),
        ("ssim < .9 for 2.5 frames", "a whole number of frames, 1 or more at position 15"),
        ("ssim < .9 for 0 s", "a time above 0 at position 15"),
        ("ssim < .9 for 3 frames now", "expected the end at position 24, found 'now'"),
        (
            "p7(ssim) < 3",
            (
                "expected one of mean, std, min, p1, p5, p50, p95, p99, max, median, z, any, count"
                " before '(' at position 1"
            ),
        ),
        ("mean(ssim < 3", "expected ')' at position 11, found '<'"),
        ("ssim of < 3", "expected synthesised, passed or all at position 9, found '<'"),
        ("ssim of made < 3", "expected synthesised, passed or all at position 9, found 'made'"),
        ("mean(ssim) of all < 3", "expected one of < <= > >= at position 12, found 'of'"),
        (
            "mean(ssim) < 3 for 2 frames",
            "a pool is over the whole clip at position 16, found 'for'",
        ),
        ("ssim < 0.5 * 3", f"expected {A_POOL} at position 14, found '3'"),
        ("ssim < 0.5 * mode", f"expected {A_POOL} at position 14, found 'mode'"),
        ("ssim < median dB", "expected until VALUE, for N frames, for T s, or the end at position"),
        ("z(ssim) < median", "expected a finite number at position 11, found 'median'"),
        ("z(psnr) < 3 dB", "for T s, or the end at position 13, found 'dB'"),
        ("ssim < 0.9 until", f"expected {A_VALUE} at position 17, found the end"),
        ("ssim < 0.9 until 0.8", "a value above 0.9, where a range ends at position 18"),
        ("ssim >= 0.9 until .95", "a value below 0.9, where a range ends at position 19"),
        ("psnr < 25 dB until 28 px", "expected the unit dB at position 23, found 'px'"),
        ("ssim < .9 until .95 x", "at position 21, found 'x'"),
        ("mean(ssim) < 3 until 4", "a pool is over the whole clip at position 16, found 'until'"),
        ("any(", "expected a kind of segments at position 5, found the end"),
        ("any(freeze) > 3", "expected for N frames, for T s, or the end at position 13, found '>'"),
        ("any(freeze) for 1 s now", "expected the end at position 21, found 'now'"),
        ("count(freeze)", "expected one of < <= > >= at position 14, found the end"),
        ("count(freeze) > 1.5", "expected a whole number up to 10000000 at position 17"),
        ("count(freeze) > -1", "expected a whole number at position 17, found '-'"),
        ("count(freeze) > 1 for 1 s", "a count is of the whole clip at position 19, found 'for'"),
        ("any(freeze of all)", "expected ')' at position 12, found 'of'"),
        ("ssim\n< x", f"expected {A_VALUE} at position 8, found 'x'"),
        ("ssim < ٠.٩", f"expected {A_VALUE} at position 8, found '٠'"),
        ("p5(ssim) < 0.９", "at position 14, found '９'"),
        ("ssim < 0.9 for ٣ frames", "expected a number of frames or seconds at position 16"),
        ("ssim < .9 for 10000001 frames", "at most 10000000 frames or 31622400 s at position 15"),
        (f"ssim < 0.9 for {'9' * 500} frames", "at most 10000000 frames or 31622400 s at position"),
        (f"ssim < 0.9 for {'9' * 5000} frames", "'... has 5022 characters: write it as"),
        (f"ssim < 0.{'9' * 5000}", "the rule 'ssim < 0.9999999999"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_position(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule(text)
    assert message in str(caught.value)
    assert "'ssim < 0.9 for 3 frames'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_form_that_errors_suggest_is_read() -> None:
    assert parse_rule("ssim < 0.9 for 3 frames") == Rule("ssim", "<", Value(0.9), frames=3)
    assert parse_rule("mean(psnr) < 30 dB") == Rule("psnr", "<", Value(30), "dB", function="mean")


NAMES = st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
LENGTHS = st.one_of(
    st.fixed_dictionaries({"frames": st.integers(1, 10**6)}),
    st.fixed_dictionaries({"seconds": st.floats(1e-3, 1e6)}),
)
RELATIVE = st.builds(Value, NUMBERS, st.sampled_from(sorted(POOLS)))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule that can be written."""
    op = draw(st.sampled_from(sorted(OPERATORS)))
    function = draw(st.sampled_from(["", "z", *sorted(POOLS)]))
    plain = st.builds(Value, NUMBERS)
    value = draw(plain if function == "z" else st.one_of(plain, RELATIVE))
    until = None
    if function in ("", "z"):
        easier = {"max_value" if op[0] == ">" else "min_value": value.number}
        bounded = st.floats(width=32, allow_nan=False, allow_infinity=False, **easier)
        ends = st.builds(Value, NUMBERS if value.statistic else bounded)
        until = draw(st.one_of(st.none(), ends if function else st.one_of(ends, RELATIVE)))
    measured = [each for each in (value, until) if each is not None and not each.statistic]
    unit = draw(st.sampled_from(["", "dB", "px"])) if measured and function != "z" else ""
    length = draw(LENGTHS) if function not in POOLS else {}
    role = draw(st.sampled_from(["", *ROLES]))
    return Rule(draw(NAMES), op, value, unit, **length, function=function, role=role, until=until)


GATES = st.one_of(
    st.builds(lambda kind, length: Gate("any", kind, **length), NAMES, LENGTHS),
    st.builds(
        Gate, st.just("count"), NAMES, st.sampled_from(sorted(OPERATORS)), st.integers(0, 99)
    ),
)


@given(st.one_of(rules(), GATES))
def test_the_normal_form_reads_back(rule: Rule | Gate) -> None:
    assert parse_rule(str(rule)) == rule


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except UsageError:
        return
    assert parse_rule(str(rule)) == rule
