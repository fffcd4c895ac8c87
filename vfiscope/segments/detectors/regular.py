"""Cadences: frames that repeat in a regular pattern, as pulldown, animation on twos and conversions
of the rate make them. Information, and no fault.

In a short cycle the same rows of several cycles running are the calm ones. In a long one, such as
one repeat of 25 frames, single repeats follow each other at the same distance.
"""

from __future__ import annotations

import math
from itertools import count, pairwise

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.slip import moved_of
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.evidence.held import (
    MIN_CERTAINTY,
    Pattern,
    change_of,
    patterns_of,
)
from vfiscope.segments.evidence.repeats import repeats_of
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import FrameTable, Segment, counted

__all__ = ["detect", "regular_of"]

MIN_SPARSE_PERIOD = 6
MIN_EQUAL_DISTANCES = 3
"""Repeats that another one follows so far behind: fewer may be so by chance."""
EVERY_SECOND = 25
"""Cycle of 24 frames a second that are shown as 25: two repeats so far apart are one."""
MAX_CYCLES = 3
"""From one repeat to the next that is found: in between little may move."""


def detect(columns: Columns) -> list[Segment]:
    """A ``cadence`` for each stretch with a pattern.

    Args:
        columns: with the signals of :data:`~.repeats.REPEAT_SIGNALS`.
    """
    if not context_of(columns).is_video:
        return []
    column = columns.signals["difference_p99"]
    badness = -np.nan_to_num(change_of(columns), nan=np.inf)
    return [
        segment_of(
            *(columns.frames, "difference_p99", column, badness),
            (whole := pattern.whole(len(column))),
            confidence("cadence", pattern.certainty / MIN_CERTAINTY),
            "cadence",
            evidence=_said(columns.frames, pattern, whole[0]),
        )
        for pattern in sorted([*patterns_of(columns), *regular_of(columns)])
    ]


def regular_of(columns: Columns) -> list[Pattern]:
    """Stretches with single repeats that are equally far apart, in order."""
    if np.isfinite(moved_of(columns)[0]).any():  # the places of the frames tell
        return []
    return columns.share("regular", lambda: _regular(columns))


def _regular(columns: Columns) -> list[Pattern]:
    ratio = {
        repeat.first: repeat.ratio
        for repeat in repeats_of(columns)
        if repeat.first == repeat.last and repeat.margin >= 1
    }
    found, rows = [], sorted(ratio)
    for members, period in _phases(rows):
        for chain in _chains(members, MAX_CYCLES * period):
            usual = float(np.median([ratio[row] for row in chain]))
            certainty = -len(chain) * math.log(usual)
            first = max(0, chain[0] - period + 1)
            found.append(Pattern(first, chain[-1], period, tuple(chain), usual, certainty))
    return sorted(found)


def _phases(rows: list[int]) -> list[tuple[list[int], int]]:
    """Repeats in the same phase of a cycle, and the cycle: three or more, or two that are one
    second apart where no other repeat is near."""
    left, found = set(rows), []
    while period := _distance(left):
        members = {row for pair in _pairs(left, period) for row in pair}
        found += [(phase, period) for phase in _apart(members, period)]
        left -= members
    free = sorted(set(rows) - {row for phase, _ in found for row in phase})
    for before, row in pairwise(free):
        if row - before != EVERY_SECOND:
            continue
        near = [each for each in rows if before - EVERY_SECOND <= each <= row + EVERY_SECOND]
        if near == [before, row]:
            found.append((near, EVERY_SECOND))
    return found


def _apart(members: set[int], period: int) -> list[list[int]]:
    """The members of each phase, the largest first; of phases that overlap the largest only: a
    cadence runs in one phase at a time, and slips where frames are missing or added."""
    phases: dict[int, list[int]] = {}
    for row in sorted(members):
        phases.setdefault(row % period, []).append(row)
    kept: list[list[int]] = []
    for phase in sorted(phases.values(), key=len, reverse=True):
        many = len(phase) >= MIN_EQUAL_DISTANCES or (kept and len(phase) > 1)
        if many and all(phase[-1] < each[0] or phase[0] > each[-1] for each in kept):
            kept.append(phase)
    return kept


def _pairs(rows: set[int], period: int) -> list[tuple[int, int]]:
    """The repeats that are whole cycles apart, few at most."""
    cycles = range(period, MAX_CYCLES * period + 1, period)
    return [(row, row + apart) for row in rows for apart in cycles if row + apart in rows]


def _distance(rows: set[int]) -> int:
    """The cycle with which most repeats agree, the longest one; 0 if there is none."""
    ordered = sorted(rows)
    apart = {
        after - before
        for step in (1, 2)
        for before, after in zip(ordered, ordered[step:], strict=False)
    }
    agree = {
        period: len({row for row, _ in _pairs(rows, period)})
        for period in apart
        if period >= MIN_SPARSE_PERIOD
    }
    best = max(agree, key=lambda period: (agree[period], period), default=0)
    return best if agree.get(best, 0) >= MIN_EQUAL_DISTANCES else 0


def _chains(rows: list[int], apart: int) -> list[list[int]]:
    """The rows in runs whose neighbours are at most so far apart."""
    chains = [rows[:1]]
    for before, row in pairwise(rows):
        if row - before > apart:
            chains.append([])
        chains[-1].append(row)
    return chains


def _said(frames: FrameTable, pattern: Pattern, first: int) -> str:
    period = pattern.period
    if pattern.shortest:
        return (
            f"drawings are held for {pattern.shortest} to {period} frames, in no order:"
            f" {counted(len(pattern.repeats), 'frame')} repeat the frame before; the usual change"
            f" is {told(pattern.ratio)} times that of the others"
        )
    many = len(pattern.held_phases)
    how = f"repeat{'' if many > 1 else 's'} the frame before"
    if pattern.has_fields:
        how = "show a new field beside an old one"
    what = {(1, 2): "twos: ", (2, 3): "threes: "}.get((many, period), "")
    # Frame 0 repeats none.
    row = next(row for row in count(max(first, 1)) if row % period in pattern.held_phases)
    return (
        f"{what}{counted(many, 'frame')} of every {period} {how}, the first is frame"
        f" {int(frames.index[row])}; the usual change is {told(pattern.ratio)} times"
        " that of the others"
    )
