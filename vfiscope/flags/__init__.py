"""Curves -> segments. A pure function of stored columns, so a run can be flagged again without decoding anything."""

from __future__ import annotations

from vfiscope.flags.again import flag_again, keep_to_rules
from vfiscope.flags.detectors import low_scores
from vfiscope.flags.language import failures, parse_rule
from vfiscope.flags.rules import Rule
from vfiscope.flags.segments import flag

__all__ = ["Rule", "failures", "flag", "flag_again", "keep_to_rules", "low_scores", "parse_rule"]
