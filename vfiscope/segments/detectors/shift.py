"""Bumps: jumps of the whole frame, with or without a way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.echoes import surely_twice
from vfiscope.segments.evidence.leaps import LEAP_SIGNALS, MIN_TURN_DEG, Leaps, leaps_of
from vfiscope.segments.evidence.repeats import rows_in_cadence, shown_again
from vfiscope.segments.evidence.stand_out import behind_repeats
from vfiscope.segments.evidence.torn_paces import surely_torn
from vfiscope.segments.rules import segment_of
from vfiscope.segments.spans import Mask
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["SHIFT_SIGNALS", "bumped_rows", "detect"]

SHIFT_SIGNALS = (*LEAP_SIGNALS, "difference_p99")
MOTION = ("motion_x", "motion_y", "motion_residual")
MAX_AWAY_ROWS = 12
"""Rows within which a camera that swings comes back."""
AGAIN_ROWS, AGAIN_SHARE = 8, 0.3
"""Rows within which the same motion may occur again, and by how much it may differ."""
BACK_SHARE, REST_SHARE, USUAL_REST = 0.5, 0.1, 3.0
"""Part of the farthest displacement within which the frame is back; and the next departure of one
at rest, as such a part and in terms of the usual one before."""
MIN_IN_CADENCE = 2.0
"""Margin in a cadence, where a frame behind one that repeats goes two usual steps at once."""
SIDE_OF_BUMP = 4
"""Rows before and behind it whose motion is the usual one."""
LONG_SHARE, MAX_LEFT_BACK = 0.5, 0.8
"""Length of a step, as a part of the first, from which on its motion must explain it, and the
largest part of the difference that it may leave."""


@dataclass(frozen=True)
class Bump:
    """A bump by rows."""

    first: int
    back: int | None
    """The first row at rest where the frame was before; None where it stays away."""
    margin: float


class Motion(NamedTuple):
    """Motion of the frame since the one before, each (N,): px, and what is left behind it."""

    x: Float64
    y: Float64
    left: Float64


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
    """Those of the rows that show something new, each beside those around: what is shown again
    stands still in between, wherever the camera goes."""
    new = ~shown_again(context)
    rows = np.flatnonzero(new)
    leaps, motion = leaps_of(context).of(new), Motion(*(context.signal(n)[new] for n in MOTION))
    starts = leaps.far & ~damaged_rows(context)[new] & ~_again(motion.x, motion.y)
    starts &= ~surely_torn(context)[new] & ~surely_twice(context)[new]
    regular = rows_in_cadence(context)[new]
    starts &= (leaps.margin >= MIN_IN_CADENCE) | ~regular
    late, found, free = behind_repeats(context)[new] & ~regular, [], 0
    for first in np.flatnonzero(starts).tolist():
        if first < free:
            continue
        back = _back(motion, leaps, first)
        own = slice(first, first + 1 if back is None else back + 1)
        # Frames that are missing, repeated or shown again are whole steps on the usual way.
        in_time = leaps.whole_steps[own][leaps.far[own]].all()
        if in_time or (back is None and (leaps.any_steps[first] or late[first])):
            continue
        free = own.stop
        row = None if back is None else int(rows[back])
        found.append(Bump(int(rows[first]), row, float(leaps.margin[own].max())))
    return found


def _again(x: Float64, y: Float64) -> Mask:
    """(N,) True where two frames nearby move in the same way, as in a cadence; a camera that
    swings has one such way only."""
    size = len(x)
    padded = np.full((2, size + 2 * AGAIN_ROWS), np.nan)
    padded[:, AGAIN_ROWS : AGAIN_ROWS + size] = x, y
    again, near = np.zeros(size, np.intp), AGAIN_SHARE * np.hypot(x, y)
    for offset in (*range(-AGAIN_ROWS, -1), *range(2, AGAIN_ROWS + 1)):
        other = padded[:, AGAIN_ROWS + offset : AGAIN_ROWS + offset + size]
        again += np.hypot(other[0] - x, other[1] - y) < near
    return again > 1


def _back(moved: Motion, leaps: Leaps, first: int) -> int | None:
    """The first row behind a jump at which the frame is at rest where it was before, if it went on
    as before and behind; None where it stays away."""
    x, y, left = moved
    motion = np.nan_to_num(np.stack([x, y], axis=1))
    before = np.median(motion[max(0, first - SIDE_OF_BUMP) : first], axis=0)
    for back in range(first + 1, min(len(x) - 1, first + 1 + MAX_AWAY_ROWS)):
        after = np.median(motion[back + 1 : back + 1 + SIDE_OF_BUMP], axis=0)
        off = motion[first : back + 1] - (before + after) / 2
        away, steps = np.hypot(*off.cumsum(axis=0).T), np.hypot(*off.T)
        rest = max(REST_SHARE * float(away.max()), USUAL_REST * float(leaps.usual[first]))
        next_step = float(np.hypot(*(motion[back + 1] - after)))
        if away[-1] < BACK_SHARE * away.max() and next_step < rest:
            # The way back is a leap, too, and not what is left behind a tear.
            leapt = left[first : back + 1][steps >= LONG_SHARE * steps[0]]
            return back if (leapt < MAX_LEFT_BACK).all() else None
    return None


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
