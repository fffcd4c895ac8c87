"""All segments of a run: those of the detectors and those of the user's rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from vfiscope.errors import UsageError
from vfiscope.segments.causes import without_repetition
from vfiscope.segments.columns import Column
from vfiscope.segments.detectors import Columns, Detector, detectors_of
from vfiscope.segments.evidence.confidence import MIN_CONFIDENCE
from vfiscope.segments.placed import placed
from vfiscope.segments.rules import Gate, Rule, marked, parse_rule
from vfiscope.segments.spans import Ranges
from vfiscope.types import FrameTable, MetricSpec, Segment

__all__ = ["flag"]

RANKED = ("low_score", "change", "jump")
"""Detectors whose confidence says how far a segment stands out, and not how probable it is."""


def flag(
    frames: FrameTable,
    values: Mapping[str, Column],
    specs: Mapping[str, MetricSpec],
    rules: Sequence[str] = (),
    signals: Mapping[str, Column] = MappingProxyType({}),
    *,
    independent: bool = False,
    size: tuple[int, int] | None = None,
    kinds: Collection[str] = (),
    timed: bool = True,
    displaced: Collection[int] = (),
) -> list[Segment]:
    """The segments of every detector whose columns are there, and those of the user's rules.

    Args:
        frames: one row per test frame.
        values: {metric: (N,) float32}, NaN where not defined.
        specs: the metrics; one without a spec is only seen by the user's rules.
        rules: texts such as ``"ssim < 0.9 for 3 frames"``, see
            :mod:`vfiscope.segments.rules.language`.
        signals: {signal: (N,) float32}, NaN where not defined.
        independent: True for images that have nothing to do with those beside them: rules mark each
            by itself, and detectors, which judge by the others, are not asked.
        size: (height, width) of the frames in pixels as scored; without it nothing is placed in
            the frame.
        kinds: those that detectors are asked for; all where empty.
        timed: False for images whose times are counted because nobody knows them.
        displaced: frames of the reference that the test shows out of order.

    Returns:
        Segments sorted by start, then metric, then stop. A range of a metric and role that several
        find is listed once; rules take precedence over detectors, later rules over earlier ones.

    Raises:
        UsageError: a rule cannot be read, marks no frames, or is about a metric, signal or frames
        that are not there.
    """
    columns = Columns(frames, values, specs, signals, size, timed, displaced)
    parsed = [_marking(text, columns) for text in rules]
    asked = [] if independent else [d for d in detectors_of(kinds) if d.can_read(columns)]
    found = _unexplained([(each, _detected(each, columns)) for each in asked])
    found = without_repetition(found, columns)
    found = [segment for segment in found if not kinds or segment.kind in kinds]
    # The same place found by a detector and by rules is listed once, under the last rule.
    ruled = {
        _place(segment): segment
        for rule in parsed
        for segment in marked(rule, columns, alone=independent)
    }
    listed = [segment for segment in found if _place(segment) not in ruled] + [*ruled.values()]
    listed = [placed(segment, columns) for segment in listed]
    return sorted(listed, key=lambda segment: (*_place(segment), segment.kind))


def _marking(text: str, columns: Columns) -> Rule:
    rule = parse_rule(text, specs=columns.known)
    if isinstance(rule, Gate):
        rule.check_marks_frames()
    rule.check_marks_frames()
    return rule


def _detected(detector: Detector, columns: Columns) -> list[Segment]:
    try:
        found = detector.detect(columns)
    except Exception as error:
        if getattr(detector.detect, "__module__", "").startswith("vfiscope."):
            raise
        # Another package's: the scores are kept, and the fault is named.
        raise UsageError(
            f"the detector {detector.name} failed ({type(error).__name__}: {error}): fix or"
            " uninstall the package that adds it, then run the same command again"
        ) from error
    least = 0.0 if detector.name in RANKED else MIN_CONFIDENCE
    return [each for each in found if each.confidence >= least]


def _unexplained(found: Sequence[tuple[Detector, list[Segment]]]) -> list[Segment]:
    """The segments without those that begin where a kind to which their detector gives way is."""
    everything = [segment for _, segments in found for segment in segments]
    kept: list[Segment] = []
    for detector, segments in found:
        others = Ranges(
            (each.start, each.stop) for each in everything if each.kind in detector.gives_way_to
        )
        kept += [each for each in segments if not others.reach(each.start, each.start + 1)]
    return kept


def _place(segment: Segment) -> tuple[int, str, int, str]:
    return segment.start, segment.metric, segment.stop, segment.role
