"""Slips of a cadence: frames that repeat the one before them, and places where frames are missing.

Runs with ``--source`` store where each frame lies among the source frames, slips included. Between
neighbouring frames that place moves on by the same step, by nothing where a frame repeats the one
before it, and by more where frames are missing.
"""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of, spans
from vfiscope.types import Float64, FrameTable, Role, Segment, counted

__all__ = ["detect"]

MIN_EQUAL_STEPS_SHARE = 0.8
"""Least share of the steps that must be equal."""


def detect(columns: Columns) -> list[Segment]:
    """A ``duplicate`` for each repeated frame, a ``freeze`` for several in a row, and a ``drop`` at
    the first frame behind missing ones; the value is the number of places that the frame moves on,
    1 where all is well."""
    frames = columns.frames
    moved = _moved(frames)
    found = []
    for kind, rows in (("duplicate", moved == 0), ("drop", moved > 1)):
        for first, last in spans(rows, np.zeros(len(rows), bool)):
            badness = np.where(rows, np.abs(moved - 1), np.nan)
            named = "freeze" if kind == "duplicate" and last > first else kind
            place = (first, last)
            said = _evidence(frames, moved, first, last)
            found.append(
                segment_of(
                    *(frames, "cadence", moved, badness, place, 1.0), kind=named, evidence=said
                )
            )
    return found


def _evidence(frames: FrameTable, moved: Float64, first: int, last: int) -> str:
    before, frame, end = (int(frames.index[row]) for row in (first - 1, first, last))
    if moved[first] == 0:
        repeats = f"frame {frame} repeats" if last == first else f"frames {frame} to {end} repeat"
        return f"{repeats} frame {before}: the place in the source stays, where it usually moves on"
    missing = int(moved[first : last + 1].sum()) - (last - first + 1)
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
