"""Curves -> segments. A pure function of stored columns, so a run can be flagged again without
decoding anything."""

from __future__ import annotations

from vfiscope.segments.columns import Columns
from vfiscope.segments.detect import flag
from vfiscope.segments.detectors.low_score import low_scores
from vfiscope.segments.failures import check_kind, failures
from vfiscope.segments.photo_stage import TIMELAPSE
from vfiscope.segments.rules import Gate, Rule, limits_of, parse_rule
from vfiscope.segments.stage import SEGMENTS, flagged, made_by, reflag, reflag_if_rules_differ

__all__ = [
    "SEGMENTS",
    "TIMELAPSE",
    "Columns",
    "Gate",
    "Rule",
    "check_kind",
    "failures",
    "flag",
    "flagged",
    "limits_of",
    "low_scores",
    "made_by",
    "parse_rule",
    "reflag",
    "reflag_if_rules_differ",
]
