"""All segments of a run: those of the default rule, the cuts, and those of the user's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vfiscope.segments.detectors.low_score import cuts, low_scores
from vfiscope.segments.rule_language import parse_rule
from vfiscope.segments.rules import Column
from vfiscope.types import FrameTable, MetricSpec, Segment

__all__ = ["flag"]


def flag(
    frames: FrameTable,
    values: Mapping[str, Column],
    specs: Mapping[str, MetricSpec],
    rules: Sequence[str] = (),
) -> list[Segment]:
    """The segments of the default rule for every metric, the cuts, and those of the user's rules.

    Args:
        frames: one row per test frame.
        values: {metric: (N,) float32}, NaN where not defined.
        specs: what the metrics mean; a metric without a spec is left to the user's rules.
        rules: texts such as ``"ssim < 0.9 for 3 frames"``, see
            :mod:`vfiscope.segments.rule_language`.

    Returns:
        Segments sorted by start, then metric, then stop. Where two rules give the same range of the
        same metric and role, it is listed once: as the user's, and as the last of them.

    Raises:
        UsageError: a rule cannot be read, is pooled, or is about a metric or frames that are not
        there.
    """
    parsed = [parse_rule(text, specs={name: specs.get(name) for name in values}) for text in rules]
    found = []
    for name in values:
        if name in specs:
            detect = cuts if name == "cut" else low_scores
            found += detect(frames, values[name], specs[name])
    found += [segment for rule in parsed for segment in rule.segments(frames, values, specs)]
    best: dict[tuple[int, str, int, str], Segment] = {}
    for segment in sorted(found, key=lambda segment: segment.confidence):
        best[segment.start, segment.metric, segment.stop, segment.role] = segment
    return [best[key] for key in sorted(best)]
