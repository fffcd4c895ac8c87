"""Slips of a cadence: frames that repeat the one before them, and places where frames are missing.

Runs with ``--source`` store where each frame lies among the source frames, slips included, and
those with an aligned ``--ref`` which reference frame each one shows. Between neighbouring frames
that place moves on by the same step, by nothing where a frame repeats the one before it, and by
more where frames are missing.
"""

from __future__ import annotations

import numpy as np

from vfiscope.segments.causes import BY_PLACES
from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.context import context_of, medians
from vfiscope.segments.evidence.repeats import REPEAT_SIGNALS, repeats_of, shown_again
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Float64, FrameTable, Role, Segment, counted

__all__ = ["detect", "moved_of"]

MIN_EQUAL_STEPS_SHARE = 0.8
"""Least share of the steps that must be equal."""
MIN_USUAL_SHARE = 0.6
"""The same of the steps in a reference, where what a frame shows confirms the others."""
MAX_REPEATED, MIN_MORE = 0.6, 1.1
"""Change in terms of that of the frames beside it: at most where a frame repeats the one before,
and at least where frames are missing."""


def detect(columns: Columns) -> list[Segment]:
    """A ``duplicate`` for each repeated frame, a ``freeze`` for several in a row, and a ``drop`` at
    the first frame behind missing ones; the value is the number of places that the frame moves on,
    1 where all is well."""
    frames = columns.frames
    moved, against = moved_of(columns)
    found = []
    for kind, rows in (("duplicate", moved == 0), ("drop", moved > 1)):
        for first, last in spans(rows, np.zeros(len(rows), bool)):
            if against == "reference" and kind == "drop" and _catches_up(moved, first):
                continue
            if against == "source" and kind == "duplicate" and _in_freeze(columns, first, last):
                continue
            badness = np.where(rows, np.abs(moved - 1), np.nan)
            named = "freeze" if kind == "duplicate" and last > first else kind
            place = (first, last)
            said = _evidence(columns, moved, place, against)
            found.append(
                segment_of(
                    *(frames, BY_PLACES, moved, badness, place, 1.0), kind=named, evidence=said
                )
            )
    return found


def moved_of(columns: Columns) -> tuple[Float64, str]:
    """(N,) places by which each frame moves on from the one before it, in usual steps, and whether
    they are places in a source or in a reference; NaN where that is unknown, and everywhere if the
    run stores no steady places."""

    def compute() -> tuple[Float64, str]:
        moved = _moved(columns.frames)
        if np.isfinite(moved).any():
            return moved, "source"
        return _moved_in_reference(columns), "reference"

    return columns.share("moved", compute)


def _moved_in_reference(columns: Columns) -> Float64:
    """The same in the reference.

    A map from times repeats and omits frames too, so that a repeat counts only where the frame
    hardly changes, and an omission where it changes more than the frames beside it. Where frames
    repeat in a pattern, as drawings on twos do, two of the reference look alike, and one may be
    taken twice and the next one left out: that is none of both.
    """
    frames = columns.frames
    nothing = np.full(len(frames), np.nan)
    if (frames.role != Role.UNKNOWN).any() or "frame_difference" not in columns.signals:
        return nothing
    places = np.where(frames.ref_index >= 0, frames.ref_index, np.nan).astype(np.float64)
    steps = np.diff(places, prepend=np.nan)
    known = np.isfinite(steps)
    usual = float(np.median(steps[known])) if known.any() else 0.0
    if usual < 1 or (steps == usual).sum() < MIN_USUAL_SHARE * known.sum():
        return nothing
    moved = np.where(known, steps / usual, np.nan)
    change = context_of(columns).signal("frame_difference")
    beside = medians(np.where(moved == 1, change, np.nan), (-4, -3, -2, -1, 1, 2, 3, 4))
    rows = np.flatnonzero(np.isfinite(beside))
    if not len(rows):
        return nothing
    beside = np.interp(np.arange(len(beside)), rows, beside[rows])  # within a long freeze
    taken_twice = (moved == 0) & shown_again(context_of(columns))
    taken_twice &= np.append(moved[1:] == 2, False)
    moved[taken_twice | np.append(False, taken_twice[:-1])] = 1.0
    told_of = np.where(moved == 0, change < MAX_REPEATED * beside, change > MIN_MORE * beside)
    moved = np.where((moved == 1) | told_of | ~known, moved, 1.0)
    return moved if (moved[known] != 1).any() else nothing  # frame by frame: no map was made


def _catches_up(moved: Float64, row: int) -> bool:
    """True where a frame makes up for the repeats right before it, and nothing else is missing."""
    before = 0
    while row - before - 1 > 0 and moved[row - before - 1] == 0:
        before += 1
    return bool(0 < before >= moved[row] - 1)


def _in_freeze(columns: Columns, first: int, last: int) -> bool:
    """Whether a longer freeze is seen there: of many frames that stand still, those that have a
    source frame each are at their places."""
    if not set(REPEAT_SIGNALS) <= set(columns.signals):
        return False
    return any(
        each.first <= first and last <= each.last and each.last - each.first > last - first
        for each in repeats_of(columns)
        if each.margin >= 1
    )


def _evidence(columns: Columns, moved: Float64, place: tuple[int, int], against: str) -> str:
    frames, (first, last) = columns.frames, place
    before, frame, end = (int(frames.index[row]) for row in (first - 1, first, last))
    if moved[first] == 0:
        repeats = f"frame {frame} repeats" if last == first else f"frames {frame} to {end} repeat"
        return (
            f"{repeats} frame {before}: the place in the {against} stays, where it usually moves on"
        )
    missing = int(moved[first : last + 1].sum()) - (last - first + 1)
    if against == "reference":
        begin, stop = int(frames.ref_index[first - 1]) + 1, int(frames.ref_index[last])
        which = f"frame {begin}" if stop == begin + 1 else f"frames {begin} to {stop - 1}"
        elsewhere = sum(begin <= shown < stop for shown in columns.displaced)
        if elsewhere == stop - begin:
            comes = "comes" if elsewhere == 1 else "come"
            return f"{which} of the reference {comes} out of order, and not before frame {frame}"
        some = f", {elsewhere} of them out of order" if elsewhere else ""
        return f"{which} of the reference missing before frame {frame}{some}"
    return (
        f"{counted(missing, 'frame')} missing before frame {frame}: the place in the source moves"
        f" on by {told(float(moved[first]))} usual steps"
    )


def _moved(frames: FrameTable) -> Float64:
    """(N,) places by which each frame moves on from the one before it, in usual steps; NaN where
    that is unknown, and everywhere if the run stores no steady places in a source."""
    nothing = np.full(len(frames), np.nan)
    places = np.where(frames.ref_index >= 0, frames.ref_index + frames.phase, np.nan)
    steps = np.diff(places, prepend=np.nan)
    known = np.isfinite(steps)
    if known.sum() < 2 or not (frames.role == Role.SYNTHESISED).any():
        return nothing
    usual = float(np.median(steps[known]))
    steady = np.isclose(steps[known], usual, atol=1e-9).mean()
    # Without a source, ref_index counts frames of another rate and does not go with the phase.
    whole = np.flatnonzero(np.isfinite(places))[[0, -1]]
    slope = float(np.diff(frames.ref_index[whole])[0]) / float(np.diff(whole)[0])
    if not 0 < usual <= 1 or steady < MIN_EQUAL_STEPS_SHARE or not 0.5 < slope / usual < 1.5:
        return nothing
    return np.where(known, np.rint(steps / usual), np.nan)
