"""Bumps: jumps of the whole frame, with or without a way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.detectors.certainty import certainty
from vfiscope.segments.detectors.context import Context, context_of, medians
from vfiscope.segments.detectors.corruption import damaged_rows
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.stand_out import SIDE_BEFORE, SIDE_BEHIND
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64, Segment

__all__ = ["SHIFT_SIGNALS", "bumped_rows", "detect"]

SHIFT_SIGNALS = ("motion_x", "motion_y", "motion_rotation", "motion_residual", "structure_step")
BESIDE_JUMP = (-4, -3, -2, -1, 1, 2, 3, 4)
"""Rows whose median is the usual motion of a row."""
MIN_CAMERA_JUMP_PX, MIN_TURN_DEG = 1.5, 0.8
"""Least departure from the usual motion."""
USUAL_JUMPS = 5.0
"""How many times the usual departure of the rows around a jump is at least."""
MAX_LEFT = 0.7
"""Largest part of the difference to the frame before that the motion may leave."""
MAX_STRUCTURE_STEP = 0.6
"""Above it another scene begins."""
MIN_USUAL_PX = 0.25
"""Usual motion from which on the frame goes a way."""
STEP_ERROR, MAX_STEPS_BACK = 0.2, 3
ASIDE_SHARE, ASIDE_PX = 0.3, 0.3
"""How far from that way a frame lies that goes it, as a part of its motion and in px."""
MAX_AWAY_ROWS = 12
"""Rows within which a camera that swings comes back."""
AGAIN_ROWS, AGAIN_SHARE = 8, 0.3
"""Rows within which the same motion may occur again, and by how much it may differ."""
BACK_SHARE = 0.3
"""Part of the first displacement at which it is back, unless it swings on."""
FADED_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Jumps:
    """Departures of the motion of N rows from that of the rows around."""

    x: Float64
    y: Float64
    turn: Float64
    """(N,) px and degrees; 0 where unknown."""
    margin: Float64
    """(N,) the larger of both in terms of what is enough."""
    bumped: Mask
    """(N,) True where it is a bump of the camera."""


def detect(columns: Columns) -> list[Segment]:
    """The bumps of the camera, each up to where it is back, or one frame where it stays away.

    The frame moves as a whole by another way than before and after: further than the usual
    departures there, explained by the motion (what is left is a part of the difference), and not
    along the way that it goes anyway, where frames are missing instead.

    Args:
        columns: with the signals ``SHIFT_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    jumps: Jumps = columns.share("jumps", lambda: _jumps(context))
    found, row = [], 0
    rows = np.flatnonzero(jumps.bumped)
    for first in rows.tolist():
        if first >= row:
            back = _back(jumps, first)
            row = first + 1 if back is None else back + 1
            found.append(_segment(columns, jumps, first, back))
    return found


def bumped_rows(context: Context) -> Mask:
    """(N,) True where the camera was bumped: of runs that hold all signals, else nowhere."""
    if not all(name in context.columns.signals for name in SHIFT_SIGNALS):
        return np.zeros(len(context.columns.frames), bool)
    return context.columns.share("jumps", lambda: _jumps(context)).bumped


def _jumps(context: Context) -> Jumps:
    x, y, turn, left, structure = (context.signal(name) for name in SHIFT_SIGNALS)
    usual_x, usual_y = medians(x, BESIDE_JUMP), medians(y, BESIDE_JUMP)
    off_x, off_y = np.nan_to_num(x - usual_x), np.nan_to_num(y - usual_y)
    off_turn = np.nan_to_num(turn - medians(turn, BESIDE_JUMP))
    margins = []
    for off, least in (
        (np.hypot(off_x, off_y), MIN_CAMERA_JUMP_PX),
        (np.abs(off_turn), MIN_TURN_DEG),
    ):
        usual = np.nan_to_num(medians(off, BESIDE_JUMP))
        margins.append(off / np.maximum(least, USUAL_JUMPS * usual))
    margin = np.maximum(*margins)
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = (left < MAX_LEFT) & ~(structure > MAX_STRUCTURE_STEP)
    ways = [
        _on_the_way(x, y, medians(x, side), medians(y, side)) for side in (SIDE_BEFORE, SIDE_BEHIND)
    ]
    bumped = (margin >= 1) & explained & (~(ways[0] | ways[1]) | (margins[1] >= 1))
    bumped &= ~damaged_rows(context) & ~_again(x, y)
    return Jumps(off_x, off_y, off_turn, margin, bumped)


def _on_the_way(x: Float64, y: Float64, usual_x: Float64, usual_y: Float64) -> Mask:
    """(N,) True where the frame goes on as usual or by some usual steps, ahead where frames are
    missing, by none where one is repeated, or back to one that was shown before."""
    speed = np.hypot(usual_x, usual_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = (x * usual_x + y * usual_y) / speed**2
        aside = np.hypot(x - steps * usual_x, y - steps * usual_y)
        near = np.abs(steps - np.rint(steps)) < STEP_ERROR
        some = (steps > -MAX_STEPS_BACK - STEP_ERROR) & ((steps > 1) | near)
        near_it = aside < ASIDE_SHARE * np.hypot(x, y) + ASIDE_PX
        return np.asarray((speed > MIN_USUAL_PX) & some & near_it)


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


def _back(jumps: Jumps, first: int) -> int | None:
    """The row at which the frame is back where it was before a jump; None where it stays away."""
    stop = min(len(jumps.x), first + 1 + MAX_AWAY_ROWS)
    away = np.hypot(jumps.x[first:stop].cumsum(), jumps.y[first:stop].cumsum())
    home = np.flatnonzero((away < BACK_SHARE * away[0]) & (jumps.margin[first:stop] >= 1))
    if not len(home):
        return None
    row = int(home[0])
    # A swing fades out: the last of its steps may be small.
    faded = row + 1 < len(away) and away[row] > FADED_SHARE * away[0]
    return first + row + int(faded and away[row + 1] < away[row] / 2)


def _segment(columns: Columns, jumps: Jumps, first: int, back: int | None) -> Segment:
    frames, last = columns.frames, first if back is None else back - 1
    length = np.hypot(jumps.x, jumps.y)
    how = f"{told(float(length[first]), 'px')}"
    if abs(jumps.turn[first]) >= MIN_TURN_DEG:
        how += f" and turns by {told(abs(float(jumps.turn[first])))} degrees"
    end = "stays there" if back is None else f"is back at frame {int(frames.index[back])}"
    said = (
        f"the whole of frame {int(frames.index[first])} jumps by {how},"
        f" {told(float(jumps.margin[first]))} times what its usual motion would explain,"
        f" and {end}"
    )
    return segment_of(
        *(frames, "motion_x", columns.signals["motion_x"], length, (first, last)),
        certainty(float(jumps.margin[first])),
        "shift",
        evidence=said,
    )
