"""The language of a user's rules.

::

    rule    NAME [of ROLE] OP VALUE [until VALUE] [LENGTH]        ssim < 0.9 until 0.95 for 3 frames
            z(NAME [of ROLE]) OP NUMBER [until NUMBER] [LENGTH]   z(luma_mean) > 6
    gate    POOL(NAME [of ROLE]) OP VALUE                         p5(psnr of all) < 30 dB
            any(KIND) [LENGTH]                                    any(freeze) for 1 s
            count(KIND) OP NUMBER                                 count(duplicate) > 3
            any(ANSWER), count(ANSWER) OP NUMBER                  any(changed)
            any(regions), count(regions) OP NUMBER                count(regions) > 0

    VALUE   NUMBER [UNIT], or [NUMBER *] POOL                     0.5 * median
    LENGTH  for N frames, or for T s

NAME is a score or a signal; OP one of ``< <= > >=``; POOL one of mean, std, min, max, p1, p5, p50
(or median), p95, p99; KIND a kind of segments, or ``fault`` for all that are no information;
ANSWER one for a pair of frames: same, light, moved, changed or undecided.
Numbers are finite. Case and spaces do not matter; a time is in s or ms.

**Which frames.** ROLE is synthesised, passed, held or all. Without it a rule is about the frames of
the headline numbers: the synthesised ones where the run knows the roles of its frames, else all. A
rule about a role is an error where roles are unknown, or where the score has no value for that role
in this kind of run: it could never be met.

**Values.** A POOL as a value is that of the rule's own frames in this run, over its finite values.
``z`` is the deviation from their median in robust standard deviations (1.4826 times their median
absolute deviation); where more than half of the frames have one value, any other is infinitely far.
Values are compared as float32, the type they are stored in, so a stored 0.9 meets ``>= 0.9``.

**What is marked.** A rule marks each run of frames that meet it for at least the stated length,
from the first to the last of them. With ``until``, a range begins with a frame that meets the first
value and lasts as long as frames meet the second one, which is easier to meet. ``N frames`` counts
frames of the rule's role, so with a step of 2, or with an original between every two synthesised
frames, three frames span five ordinals; ``T s`` is the time from the start of the first to the end
of the last. Gates are about the whole clip, mark no frames, and are for ``--fail-on``. ``any`` is
met by one segment of the length, ``count`` by their number.

Frames of another role between those of the rule are stepped over: neither counted nor breaking the
run. A frame of the rule's own role without a value (NaN) never meets a rule and ends a run, as does
one whose role is unknown where others are known: nothing is known about that frame. In a rule about
all frames, those that were read but that have no score because the metric is not defined for their
role are stepped over. Infinity is a value: +inf PSNR meets ``psnr > 50`` and no ``<``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vfiscope.config import MAX_DURATION_S, MAX_FRAMES
from vfiscope.errors import UsageError
from vfiscope.segments.rules.gate import ANY, ANY_REGION, COUNT, Gate
from vfiscope.segments.rules.rule import OPERATORS, ROBUST, Known, Rule
from vfiscope.segments.rules.scanner import EXAMPLES, Scanner
from vfiscope.segments.rules.value import Value, float32
from vfiscope.store import POOLS
from vfiscope.types.regions import ANSWERS

__all__ = ["parse_rule"]

OPERATOR_SPELLINGS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
POOL_SPELLINGS = {"median": "p50"}
ROLE_SPELLINGS = {
    "synthesised": "synthesised",
    "synthesized": "synthesised",
    "passed": "passed",
    "held": "held",
    "all": "all",
}
CHANGES = (*ANSWERS, ANY_REGION, "answer")
"""Words of what changed, of which only gates can be about."""
FUNCTIONS = (*POOLS, *POOL_SPELLINGS, ROBUST, ANY, COUNT)

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
WORD = r"[a-z_]\w*"
NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
SIGNED_NUMBER = rf"[+-]?{NUMBER}(?:e[+-]?[0-9]+)?"
OPERATOR = r"<=|>=|=<|=>|≤|≥|<(?!>)|>"
MAX_RULE = 1000
"""Characters of the longest rule."""
FRAME_WORDS = ("frame", "frames")


def parse_rule(text: str, *, specs: Known | None = None) -> Rule | Gate:
    """Read one rule.

    Args:
        text: see :mod:`vfiscope.segments.rules.language`.
        specs: the scores and signals that the run will have; a rule is checked against them if
            passed.

    Raises:
        UsageError: the text is not a rule (the message names the position), or the score or signal
        is unknown.
    """
    if len(text) > MAX_RULE:
        raise UsageError(
            f"the rule {text[:40]!r}... has {len(text)} characters: write it as {EXAMPLES}"
        )
    scan = Scanner(text)
    name, function = scan.take(WORD, "a score or signal"), ""
    named = scan.token
    if scan.skip(r"\("):
        function = POOL_SPELLINGS.get(name, name)
        if function not in FUNCTIONS:
            scan.fail(f"one of {', '.join(FUNCTIONS)} before '('", at=named)
        name = scan.take(WORD, "a kind of segments" if function in (ANY, COUNT) else "a metric")
    elif name in CHANGES:
        raise UsageError(
            f"rule {text!r}: no score or signal is called {name}: write count(regions) > 0, or"
            " any(changed) for an answer, with --fail-on"
        )
    if function in (ANY, COUNT):
        return _gate(scan, function, name)
    rule = _rule(scan, function, name, _units(specs or {}))
    if specs is not None:
        rule.check(specs)
    return rule


def _units(specs: Known) -> Mapping[str, str]:
    """{spelling in lower case: unit}"""
    return UNITS | {
        spec.unit.lower(): spec.unit for spec in specs.values() if spec and spec.unit != "1"
    }


def _gate(scan: Scanner, asks: str, kind: str) -> Gate:
    scan.take(r"\)", "')'")
    if asks == ANY:
        if kind in CHANGES:
            _end(scan, "the end, because answers and regions have no length")
        frames, seconds = _length(scan)
        _end(scan, "the end" if frames > 1 or seconds else "for N frames, for T s, or the end")
        return Gate(ANY, kind, frames=frames, seconds=seconds, text=scan.text)
    op = _operator(scan)
    value = float(scan.take(NUMBER, "a whole number"))
    if value > MAX_FRAMES or value != int(value):
        scan.fail(f"a whole number up to {MAX_FRAMES}", at=scan.token)
    _end(scan, "the end, because a count is of the whole clip")
    return Gate(COUNT, kind, op, int(value), text=scan.text)


def _rule(scan: Scanner, function: str, name: str, units: Mapping[str, str]) -> Rule:
    role = _role(scan)
    if function:
        scan.take(r"\)", "')'")
    op, known = _operator(scan), None if function == ROBUST else units
    value, unit = _value(scan, known)
    rule = Rule(name, op, value, unit, function=function, role=role, text=scan.text)
    if rule.pooled:
        _end(scan, "the end, because a pool is over the whole clip")
        return rule
    until, end_unit = _until(scan, op, value, known)
    if unit and end_unit not in ("", unit):
        scan.fail(f"the unit {unit}", at=scan.token)
    frames, seconds = _length(scan)
    rest = "for N frames, for T s, or the end"
    _end(
        scan,
        "the end" if frames > 1 or seconds else rest if until else f"until VALUE, {rest}",
    )
    unit = unit or end_unit
    return replace(rule, unit=unit, frames=frames, seconds=seconds, until=until)


def _end(scan: Scanner, wanted: str) -> None:
    if not scan.sees("$"):
        scan.fail(wanted)


def _operator(scan: Scanner) -> str:
    op = scan.take(OPERATOR, f"one of {' '.join(OPERATORS)}")
    return OPERATOR_SPELLINGS.get(op, op)


def _until(
    scan: Scanner, op: str, value: Value, units: Mapping[str, str] | None
) -> tuple[Value | None, str]:
    """The value behind an optional ``until``, and its unit as written."""
    if not scan.skip(r"until\b"):
        return None, ""
    at = scan.at
    until, unit = _value(scan, units)
    plain = not value.statistic and not until.statistic
    if plain and not OPERATORS[op[0] + "="](value.number, until.number):
        side = "above" if op.startswith("<") else "below"
        scan.fail(f"a value {side} {value}, where a range ends", at=at)
    return until, unit


def _value(scan: Scanner, units: Mapping[str, str] | None) -> tuple[Value, str]:
    """A value and its unit as written; without units, a plain number."""
    wanted = "a finite number"
    if units is None:
        return Value(_number(scan, wanted)), ""
    wanted += f" or one of {', '.join((*POOLS, *POOL_SPELLINGS))}"
    if scan.sees(WORD):
        return Value(1.0, _pool(scan, wanted)), ""
    number = _number(scan, wanted)
    if scan.skip(r"\*"):
        return Value(number, _pool(scan, f"one of {', '.join((*POOLS, *POOL_SPELLINGS))}")), ""
    if scan.sees(r"(for|until)\b|$|\W|\d"):
        return Value(number), ""
    unit = units.get(scan.take(r"\w+", "a unit"))
    if unit is None:
        listed = ", ".join(sorted(set(units.values())))
        scan.fail(f"a unit ({listed}), for, or the end", at=scan.token)
    return Value(number), unit


def _number(scan: Scanner, wanted: str) -> float:
    number = float(scan.take(SIGNED_NUMBER, wanted))
    if not np.isfinite(float32(number)):
        scan.fail(wanted, at=scan.token)
    return number


def _pool(scan: Scanner, wanted: str) -> str:
    word = scan.take(WORD, wanted)
    if POOL_SPELLINGS.get(word, word) not in POOLS:
        scan.fail(wanted, at=scan.token)
    return POOL_SPELLINGS.get(word, word)


def _role(scan: Scanner) -> str:
    """The role behind an optional ``of``; "" without it."""
    if not scan.skip(r"of\b"):
        return ""
    word = scan.take(r"[a-z]+", "synthesised, passed or all")
    if word not in ROLE_SPELLINGS:
        scan.fail("synthesised, passed or all", at=scan.token)
    return ROLE_SPELLINGS[word]


def _length(scan: Scanner) -> tuple[int, float]:
    """(frames, seconds) of the optional ``for`` part."""
    if not scan.skip(r"for\b"):
        return 1, 0.0
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
