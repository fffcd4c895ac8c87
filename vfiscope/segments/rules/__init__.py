"""A user's own rules: how they are written (:mod:`~vfiscope.segments.rules.language`), what they
say (:class:`Rule`, :class:`Gate`), and which frames they mark
(:mod:`~vfiscope.segments.rules.marks`).

What detectors use as well is named here too: runs of rows, and segments of them."""

from __future__ import annotations

from vfiscope.segments.columns import Column
from vfiscope.segments.rules.gate import Gate
from vfiscope.segments.rules.language import parse_rule
from vfiscope.segments.rules.marks import failure, limits_of, marked
from vfiscope.segments.rules.rule import OPERATORS, Rule
from vfiscope.segments.rules.value import Value
from vfiscope.segments.spans import segment_of, spans, stepped_over

__all__ = [
    "OPERATORS",
    "Column",
    "Gate",
    "Rule",
    "Value",
    "failure",
    "limits_of",
    "marked",
    "parse_rule",
    "segment_of",
    "spans",
    "stepped_over",
]
