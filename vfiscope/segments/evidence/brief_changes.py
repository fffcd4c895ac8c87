"""Brief changes: for two or three frames, a place of the frame is another one in each of them."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.evidence.context import Context, medians
from vfiscope.segments.evidence.stand_out import onset_excess, residual_ratio, seam_margin
from vfiscope.types import Float64

__all__ = [
    "BRIEF_CHANGE_SIGNALS",
    "LEAST_BENT_RESIDUAL",
    "MIN_MORE_LEFT",
    "brief_changes",
    "same_place",
]

BRIEF_CHANGE_SIGNALS = (
    *("onset", "onset_x", "onset_y", "warp_residual", "difference_p99", "sharpness", "seam"),
)
BRIEF_ROWS = (2, 3)
"""How many frames: of a single one other signals tell more, and things may be seen for longer."""
LEAST_ONSET_CODES, USUAL_ONSETS_BESIDE = 4.0, 6.0
"""How far an onset stands out: code values, and usual departures around it."""
LEAST_BENT_RESIDUAL, MIN_MORE_LEFT = 0.003, 0.1
"""What motion leaves of a step, least and beyond the usual."""
LEAST_BETWEEN = 0.25
"""Change between these frames as a part of that at the ends: none is a repeat."""
MAX_SOFTER, SHARP_BEFORE, SHARP_BEHIND = 0.12, range(-6, -1), range(3, 8)
"""Fall of the logarithm of sharpness below the larger median of these rows that is blur."""
MAX_BRIEF_SEAMS = 0.5
"""Margin of seams from which on it is damage, as in what tells damage by seams and lone blocks: of
two damaged frames each has the other one beside it, and no block is lone."""
NEAR_ONSET, SAME_STRENGTH = 0.08, 2.0
"""Parts of the frame by which two onsets in one place lie apart at most, and factor of their
strengths."""


def brief_changes(context: Context) -> Float64:
    """(N,) margins of such stretches, 0 outside: how clearly both ends stand out. For runs with the
    signals ``BRIEF_CHANGE_SIGNALS``.

    Something begins and is gone in the same place, two or three frames on, and motion explains
    neither; and it does not explain what goes on between them either. A thing that is seen for so
    short, and damage that stays, are the same in all of them; other damage has seams; held frames
    repeat each other; blur takes sharpness.
    """

    def compute() -> Float64:
        margins = np.zeros(len(context.columns.frames))
        begins = _begins(context)
        firsts = np.flatnonzero(begins >= 1).tolist()
        for first, stop in ((first, first + count) for first in firsts for count in BRIEF_ROWS):
            ends = stop < len(begins) and begins[stop] >= 1
            if ends and same_place(context, first, stop) and _changing(context, first, stop):
                shown = min(begins[first], begins[stop])
                margins[first:stop] = np.maximum(margins[first:stop], shown)
        return margins

    return context.columns.share("brief_changes", compute)


def same_place(context: Context, first: int, stop: int) -> bool:
    """Whether what begins at one row and at another is in the same place, and about as strong."""
    strength, x, y = (context.signal(name) for name in BRIEF_CHANGE_SIGNALS[:3])
    near = max(abs(x[stop] - x[first]), abs(y[stop] - y[first])) <= NEAR_ONSET
    return bool(near and 1 / SAME_STRENGTH <= strength[stop] / strength[first] <= SAME_STRENGTH)


def _begins(context: Context) -> Float64:
    """(N,) margins of onsets that motion does not explain."""
    excess, usual = onset_excess(context)
    margins = excess / np.maximum(LEAST_ONSET_CODES, USUAL_ONSETS_BESIDE * usual)
    return np.where(residual_ratio(context, LEAST_BENT_RESIDUAL) >= 1 + MIN_MORE_LEFT, margins, 0.0)


def _changing(context: Context, first: int, stop: int) -> bool:
    """Whether each frame of a stretch differs from the one before by more than motion, and none is
    softer than those around or has seams."""
    inside = slice(first + 1, stop)
    left = residual_ratio(context, LEAST_BENT_RESIDUAL)[inside].min()
    change = context.signal("difference_p99")
    moving = change[inside].min() >= LEAST_BETWEEN * min(change[first], change[stop])
    softer = context.columns.share("softer", lambda: _softer(context))[first:stop].max()
    whole = seam_margin(context)[first:stop].max() < MAX_BRIEF_SEAMS
    return bool(left >= 1 + MIN_MORE_LEFT and moving and softer <= MAX_SOFTER and whole)


def _softer(context: Context) -> Float64:
    """(N,) by how much the logarithm of sharpness is lower than before or behind."""
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.log(context.signal("sharpness"))
        usual = np.fmax(medians(level, SHARP_BEFORE), medians(level, SHARP_BEHIND))
        return np.asarray(np.nan_to_num(usual - level))
