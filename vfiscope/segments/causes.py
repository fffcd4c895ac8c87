"""Why a score is low, where the real frames around a frame tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from vfiscope.segments.columns import Columns
from vfiscope.segments.spans import Mask, Ranges
from vfiscope.store.verdict import (
    CAUSE_WORDS,
    MIN_BLEND_SHARE,
    MIN_BROKEN_SHARE,
    MIN_TORN_PURITY,
    MIN_WRONG_INSTANT_SHARE,
    NEEDED,
    causes_by_name,
)
from vfiscope.types import Segment

__all__ = [
    "BY_PLACES",
    "CAUSE_KINDS",
    "LIKE_TWO_SHOTS",
    "LOW_SCORE",
    "METRIC_OF_CAUSE",
    "TRANSITIONS",
    "explained",
    "without_repetition",
]

CAUSES_BY_METRIC = {
    "ghosting": ("ghosting", MIN_BLEND_SHARE),
    "warp": ("warp", MIN_BROKEN_SHARE),
    "torn": ("tearing", MIN_TORN_PURITY),
}
"""{metric of one fault: (the kind that it is, its least value of a frame that has it)}"""
PARTS_OF_FAULT = {
    **dict.fromkeys(("repeat", "late", "early"), MIN_WRONG_INSTANT_SHARE),
    "torn": MIN_TORN_PURITY,
}
"""{metric of a part of what ``fault`` measures: its least value of a frame that the verdict counts
for it}"""
BY_REFERENCE = "mix_explained"
"""A signal that compares with real frames."""
LOW_SCORE = "low_score"
NO_REASONS = (LOW_SCORE, "static", "flicker", "cadence", "growth")
"""Kinds that do not say why one frame differs from the one before: they are about many."""
AT_THE_ENDS = ("change", "exposure")
"""Kinds that say so of their first frame and of the one behind the last, and of none between."""
OF_ONE_INSTANT = ("warp",)
"""Metrics of what is broken within one instant: a frame of another one is unlike its neighbours all
over."""
TRANSITIONS, MIN_MIXED_ROWS = ("cut", "fade"), 3
"""Kinds of a change from one shot to another, and the shortest that is gradual."""
LIKE_TWO_SHOTS = frozenset({"tearing", "ghosting", "warp"})
"""Kinds that a frame of two shots is like."""
ELSEWHERE_IN_TIME = ("repeats", "late", "early")
"""Causes of the verdict by which a frame is one of another instant."""
REPEATS = "repeats the frame before it"
METRIC_OF_CAUSE = {kind: metric for metric, (kind, _) in CAUSES_BY_METRIC.items()}
CAUSE_KINDS = tuple(METRIC_OF_CAUSE)
BY_PLACES = "cadence"
"""What drops are measured in that are told by the places of frames in a source or reference."""


def explained(
    found: Iterable[Segment], columns: Columns, repeated: Mask | None = None
) -> list[Segment]:
    """Segments of low scores with their causes.

    Where the metric is about one fault and the worst frame has it as the verdict sees it, the
    segment is of that kind. A part of ``fault`` for which the verdict would not count the frame is
    left out, as ``fault`` tells of it. The evidence of others ends in what the verdict says of
    their worst frame, as far as the run holds the metrics that a verdict needs; of a frame that
    repeats the one before, that it does.

    Args:
        found: the segments.
        columns: of the run.
        repeated: (N,) rows that repeat the row before; none where None.
    """
    causes = columns.share("causes", lambda: causes_by_name(columns.frames, columns.scores))
    repeats = np.zeros(len(columns.frames), bool) if repeated is None else repeated

    def words(row: int) -> str:
        said = next((CAUSE_WORDS[name] for name, rows in causes.items() if rows[row]), "")
        return REPEATS if said and repeats[row] else said

    def elsewhere(row: int) -> bool:
        return bool(repeats[row]) or any(
            causes[name][row] for name in ELSEWHERE_IN_TIME if name in causes
        )

    parts = PARTS_OF_FAULT if all(name in columns.scores for name in NEEDED) else {}
    return [
        _named(segment, elsewhere, columns) or _told(segment, words, columns)
        for segment in found
        if segment.peak >= parts.get(segment.metric, -np.inf)
    ]


def without_repetition(found: list[Segment], columns: Columns) -> list[Segment]:
    """The segments without those that something surer tells of: what real frames say of a frame,
    by a score or by a mixture of them, before what the frames beside it say. And where scores say
    how much has changed since the frame before, without low scores where a kind says why. A frame
    behind instants that are surely missing is unlike the one before it, and begins no shot. And in
    a gradual transition parts of two shots are in one frame, which is not torn, bent or a ghost."""

    def rank(segment: Segment) -> int:
        return 2 if segment.metric in columns.scores else int(segment.metric == BY_REFERENCE)

    surer = {
        (kind, least): Ranges(
            (each.start, each.stop) for each in found if each.kind == kind and rank(each) > least
        )
        for kind in CAUSE_KINDS
        for least in (0, 1)
    }
    skips = {each.start for each in found if (each.kind, each.metric) == ("drop", BY_PLACES)}
    why = Ranges(_reasons(found) if columns.looks_back else ())
    gradual = Ranges(
        (each.start, each.stop)
        for each in found
        if each.kind in TRANSITIONS and each.stop - each.start >= MIN_MIXED_ROWS
    )

    def is_told(each: Segment) -> bool:
        known = surer.get((each.kind, rank(each)))
        mixed = each.kind in LIKE_TWO_SHOTS and not rank(each)
        within = each.start + 1, each.stop - 1
        return (known is not None and known.reach(*within)) or (mixed and gradual.reach(*within))

    return [
        each
        for each in found
        if not is_told(each)
        and not (each.kind == LOW_SCORE and why.reach(each.start, each.stop))
        and not (each.kind == "cut" and not rank(each) and each.start in skips)
    ]


def _reasons(found: Iterable[Segment]) -> Iterator[tuple[int, int]]:
    """Where segments make frames differ: they share a frame with what they explain, or are its
    neighbours, as what comes behind a fault changes too."""
    for each in found:
        if each.kind in AT_THE_ENDS:
            yield from ((end, end) for end in (each.start, each.stop))
        elif each.kind not in NO_REASONS:
            yield each.start, each.stop


def _named(segment: Segment, elsewhere: Callable[[int], bool], columns: Columns) -> Segment | None:
    kind, least = CAUSES_BY_METRIC.get(segment.metric, ("", np.inf))
    if segment.metric in OF_ONE_INSTANT and elsewhere(_peak_row(segment, columns)):
        return None
    return replace(segment, kind=kind) if segment.peak >= least else None


def _told(segment: Segment, words: Callable[[int], str], columns: Columns) -> Segment:
    said = words(_peak_row(segment, columns))
    if not said or segment.role == "passed":
        return segment
    return replace(segment, evidence=f"{segment.evidence}; the frame {said}")


def _peak_row(segment: Segment, columns: Columns) -> int:
    return int(np.searchsorted(columns.frames.index, segment.peak_index))
