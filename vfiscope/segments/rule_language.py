"""The language of a user's rules.

::

    METRIC [of ROLE] OP VALUE [UNIT] [for N frames | for T s]     ssim < 0.9 for 3 frames
    POOL(METRIC [of ROLE]) OP VALUE [UNIT]                        p5(psnr of all) < 30 dB

OP is one of ``< <= > >=``; POOL one of mean, std, min, max, p1, p5, p50 (or median), p95, p99;
VALUE is finite. Case and spaces do not matter; a time is in s or ms.

**Which frames.** ROLE is synthesised, passed or all. Without it a rule is about the frames of the
headline numbers: the synthesised ones where the run knows the roles of its frames, else all. A rule
about a role is an error where roles are unknown, or where the metric has no value for that role in
this kind of run: it could never be met.

A plain rule marks each run of frames that meet it for at least the stated length, from the first to
the last of them; ``N frames`` counts frames of the rule's role, so with a step of 2, or with an
original between every two synthesised frames, three frames span five ordinals; ``T s`` is the time
from the start of the first to the end of the last. A pooled rule is about the whole clip, marks no
frames, and is for ``--fail-on``.

Frames of another role between those of the rule are stepped over: neither counted nor breaking the
run. A frame of the rule's own role without a value (NaN) never meets a rule and ends a run, as does
one whose role is unknown where others are known: nothing is known about that frame. In a rule about
all frames, those that were read but that have no score because the metric is not defined for their
role are stepped over. Infinity is a value: +inf PSNR meets ``psnr > 50`` and no ``<``.

Values are compared as float32, the type they are stored in, so a stored 0.9 meets ``>= 0.9``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NoReturn

import numpy as np

from vfiscope.config import MAX_DURATION_S, MAX_FRAMES
from vfiscope.errors import UsageError
from vfiscope.segments.rules import Column, Rule, float32
from vfiscope.store import POOLS
from vfiscope.types import FrameTable, MetricSpec

__all__ = ["failures", "parse_rule"]

OPERATOR_SPELLINGS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
POOL_SPELLINGS = {"median": "p50"}
ROLE_SPELLINGS = {
    "synthesised": "synthesised",
    "synthesized": "synthesised",
    "passed": "passed",
    "held": "held",
    "all": "all",
}

UNITS = {"db": "dB", "px": "px", "pixel": "px", "pixels": "px"}
SECONDS_PER_UNIT = {
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
}
NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
MAX_RULE = 1000
"""Characters of the longest rule."""
FRAME_WORDS = ("frame", "frames")

EXAMPLES = "'ssim < 0.9 for 3 frames' or 'mean(psnr) < 30 dB'"


def parse_rule(text: str, *, specs: Mapping[str, MetricSpec | None] | None = None) -> Rule:
    """Read one rule.

    Args:
        text: see :mod:`vfiscope.segments.rule_language`.
        specs: the metrics that the run will have; the rule is checked against them if passed.

    Raises:
        UsageError: the text is not a rule (the message names the position), or the metric is
        unknown.
    """
    if len(text) > MAX_RULE:
        raise UsageError(
            f"the rule {text[:40]!r}... has {len(text)} characters: write it as {EXAMPLES}"
        )
    scan = _Scanner(text)
    name, pooling = scan.take(r"[a-z_]\w*", "a metric"), ""
    pooled = scan.skip(r"\(")
    if pooled:
        if POOL_SPELLINGS.get(name, name) not in POOLS:
            scan.fail(
                f"one of {', '.join((*POOLS, *POOL_SPELLINGS))} before '('",
                at=text.lower().index(name),
            )
        pooling, name = POOL_SPELLINGS.get(name, name), scan.take(r"[a-z_]\w*", "a metric")
    role = _role(scan)
    if pooled:
        scan.take(r"\)", "')'")
    op = scan.take(r"<=|>=|=<|=>|≤|≥|<(?!>)|>", "one of < <= > >=")
    value = float(scan.take(rf"[+-]?{NUMBER}(?:e[+-]?[0-9]+)?", "a finite number"))
    if not np.isfinite(float32(value)):
        scan.fail("a finite number", at=scan.token)
    units = UNITS | {
        spec.unit.lower(): spec.unit for spec in (specs or {}).values() if spec and spec.unit != "1"
    }
    unit = "" if scan.sees(r"for\b|$|\W|\d") else units.get(scan.take(r"\w+", "a unit"), "?")
    if unit == "?":
        scan.fail(
            f"a unit ({', '.join(sorted(set(units.values())))}), for, or the end", at=scan.token
        )
    frames, seconds = _length(scan, pooling)
    if not scan.sees("$"):
        scan.fail(
            "the end" if pooling or frames > 1 or seconds else "for N frames, for T s, or the end"
        )
    rule = Rule(
        name, OPERATOR_SPELLINGS.get(op, op), value, unit, frames, seconds, pooling, role, text
    )
    if specs is not None:
        rule.check(specs)
    return rule


def failures(
    rules: Iterable[str],
    frames: FrameTable,
    values: Mapping[str, Column],
    specs: Mapping[str, MetricSpec],
) -> dict[str, str]:
    """{rule: by what it is met} of those rules that a clip meets, see :meth:`Rule.failure`."""
    found = {rule: parse_rule(rule).failure(frames, values, specs) for rule in rules}
    return {rule: failure for rule, failure in found.items() if failure is not None}


def _role(scan: _Scanner) -> str:
    """The role behind an optional ``of``; "" without it."""
    if not scan.skip(r"of\b"):
        return ""
    word = scan.take(r"[a-z]+", "synthesised, passed or all")
    if word not in ROLE_SPELLINGS:
        scan.fail("synthesised, passed or all", at=scan.token)
    return ROLE_SPELLINGS[word]


def _length(scan: _Scanner, pooling: str) -> tuple[int, float]:
    """(frames, seconds) of the optional ``for`` part."""
    if not scan.skip(r"for\b"):
        return 1, 0.0
    if pooling:
        scan.fail("the end, because a pool is over the whole clip", at=scan.token)
    amount = float(scan.take(NUMBER, "a number of frames or seconds"))
    at = scan.token
    unit = scan.take(r"[a-z]+", "frames, s or ms")
    if unit not in (*FRAME_WORDS, *SECONDS_PER_UNIT):
        scan.fail("frames, s or ms", at=scan.token)
    if amount > (MAX_FRAMES if unit in FRAME_WORDS else MAX_DURATION_S):  # no clip is so long
        scan.fail(f"at most {MAX_FRAMES} frames or {MAX_DURATION_S} s", at=at)
    if unit in FRAME_WORDS and (amount < 1 or amount != int(amount)):
        scan.fail("a whole number of frames, 1 or more", at=at)
    if amount == 0:
        scan.fail("a time above 0", at=at)
    return (int(amount), 0.0) if unit in FRAME_WORDS else (1, amount * SECONDS_PER_UNIT[unit])


class _Scanner:
    """A position in a rule's text, and errors that name it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.token = 0
        """Position at which the last token began."""
        self.at = 0
        self.skip("")

    def sees(self, pattern: str) -> bool:
        return re.compile(pattern, re.IGNORECASE).match(self.text, self.at) is not None

    def skip(self, pattern: str) -> str | None:
        """The next token in lower case and the spaces after it, where it fits the pattern."""
        match = re.compile(rf"({pattern})\s*", re.IGNORECASE).match(self.text, self.at)
        if match is None:
            return None
        self.token, self.at = match.start(), match.end()
        return match.group(1).lower()

    def take(self, pattern: str, wanted: str) -> str:
        token = self.skip(pattern)
        return self.fail(wanted) if token is None else token

    def fail(self, wanted: str, *, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        found = re.compile(r"\w+|\S|$").search(self.text, at)
        seen = repr(found.group()) if found and found.group() else "the end"
        raise UsageError(
            f"rule {self.text!r}: expected {wanted} at position {at + 1}, found {seen}: write it as"
            f" {EXAMPLES}"
        )
