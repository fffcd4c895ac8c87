"""How a rule is written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.errors import UsageError
from vfiscope.segments import parse_rule
from vfiscope.segments.rules import OPERATORS, Rule
from vfiscope.store import POOLS, ROLES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssim < 0.9", Rule("ssim", "<", 0.9)),
        ("  SSIM<.9FOR 3FRAMES ", Rule("ssim", "<", 0.9, frames=3)),
        ("ssim <= 0.9 for 1 frame", Rule("ssim", "<=", 0.9)),
        ("psnr ≥ 30 dB for 0.5s", Rule("psnr", ">=", 30, "dB", seconds=0.5)),
        ("psnr =< 30db for 200 ms", Rule("psnr", "<=", 30, "dB", seconds=0.2)),
        ("midpoint_px > 5 pixels for 2 seconds", Rule("midpoint_px", ">", 5, "px", seconds=2)),
        ("cosine > 1e-1", Rule("cosine", ">", 0.1)),
        ("midpoint_px < -2.5px", Rule("midpoint_px", "<", -2.5, "px")),
        ("psnr < 3.4e38", Rule("psnr", "<", 3.4e38)),
        ("mean(ssim) < 0.95", Rule("ssim", "<", 0.95, pool="mean")),
        (" P5 ( PSNR ) < 30dB", Rule("psnr", "<", 30, "dB", pool="p5")),
        ("Median(ssim) < 0.95", Rule("ssim", "<", 0.95, pool="p50")),
        ("ssim of passed < 0.99 for 2 frames", Rule("ssim", "<", 0.99, frames=2, role="passed")),
        ("SSIM OF Synthesized<.9", Rule("ssim", "<", 0.9, role="synthesised")),
        ("mean( psnr of all ) < 35 dB", Rule("psnr", "<", 35, "dB", pool="mean", role="all")),
        ("of of all > 1", Rule("of", ">", 1, role="all")),
    ],
)
def test_forms_that_are_read(text: str, expected: Rule) -> None:
    assert parse_rule(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a metric at position 1, found the end"),
        ("0.9 > ssim", "expected a metric at position 1, found '0'"),
        ("ssim", "expected one of < <= > >= at position 5, found the end"),
        ("ssim == 3", "expected one of < <= > >= at position 6, found '='"),
        ("ssim <> 3", "expected one of < <= > >= at position 6, found '<'"),
        ("ssim < ", "expected a finite number at position 8, found the end"),
        ("ssim < nan", "expected a finite number at position 8, found 'nan'"),
        ("ssim < inf", "expected a finite number at position 8, found 'inf'"),
        ("mean(psnr) > infinity", "expected a finite number at position 14, found 'infinity'"),
        ("ssim < 1e400", "expected a finite number at position 8, found '1e400'"),
        ("psnr < 1e39 dB", "expected a finite number at position 8, found '1e39'"),
        ("ssim < 0,9", "expected for N frames, for T s, or the end at position 9, found ','"),
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
                "expected one of mean, std, min, p1, p5, p50, p95, p99, max, median before '(' at"
                " position 1"
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
        ("ssim\n< x", "expected a finite number at position 8, found 'x'"),
        ("ssim < ٠.٩", "expected a finite number at position 8, found '٠'"),
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
    assert parse_rule("ssim < 0.9 for 3 frames") == Rule("ssim", "<", 0.9, frames=3)
    assert parse_rule("mean(psnr) < 30 dB") == Rule("psnr", "<", 30, "dB", pool="mean")


LENGTHS = st.one_of(
    st.fixed_dictionaries({"frames": st.integers(1, 10**6)}),
    st.fixed_dictionaries({"seconds": st.floats(1e-3, 1e6)}),
    st.fixed_dictionaries({"pool": st.sampled_from(sorted(POOLS))}),
)


@given(
    st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True),
    st.sampled_from(sorted(OPERATORS)),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "dB", "px"]),
    LENGTHS,
    st.sampled_from(["", *ROLES]),
)
def test_the_normal_form_reads_back(
    metric: str, op: str, value: float, unit: str, length: dict[str, float], role: str
) -> None:
    rule = Rule(metric, op, value, unit, role=role, **length)  # type: ignore[arg-type]
    assert parse_rule(str(rule)) == rule


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except UsageError:
        return
    assert parse_rule(str(rule)) == rule
