"""Runs of rows, and segments of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.columns import Column
from vfiscope.store import rows_of
from vfiscope.types import FrameTable, Role, Segment, Status

__all__ = ["Ranges", "row_end", "segment_of", "spans", "stepped_over"]

Mask = NDArray[np.bool_]


class Ranges:
    """Ranges of frames, of which many thousands can be asked whether one reaches a place."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Each is given by its first frame and the one that it reaches to."""
        both = list(ranges)
        self._starts, self._stops = (sorted(each[end] for each in both) for end in (0, 1))

    def reach(self, first: int, last: int) -> bool:
        """True if one begins at ``last`` or before and reaches to ``first`` or further."""
        return bisect_right(self._starts, last) > bisect_left(self._stops, first)


def spans(
    met: Mask, ignored: Mask, broken: Mask | None = None, reach: int = 1
) -> list[tuple[int, int]]:
    """Runs of rows, as (first, last) with both ends included and both ends met.

    Two met rows belong to one run when they are at most ``reach`` rows apart, not counting ignored
    rows between them, and no broken row lies between.
    """
    rows = np.flatnonzero(met)
    if not len(rows):
        return []
    apart = np.diff(np.cumsum(~ignored)[rows]) > reach
    if broken is not None:
        apart |= np.diff(np.cumsum(broken)[rows]) > 0
    firsts = rows[np.r_[True, apart]]
    lasts = rows[np.r_[apart, True]]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def stepped_over(frames: FrameTable, column: Column, role: str) -> Mask:
    """(N,) rows that neither count nor break a run of rows of a role.

    They are rows of another known role; in a rule about all frames, rows that were read and whose
    role has no value of the metric anywhere.
    """
    if role != "all":
        return np.asarray((frames.role != Role.UNKNOWN) & ~rows_of(frames, role), dtype=np.bool_)
    read = (frames.status == Status.OK) | (frames.status == Status.CORRUPT)
    defined = np.isin(frames.role, frames.role[~np.isnan(column)])
    return np.asarray(
        np.isnan(column) & (frames.role != Role.UNKNOWN) & ~defined & read, dtype=np.bool_
    )


def segment_of(
    frames: FrameTable,
    metric: str,
    column: Column,
    badness: Column,
    rows: tuple[int, int],
    confidence: float,
    kind: str = "low_score",
    rule: str = "",
    role: str = "all",
    *,
    evidence: str = "",
) -> Segment:
    """The segment of a range of rows, both ends included; its peak is the first row of greatest
    badness, which is NaN in rows that are stepped over.

    ``evidence`` says in one sentence, with its numbers, why it is flagged."""
    first, last = rows
    inside = badness[first : last + 1]
    peak = first + int(np.where(np.isnan(inside), -np.inf, inside).argmax())
    return Segment(
        start=int(frames.index[first]),
        stop=int(frames.index[last]) + 1,
        kind=kind,
        metric=metric,
        peak=float(column[peak]),
        peak_index=int(frames.index[peak]),
        confidence=confidence,
        start_time_s=float(frames.time_s[first]),
        stop_time_s=row_end(frames, last),
        rule=rule,
        role=role,
        evidence=evidence,
    )


def row_end(frames: FrameTable, row: int) -> float:
    """Seconds at which a row ends: when the next one starts, the last after the median
    interval."""
    times = frames.time_s
    if row + 1 < len(times):
        return float(times[row + 1])
    return float(times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 0.0))
