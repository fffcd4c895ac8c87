"""Cuts of a video: the first frame of another shot.

Three kinds of evidence must agree that a frame has little to do with the one before it, which is
first brought along its motion: its structure (1 - median local correlation, which light does not
move), its pixels (in standard deviations of luma), and its colours. The more unlike the structure
is, the less the colours must say, so that a cut between dark shots of the same colours is found;
and where colours say much, part of the frame may stay as it was. Both structure and pixels must
also stand out from the frames around it, so that fast motion cuts nothing.

Frames that are damaged or covered for a moment are as unlike. They come in groups, so a weak cut
stands alone; and they end as they began: where the statistics of luma return, a few frames behind
or, of weak ones, some dozen, neither end is a cut. A flash and its end are no cuts, nor is a step
of exposure: structure stays. In a busy shot of which instants are missing it does not, but motion
goes on: where the signals of drops are there and tell one, no cut is told.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.drop import missing_margin
from vfiscope.segments.detectors.fade import FADE_SIGNALS, fades
from vfiscope.segments.detectors.flash import FLASH_SIGNALS, flashes
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of, medians, shifted
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.light_changes import light_changes
from vfiscope.segments.spans import segment_of
from vfiscope.segments.wording import told
from vfiscope.signals.cut_step import NEARLY_A_CUT, shares_of_a_cut
from vfiscope.types import Float64, Segment

__all__ = ["SHOT_SIGNALS", "cut_margin", "detect"]

CUT_SIGNALS = ("shot_step", "shot_residual", "histogram_step")
LUMA_STATE = ("luma_mean", "luma_std", "luma_p1", "luma_p99")
SHOT_SIGNALS = tuple(dict.fromkeys((*CUT_SIGNALS, *LUMA_STATE, *FADE_SIGNALS, *FLASH_SIGNALS)))
CUT_TIMES_USUAL = 2.5
"""Structure and residual as multiples of those of the frames around."""
CALM_TIMES_USUAL = 10.0
"""The same, of those on either side, from which less evidence is enough: :data:`NEARLY_A_CUT`."""
CUT_AROUND = (-6, -5, -4, -3, -2, 2, 3, 4, 5, 6)
MAX_HELD = 0.1
"""What is left to differ while a frame is held, as a part of what does behind it."""
HELD_ROWS, MAX_COLOURS_ON, MAX_RESIDUAL_ON = 3, 0.25, 0.9
"""Rows that are held in a freeze at least; and colours and residual below which a shot goes on
behind it, with what it would have shown by then, which is unlike what was held."""
MAX_OTHER_PACE = 4.0
"""How many times as much rows differ before a freeze and behind it, or the other way."""
CLEAR_STRUCTURE = 0.6
"""Structure step from which a cut need not stand alone."""
CUT_ALONE_ROWS, ALONE_TIMES = 6, 3.0
"""Rows on either side in which nothing else may be a third as unlike."""


RETURN_ROWS = (6, 48)
"""Rows within which the frames before a clear and before a weak cut may return."""
MAX_STATE_APART = 0.3
"""How far the statistics of luma then are from those, as a part of their step."""
DAMAGE_TURN_ROWS = 4
"""Rows from either end of damaged ones in which no cut is told."""
MIN_KEYFRAMES_APART = 12
"""Least regular interval of keyframes."""


def detect(columns: Columns) -> list[Segment]:
    """The first frames of shots, one row each.

    Silent where an interpolation stores the score ``cut``, which the detector of that name reads.

    Args:
        columns: with the signals ``shot_step``, ``shot_residual`` and ``histogram_step``.
    """
    context = context_of(columns)
    if not context.is_video or "cut" in columns.scores:
        return []
    frames, margin = columns.frames, cut_margin(columns)
    cuts = (margin >= 1) & (missing_margin(columns) < 1)  # else the shot goes on, instants later
    structure, residual, colours = (context.signal(name) for name in CUT_SIGNALS)
    return [
        segment_of(
            *(frames, "shot_step", structure, structure, (row, row)),
            confidence("cut", float(margin[row])),
            "cut",
            evidence=f"frame {frames.index[row]} is unlike the frame before: structure changes by"
            f" {told(structure[row])}, pixels by {told(residual[row])} standard deviations, and"
            f" {told(100 * colours[row])} % of the colours",
        )
        for row in np.flatnonzero(cuts).tolist()
    ]


def cut_margin(columns: Columns) -> Float64:
    """(N,) by how much each row is a cut: 1 where it is just one, 0 where it is none."""
    return columns.share("cut_margin", lambda: _margin(columns))


def _margin(columns: Columns) -> Float64:
    context = context_of(columns)
    structure, residual, colours = (np.nan_to_num(context.signal(name)) for name in CUT_SIGNALS)
    evidence = np.minimum.reduce(shares_of_a_cut(structure, residual, colours))
    rows = np.flatnonzero(evidence >= NEARLY_A_CUT)
    margin = np.zeros(len(evidence))
    both = structure, residual
    over = [_over_usual(values, rows) / CUT_TIMES_USUAL for values in both]
    calm = np.minimum(*(_over_busier_side(values, rows) for values in both)) >= CALM_TIMES_USUAL
    enough = np.where(calm, NEARLY_A_CUT, 1.0)
    margin[rows] = np.minimum.reduce([evidence[rows] / enough, *over])
    near = [*range(-CUT_ALONE_ROWS, 0), *range(1, CUT_ALONE_ROWS + 1)]
    beside = np.max([shifted(structure, by) for by in near], axis=0)
    alone = (structure >= CLEAR_STRUCTURE) | (structure > ALONE_TIMES * beside)
    lit = np.zeros(len(margin), bool)
    lit[light_changes(columns).steps] = True
    lit &= structure < CLEAR_STRUCTURE
    margin = np.where(alone & ~lit & ~_explained(columns), margin, 0.0)
    left_again = _left_again(columns, margin)
    renewed = _renewed(columns) & (structure < CLEAR_STRUCTURE)
    goes_on = (margin > 0) & (colours < MAX_COLOURS_ON) & (residual < MAX_RESIDUAL_ON)
    goes_on = _behind_freeze(residual, goes_on)
    return np.where(left_again | _damage_turns(columns) | renewed | goes_on, 0.0, margin)


def _behind_freeze(residual: Float64, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) those of the rows asked for behind a freeze: the rows before hardly differ from each
    other, unlike those before them and those behind. What was still from its beginning on was not
    held."""
    held = np.max([shifted(residual, -by) for by in range(1, HELD_ROWS + 1)], axis=0)
    going = np.min([shifted(residual, by) for by in range(1, HELD_ROWS + 1)], axis=0)
    found = np.asarray(asked & (held < MAX_HELD * going))
    for row in np.flatnonzero(found).tolist():
        moved = np.flatnonzero(residual[:row] >= going[row] / MAX_OTHER_PACE)[-HELD_ROWS:]
        in_a_row = len(moved) == HELD_ROWS == moved[-1] - moved[0] + 1
        found[row] = in_a_row and (residual[moved] <= MAX_OTHER_PACE * going[row]).all()
    return found


def _damage_turns(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True where frames are damaged, but for the inside of long stretches: damage that stays
    until a keyframe looks like a cut where it begins and ends."""
    damaged = damaged_rows(context_of(columns))
    near = range(-DAMAGE_TURN_ROWS, DAMAGE_TURN_ROWS + 1)
    inside = np.all([shifted(damaged, by) > 0 for by in near], axis=0)
    return np.asarray(damaged & ~inside, np.bool_)


def _renewed(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True at keyframes that come at a regular interval, and so not because of a cut: they
    renew frames that were damaged."""
    found = np.zeros(len(columns.frames), bool)
    if "keyframe" in columns.signals:
        rows = np.flatnonzero(columns.signals["keyframe"] == 1)
        apart = np.diff(rows)
        times, counts = np.unique(apart[apart >= MIN_KEYFRAMES_APART], return_counts=True)
        for often in times[counts > 1]:
            found[rows[1:][apart == often]] = True
    return found


def _left_again(columns: Columns, margin: Float64) -> NDArray[np.bool_]:
    """(N,) True where frames become others that soon give way to what was there before."""
    context = context_of(columns)
    state = np.stack([context.signal(name) for name in LUMA_STATE])
    structure, made = context.signal("shot_step"), np.zeros(len(margin), bool)
    rows = np.flatnonzero(margin >= NEARLY_A_CUT)
    for at, row in enumerate(rows.tolist()):
        for back in rows[at + 1 :].tolist():
            if back - row > RETURN_ROWS[1]:
                break
            clear = max(structure[row], structure[back]) >= CLEAR_STRUCTURE
            step, left = (np.abs(state[:, each] - state[:, row - 1]).sum() for each in (row, back))
            if back - row <= RETURN_ROWS[0 if clear else 1] and left <= MAX_STATE_APART * step:
                made[[row, back]] = True
                if clear:  # of frames that have nothing to do with each other, none begins a shot
                    made[row : back + 1] = True
    return made


def _explained(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True where a flash begins, ends or lasts, or contrast fades."""
    rows = np.zeros(len(columns.frames), bool)
    for flash in flashes(columns):
        rows[flash.first : flash.last + 2] = True
    for fade in fades(columns):
        rows[fade.first : fade.last + 1] = True
    return rows


def _over_usual(values: Float64, rows: NDArray[np.intp]) -> Float64:
    """Values of some rows as multiples of the median of those around; of a floor where nothing
    moves."""
    usual = np.nan_to_num(medians(values, CUT_AROUND, rows))
    return np.asarray(values[rows] / np.maximum(usual, 1e-3))


def _over_busier_side(values: Float64, rows: NDArray[np.intp]) -> Float64:
    """The same as multiples of the median of the frames before or of those behind, whichever is
    more; 0 behind frames that were held, where nothing is calm."""
    ways = [[by for by in CUT_AROUND if by * way > 0] for way in (-1, 1)]
    before, behind = (np.nan_to_num(medians(values, way, rows)) for way in ways)
    over = values[rows] / np.maximum(np.fmax(before, behind), 1e-3)
    return np.where(before < MAX_HELD * behind, 0.0, over)
