"""All segments of a run: those of the detectors and those of the user's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.segments.rule_language import parse_rule
from vfiscope.segments.rules import Column
from vfiscope.types import FrameTable, MetricSpec, Segment

__all__ = ["flag"]


def flag(
    frames: FrameTable,
    values: Mapping[str, Column],
    specs: Mapping[str, MetricSpec],
    rules: Sequence[str] = (),
    signals: Mapping[str, Column] = MappingProxyType({}),
) -> list[Segment]:
    """The segments of every detector whose columns are there, and those of the user's rules.

    Args:
        frames: one row per test frame.
        values: {metric: (N,) float32}, NaN where not defined.
        specs: the metrics; one without a spec is only seen by the user's rules.
        rules: texts such as ``"ssim < 0.9 for 3 frames"``, see
            :mod:`vfiscope.segments.rule_language`.
        signals: {signal: (N,) float32}, NaN where not defined.

    Returns:
        Segments sorted by start, then metric, then stop. A range of a metric and role that several
        find is listed once; rules take precedence over detectors, later rules over earlier ones.

    Raises:
        UsageError: a rule cannot be read, is pooled, or is about a metric or frames that are not
        there.
    """
    parsed = [parse_rule(text, specs={name: specs.get(name) for name in values}) for text in rules]
    columns = Columns(frames, values, specs, signals)
    asked = [detector for detector in DETECTORS.values() if detector.can_read(columns)]
    found = [segment for detector in asked for segment in detector.detect(columns)]
    # The same place found by a detector and by rules is listed once, under the last rule.
    ruled = {
        _place(segment): segment
        for rule in parsed
        for segment in rule.segments(frames, values, specs)
    }
    listed = [segment for segment in found if _place(segment) not in ruled] + [*ruled.values()]
    return sorted(listed, key=lambda segment: (*_place(segment), segment.kind))


def _place(segment: Segment) -> tuple[int, str, int, str]:
    return segment.start, segment.metric, segment.stop, segment.role
