"""Cadences: frames that repeat in a regular pattern, as pulldown, animation on twos and conversions
of the rate make them. Information, and no fault.

In a short cycle the same rows of several cycles running are the calm ones. In a long one, such as
one repeat of 25 frames, single repeats follow each other at the same distance.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np

from vfiscope.segments.detectors.context import context_of
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.repeats import Pattern, change_of, patterns_of, repeats_of
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of
from vfiscope.types import FrameTable, Segment, counted

__all__ = ["detect", "regular_of"]

MIN_SPARSE_PERIOD = 6
MIN_EQUAL_DISTANCES = 3
"""Pairs of repeats that are equally far apart: fewer may be so by chance."""
MAX_CYCLES_APART = 3
MIN_REGULAR_CONFIDENCE = 0.5
CERTAINTY_SCALE = 3.0
FIELD_RATIO = 0.5
"""Change of the calm rows in parts of the others, above which one field of two is new."""


def detect(columns: Columns) -> list[Segment]:
    """A ``cadence`` for each stretch with a pattern.

    Args:
        columns: with the signals of :data:`~.repeats.REPEAT_SIGNALS`.
    """
    if not context_of(columns).is_video:
        return []
    column, change = columns.signals["difference_p99"], change_of(columns)
    return [
        segment_of(
            *(columns.frames, "difference_p99", column, -np.nan_to_num(change, nan=np.inf)),
            (pattern.first, pattern.last),
            1 - math.exp(-pattern.certainty / CERTAINTY_SCALE),
            "cadence",
            evidence=_said(columns.frames, pattern),
        )
        for pattern in sorted([*patterns_of(columns), *regular_of(columns)])
    ]


def regular_of(columns: Columns) -> list[Pattern]:
    """Stretches with single repeats that are equally far apart, in order."""
    return columns.share("regular", lambda: _regular(columns))


def _regular(columns: Columns) -> list[Pattern]:
    single = [
        repeat
        for repeat in repeats_of(columns)
        if repeat.first == repeat.last and repeat.confidence >= MIN_REGULAR_CONFIDENCE
    ]
    rows = np.array([repeat.first for repeat in single], int)
    ratio = {repeat.first: repeat.ratio for repeat in single}
    found: list[Pattern] = []
    while True:
        period = _distance(rows)
        if not period:
            return sorted(found)
        members = [
            row for row in rows.tolist() if {row - period, row + period} & set(rows.tolist())
        ]
        for chain in _chains(members, MAX_CYCLES_APART * period):
            first, last = max(0, chain[0] - period + 1), chain[-1]
            if last + period >= len(columns.frames):  # the next one is not due before the end
                last = len(columns.frames) - 1
            usual = float(np.median([ratio[row] for row in chain]))
            certainty = -len(chain) * math.log(usual)
            found.append(Pattern(first, last, period, tuple(chain), usual, certainty))
        rows = np.setdiff1d(rows, members)


def _distance(rows: np.ndarray) -> int:
    """The distance that most pairs of neighbouring repeats have, or those of every other one; 0 if
    it is none."""
    counts = Counter(
        int(apart)
        for step in (1, 2)
        for apart in rows[step:] - rows[:-step]
        if apart >= MIN_SPARSE_PERIOD
    )
    best = max(counts, key=lambda apart: (counts[apart], -apart), default=0)
    return best if counts[best] >= MIN_EQUAL_DISTANCES else 0


def _chains(rows: list[int], apart: int) -> list[list[int]]:
    """The rows in runs whose neighbours are at most so far apart."""
    chains = [rows[:1]]
    for before, row in pairwise(rows):
        if row - before > apart:
            chains.append([])
        chains[-1].append(row)
    return chains


def _said(frames: FrameTable, pattern: Pattern) -> str:
    held = sorted({row % pattern.period for row in pattern.repeats})
    many, period = len(held), pattern.period
    first = int(frames.index[pattern.repeats[0]])
    steps = {before: after - before for before, after in pairwise([*held, held[0] + period])}
    alone = all(step > 1 for step in steps.values())
    if pattern.ratio > FIELD_RATIO and many > 1 and alone:
        how = "show a new field beside an old one"
    else:
        how = "repeat the frame before them"
    what = {(1, 2): "twos: ", (2, 3): "threes: "}.get((many, period), "")
    return (
        f"{what}{counted(many, 'frame')} of every {period} {how}, the first is frame {first}; they"
        f" change {told(pattern.ratio)} times as much as the others"
    )
