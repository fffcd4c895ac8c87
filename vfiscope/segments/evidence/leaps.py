"""Leaps: how far the frame as a whole departs from its usual motion, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from vfiscope.segments.evidence.context import Context, medians
from vfiscope.segments.evidence.repeats import shown_again
from vfiscope.segments.evidence.stand_out import SIDE_BEFORE, SIDE_BEHIND
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64

__all__ = ["LEAP_SIGNALS", "MIN_TURN_DEG", "Leaps", "explained_rows", "leaps_of"]

LEAP_SIGNALS = ("motion_x", "motion_y", "motion_rotation", "motion_residual", "structure_step")
BESIDE_LEAP = (-4, -3, -2, -1, 1, 2, 3, 4)
"""Rows whose median is the usual motion of a row."""
CALM_BEFORE, CALM_BEHIND = range(-8, 0), range(6, 14)
"""Rows whose median departure is the usual one: behind as far as a swing lasts."""
MIN_CAMERA_JUMP_PX, MIN_TURN_DEG = 1.5, 0.8
"""Least departure from the usual motion."""
USUAL_JUMPS = 4.0
"""How many times the usual departure of the rows around a leap is at least."""
MIN_SUDDEN = 0.75
"""Part of a departure that comes from one frame to the next."""
MAX_LEFT, MAX_PLAIN_LEFT = 0.7, 0.5
"""Largest part of the difference to the frame before that the motion may leave: at all, and where
the frame shows the same and nothing else."""
MIN_USUAL_PX = 0.25
"""Usual motion from which on the frame goes a way."""
STEP_ERROR, MAX_STEPS_BACK = 0.2, 3
ASIDE_SHARE, ASIDE_PX = 0.3, 0.3
"""How far from that way a frame lies that goes it, as a part of its motion and in px."""
MAX_STRUCTURE_STEP = 0.6
"""Above it another scene begins."""


@dataclass(frozen=True, eq=False)
class Leaps:
    """Departures of the motion of N rows from that of the rows around."""

    x: Float64
    y: Float64
    turn: Float64
    """(N,) px and degrees; 0 where unknown."""
    usual: Float64
    """(N,) px: the usual departure around."""
    margin: Float64
    turned: Float64
    """(N,) the departure in terms of what is enough, and that of the rotation alone."""
    explained: Mask
    """(N,) True where the motion explains the difference to the frame before."""
    whole_steps: Mask
    any_steps: Mask
    """(N,) True where the frame goes its usual way by whole steps, ahead where frames are missing,
    by none where one is repeated, or back to one that was shown before; and by these or by any
    number of steps ahead."""

    @property
    def far(self) -> Mask:
        """(N,) True where the whole frame leaps."""
        return np.asarray((self.margin >= 1) & self.explained)

    def at(self, rows: Mask) -> Leaps:
        """These as the rows of a longer run that are True; the others do not move."""
        placed = []
        for each in fields(self):
            own = getattr(self, each.name)
            longer = np.zeros(len(rows), own.dtype)
            longer[rows] = own
            placed.append(longer)
        return Leaps(*placed)

    def of(self, rows: Mask) -> Leaps:
        """Those of the rows that are True."""
        return Leaps(*(getattr(self, each.name)[rows] for each in fields(self)))


def leaps_of(context: Context) -> Leaps:
    """Those of a run with the signals ``LEAP_SIGNALS``."""

    def compute() -> Leaps:
        new = ~shown_again(context)
        leaps = _measured(*(context.signal(name)[new] for name in LEAP_SIGNALS))
        return leaps if new.all() else leaps.at(new)

    return context.columns.share("leaps", compute)


def _measured(x: Float64, y: Float64, turn: Float64, left: Float64, structure: Float64) -> Leaps:
    """Those of rows that follow each other."""
    off_x, off_y, off_turn = (np.nan_to_num(v - medians(v, BESIDE_LEAP)) for v in (x, y, turn))
    away = np.hypot(off_x, off_y)
    usual, usual_turn = (_usual(off) for off in (away, np.abs(off_turn)))
    turned = np.abs(off_turn) / np.maximum(MIN_TURN_DEG, USUAL_JUMPS * usual_turn)
    moved = away / np.maximum(MIN_CAMERA_JUMP_PX, USUAL_JUMPS * usual)
    sudden = (np.abs(np.diff(v, prepend=np.nan)) for v in (x, y, turn))
    step_x, step_y, step_turn = (np.nan_to_num(step, nan=np.inf) for step in sudden)
    # A camera that gathers speed does not leap.
    moved *= np.hypot(step_x, step_y) >= MIN_SUDDEN * away
    turned *= step_turn >= MIN_SUDDEN * np.abs(off_turn)
    with np.errstate(invalid="ignore"):
        explained = (left < MAX_LEFT) & ~(structure > MAX_STRUCTURE_STEP)
    margin = np.maximum(moved, turned)
    ways = [
        _on_the_way(x, y, medians(x, side), medians(y, side)) for side in (SIDE_BEFORE, SIDE_BEHIND)
    ]
    steps = [(ways[0][i] | ways[1][i]) & (turned < 1) for i in (0, 1)]
    return Leaps(off_x, off_y, off_turn, usual, margin, turned, np.asarray(explained), *steps)


def _usual(off: Float64) -> Float64:
    """(N,) the usual departure before or behind, the larger one."""
    return np.nan_to_num(np.fmax(medians(off, CALM_BEFORE), medians(off, CALM_BEHIND)))


def _on_the_way(x: Float64, y: Float64, usual_x: Float64, usual_y: Float64) -> tuple[Mask, Mask]:
    """Two of (N,), as in :class:`Leaps`, for a usual motion."""
    speed = np.hypot(usual_x, usual_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = (x * usual_x + y * usual_y) / speed**2
        aside = np.hypot(x - steps * usual_x, y - steps * usual_y)
        whole = (np.abs(steps - np.rint(steps)) < STEP_ERROR) & (steps > -MAX_STEPS_BACK - 0.5)
        near = (aside < ASIDE_SHARE * np.hypot(x, y) + ASIDE_PX) & (speed > MIN_USUAL_PX)
    return np.asarray(near & whole), np.asarray(near & (whole | (steps > 1)))


def explained_rows(context: Context) -> Mask:
    """(N,) True where a leap of the whole frame off its way, to it or to the next one, is all that
    happened: of runs that hold all signals, else nowhere."""
    if not all(name in context.columns.signals for name in LEAP_SIGNALS):
        return np.zeros(len(context.columns.frames), bool)
    leaps, left = leaps_of(context), context.signal("motion_residual")
    with np.errstate(invalid="ignore"):
        plain = leaps.far & (left < MAX_PLAIN_LEFT) & ~leaps.any_steps
    return np.asarray(plain | np.append(plain[1:], False))
