"""Bumps: jumps of the whole frame, with or without a way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.detectors.confidence import confidence
from vfiscope.segments.detectors.context import Context, context_of, medians
from vfiscope.segments.detectors.corruption import damaged_rows
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.leaps import LEAP_SIGNALS, MIN_TURN_DEG, Leaps, leaps_of
from vfiscope.segments.detectors.stand_out import SIDE_BEHIND
from vfiscope.segments.detectors.torn_paces import surely_torn
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64, Segment

__all__ = ["SHIFT_SIGNALS", "bumped_rows", "detect"]

SHIFT_SIGNALS = (*LEAP_SIGNALS, "difference_p99")
MAX_AWAY_ROWS = 12
"""Rows within which a camera that swings comes back."""
AGAIN_ROWS, AGAIN_SHARE = 8, 0.3
"""Rows within which the same motion may occur again, and by how much it may differ."""
BACK_SHARE, REST_SHARE, USUAL_REST = 0.3, 0.1, 3.0
"""Part of the farthest displacement within which the frame is back; and the next departure of one
at rest, as such a part and in terms of the usual one before."""
STILL_SHARE, MIN_GOING_CODES = 0.25, 2.0
"""Change of a frame that repeats the one before, as a part of the change behind the jump; and that
change, in code values, from which on something goes on there."""


@dataclass(frozen=True)
class Bump:
    """A bump by rows."""

    first: int
    back: int | None
    """The first row at rest where the frame was before; None where it stays away."""
    margin: float


def detect(columns: Columns) -> list[Segment]:
    """The bumps of the camera, each up to where it is back and at rest, or one frame where it stays
    away.

    The frame moves as a whole by another way than before and after: further than the usual
    departures there, explained by the motion (what is left is a part of the difference), and not
    along the way that it goes anyway, where frames are missing instead.

    Args:
        columns: with the signals ``SHIFT_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    return [_segment(context, bump) for bump in _bumps(context)]


def bumped_rows(context: Context) -> Mask:
    """(N,) True where the camera is bumped, from the jump up to the row at rest: of runs that hold
    all signals, else nowhere."""
    rows = np.zeros(len(context.columns.frames), bool)
    if all(name in context.columns.signals for name in SHIFT_SIGNALS):
        for bump in _bumps(context):
            rows[bump.first : (bump.first if bump.back is None else bump.back) + 1] = True
    return rows


def _bumps(context: Context) -> list[Bump]:
    return context.columns.share("bumps", lambda: list(_found(context)))


def _found(context: Context) -> list[Bump]:
    leaps = leaps_of(context)
    x, y = context.signal("motion_x"), context.signal("motion_y")
    starts = leaps.far & ~leaps.whole_steps & ~damaged_rows(context) & ~_again(x, y)
    starts &= ~surely_torn(context)
    late, found, free = _behind_repeats(context), [], 0
    for first in np.flatnonzero(starts).tolist():
        if first < free:
            continue
        back = _back(leaps, first)
        if back is None and (leaps.any_steps[first] or late[first]):
            continue  # frames are missing, here or after repeats
        free = first + 1 if back is None else back + 1
        found.append(Bump(first, back, float(leaps.margin[first:free].max())))
    return found


def _again(x: Float64, y: Float64) -> Mask:
    """(N,) True where two frames nearby move in the same way, as in a cadence; a camera that
    swings has one such way only."""
    size = len(x)
    padded = np.full((2, size + 2 * AGAIN_ROWS), np.nan)
    padded[:, AGAIN_ROWS : AGAIN_ROWS + size] = x, y
    again = np.zeros(size, np.intp)
    for offset in (*range(-AGAIN_ROWS, -1), *range(2, AGAIN_ROWS + 1)):
        other = padded[:, AGAIN_ROWS + offset : AGAIN_ROWS + offset + size]
        again += np.hypot(other[0] - x, other[1] - y) < AGAIN_SHARE * np.hypot(x, y)
    return again > 1


def _behind_repeats(context: Context) -> Mask:
    """(N,) True where the frame before is a repeat, and those behind are none."""
    change = context.signal("difference_p99")
    with np.errstate(invalid="ignore"):
        going = np.fmax(medians(change, SIDE_BEHIND), 0)
        repeated = np.append(False, change[:-1] < STILL_SHARE * going[1:])
        return np.asarray(repeated & (going >= MIN_GOING_CODES))


def _back(leaps: Leaps, first: int) -> int | None:
    """The first row behind a jump at which the frame is at rest where it was before; None where it
    stays away."""
    rows = slice(first, first + 2 + MAX_AWAY_ROWS)
    away = np.hypot(leaps.x[rows].cumsum(), leaps.y[rows].cumsum())
    step, farthest = np.hypot(leaps.x[rows], leaps.y[rows]), np.maximum.accumulate(away)
    rest = np.maximum(REST_SHARE * farthest, USUAL_REST * leaps.usual[first])
    home = (away < BACK_SHARE * farthest)[:-1] & (step[1:] < rest[:-1])
    return first + int(home.argmax()) if home.any() else None


def _segment(context: Context, bump: Bump) -> Segment:
    frames, leaps = context.columns.frames, leaps_of(context)
    first, last = bump.first, bump.first if bump.back is None else bump.back - 1
    length = np.hypot(leaps.x, leaps.y)
    how = f"{told(float(length[first]), 'px')}"
    if abs(leaps.turn[first]) >= MIN_TURN_DEG:
        how += f" and turns by {told(abs(float(leaps.turn[first])))} degrees"
    end = "stays there"
    if bump.back is not None:
        end = f"is back at frame {int(frames.index[bump.back])}"
    said = (
        f"the whole of frame {int(frames.index[first])} jumps by {how},"
        f" {told(bump.margin)} times what its usual motion would explain, and {end}"
    )
    return segment_of(
        *(frames, "motion_x", context.columns.signals["motion_x"], length, (first, last)),
        *(confidence("shift", bump.margin), "shift"),
        evidence=said,
    )
