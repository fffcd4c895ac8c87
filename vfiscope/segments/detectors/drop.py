"""Drops: instants that are missing before a frame, by what moved and by the times of the frames.

A frame behind n missing ones differs from the one before it by more than its neighbours do; and all
that moves goes n + 1 of its own steps at once, each step being the mean of those before and after.
A bump of the camera, one thing that starts to move, and a tear do not show that. A hand that holds
the camera may: so what moves must also be clearly further from even motion than it is in the frames
around, and by more than where a codec makes every fourth frame better than the others.

Where things went too far to be followed, their motion tells nothing; then a frame that changes
alone, where motion was even before and goes on evenly behind it, is behind missing ones.

What goes another way than a steady camera is no drop either. Fine detail that moves by far changes
about as much whether it moves by one step or by two: where a camera goes on very evenly, a step of
twice its motion, or of more whole ones, is enough, if it changes more than any beside it. A gap in
times that are regular elsewhere needs no such evidence. Where each frame has a place in a reference
or a source, the detector ``slip`` knows, and this one is silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.slip import moved_of
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of, medians
from vfiscope.segments.evidence.held import Bool, patterns_of
from vfiscope.segments.evidence.repeats import REPEAT_SIGNALS, repeats_of
from vfiscope.segments.evidence.torn_paces import pace_scores
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment, Status, counted

__all__ = ["DROP_READS", "DROP_SIGNALS", "detect", "missing_margin"]

DROP_SIGNALS = (
    *("frame_difference", "pace", "histogram_step", "structure_step", "luma_mean"),
    *("motion_x", "motion_y", "motion_residual", "even_pace", "even_agreed", "even_off"),
)
DROP_READS = ("keyframe", "tear_ahead", "tear_explained", "tear_agreed")
DROP_JUMP, DROP_PACE, DROP_AGREED, DROP_OFF = 1.22, 1.6, 0.38, 2.8
"""Change in terms of that of the frames beside it, steps at once, the part of what moves that went
as many, and how far from even motion it is in terms of the frames around, at which a drop is as
probable as none."""
JUMP_WIDTH, PACE_WIDTH, AGREED_WIDTH, OFF_WIDTH = 0.08, 0.06, 0.15, 0.2
AROUND_DROP = (*range(-12, -1), *range(2, 13))
"""Rows that tell how even motion usually is: a second of film. Those beside a drop know of it."""
CLEARLY_AGREED = 0.7
"""Part of what moves from which on it was followed, whatever it did."""
LOST_JUMP, MAX_LOST_PACE, MIN_FOLLOWED, LOST_OFF = 1.6, 0.5, 0.5, 6.0
"""Where things went too far to be followed: the change, the motion of the frames beside it, and
that of those around, which goes on, and how far from even motion it seems."""
LOST_JUMP_WIDTH, MIN_LOST_RESIDUAL = 0.2, 0.6
"""And what the motion of the whole frame leaves unexplained at least: less would be a bump."""
LEAST_BESIDE, UNEVEN_BESIDE = 0.03, 4.0
"""Motion of the frames before and after it in terms of its own: at least as much as counts, and the
one in parts of the other at most."""
MIN_DROP_PEAK, MIN_LOST_PEAK = 1.05, 1.3
"""Change in parts of the largest of two frames before and of two after: what comes twice, such as a
bump and the way back, is no drop; more where motion tells nothing."""
MAX_JUMP_IN_PACE = 1.6
"""Change in parts of the motion: a shift of the whole frame changes more than motion does."""
MIN_DROP_CHANGE = 0.5
"""Code values that a frame changes, below which nothing is said."""
MAX_DROP_HISTOGRAM, MAX_DROP_STRUCTURE, MAX_LOST_STRUCTURE = 0.16, 0.6, 0.45
"""Steps with which another shot begins: of colours, and of structure where motion is followed and
where it is not."""
MIN_SAME_SHOT_PACE = 0.12
"""Motion of the frames before and after it in terms of its own, of which a busy shot goes on: to
another shot, things seem to go many times as far."""
MAX_LIGHT_PART = 0.35
MIN_TORN_SCORE, TORN_ROWS = 0.12, 4
"""How well a tear explains the motion, and the rows from its start on in which it may end."""
BACKWARDS = -0.4
"""Motion, in usual steps, of what shows an earlier instant: it catches up."""
MIN_RENEWED_PACE = 0.7
"""Motion of all frames since the last keyframe, if this one has nothing to renew."""
MAX_JUMP, MAX_LOST_JUMP = 10.0, 5.0
"""Change in terms of that of the frames beside it, above which it is no motion; and above which it
is another shot that goes on evenly, where motion was lost: what moves by more steps than that lies
elsewhere altogether, and changes no more by further ones."""
MOTION_ROWS, STEADY_ROWS = (-4, -3, -2, -1, 1, 2, 3, 4), 6
STEADY_PX, MAX_UNSTEADY, MAX_SIDEWAYS, MAX_UNSTEADY_SIDEWAYS = 0.5, 0.25, 0.15, 0.3
"""Motion of a steady camera, how far it may vary in parts of it, and the part of a step that may go
sideways in a drop, where the camera is steady and where it is not."""
LEAST_EVEN_PX, MAX_UNEVEN_PAN, MAX_OFF_WHOLE = 1.0, 0.1, 0.15
"""Motion of a camera that goes on evenly, how far that of every frame around may vary in parts of
it, and how far from a whole number of its steps, two at least, the step of a drop may be."""
MIN_EVEN_PACE = 1.6
"""Usual steps that what moves goes on then at least."""
MIN_BUMP_PX, MAX_BUMP_RESIDUAL, MAX_STEP_RESIDUAL = 1.5, 0.6, 0.8
"""A step of a camera that stands, and what it leaves unexplained in parts of what is usual; what a
step of a moving one leaves."""
NEAR_REPEAT = 2
"""Rows after a repeat that catch up, and rows before it."""
EQUAL_STEPS_SHARE, MAX_OFF_STEP = 0.9, 0.3
"""Least share of the steps in time that are the usual one, and how far off they may be."""
MIN_GAP_STEPS = 1.6
GAP_CONFIDENCE = 0.99
MAX_LOG_MARGIN = 20.0
MAX_EVEN = 4.0
"""What an even motion counts for at most."""


def detect(columns: Columns) -> list[Segment]:
    """A ``drop`` at each first frame behind missing ones.

    Args:
        columns: with the signals of :data:`DROP_SIGNALS` and :data:`~.repeats.REPEAT_SIGNALS`.
    """
    if not context_of(columns).is_video or np.isfinite(moved_of(columns)[0]).any():
        return []
    frames, column = columns.frames, columns.signals["even_pace"]
    gaps = _gaps(columns.frames.time_s)
    jump, margin = _jumps(columns)
    found = []
    for row in np.flatnonzero((gaps > 0) | (margin >= 1)).tolist():
        sure = GAP_CONFIDENCE if gaps[row] else confidence("drop", float(margin[row]))
        said = _gap_said(columns, row, int(gaps[row])) or _jump_said(columns, row, float(jump[row]))
        badness = np.where(np.arange(len(column)) == row, 1.0, np.nan)
        place = (row, row)
        found.append(
            segment_of(*(frames, "even_pace", column, badness, place, sure, "drop"), evidence=said)
        )
    return found


def _gap_said(columns: Columns, row: int, missing: int) -> str:
    """What the times tell; nothing where they leave no gap."""
    if not missing:
        return ""
    before, frame = (int(each) for each in columns.frames.index[row - 1 : row + 1])
    return (
        f"{counted(missing, 'frame')} missing before frame {frame}: it comes {told(missing + 1.0)}"
        f" usual steps of time behind frame {before}"
    )


def _jump_said(columns: Columns, row: int, jump: float) -> str:
    """What the motion and the change tell."""
    context = context_of(columns)
    pace, in_pan = (float(context.signal(name)[row]) for name in ("even_pace", "pace"))
    around = ""
    if _in_even_pan(context)[row] >= _jumps(columns)[1][row]:
        moved = f"the camera, which moves evenly, went {told(in_pan)} steps at once"
    elif context.signal("even_agreed")[row] > DROP_AGREED and pace > DROP_PACE:
        moved = f"it moved on by {told(pace)} steps at once"
    else:
        moved, around = "it moved on too far", ", in which motion goes on evenly"
    return (
        f"instants are missing before frame {columns.frames.index[row]}: {moved} and changed"
        f" {told(jump)} times as much as the frames beside it{around}"
    )


def _gaps(times: Float64) -> NDArray[np.int64]:
    """(N,) how many usual steps of time are left out before each row, where steps are regular."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    counts = np.zeros(len(times), np.int64)
    if usual > 0 and (np.abs(steps - usual) <= MAX_OFF_STEP * usual).mean() >= EQUAL_STEPS_SHARE:
        counts[1:] = np.where(steps > MIN_GAP_STEPS * usual, np.rint(steps / usual) - 1, 0)
    return counts


def _jumps(columns: Columns) -> tuple[Float64, Float64]:
    """(N,) change of each row in terms of that of the rows beside it, and (N,) how clear a drop is,
    1 where it is just probable; 0 where something else explains the change."""
    return columns.share("jumps of drops", lambda: _measured(columns))


def _measured(columns: Columns) -> tuple[Float64, Float64]:
    context = context_of(columns)
    change = context.signal("frame_difference")
    usual = _usual(columns, change)
    side = np.fmax(medians(usual, (-3, -2, -1)), medians(usual, (1, 2, 3)))
    largest = np.fmax(_largest(change, (-2, -1)), _largest(change, (1, 2)))
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = change / side
        alone = (change > MIN_LOST_PEAK * largest) & (jump < MAX_LOST_JUMP)
        lost = np.where(alone, _lost(context, jump), 0.0)
        margin = np.where(jump < MAX_JUMP, np.fmax(_followed(context, jump), lost), 0.0)
        margin = np.fmax(margin, _in_even_pan(context))
    possible = np.isfinite(margin) & (change > MIN_DROP_PEAK * largest)
    possible &= np.isfinite(usual) & (change > MIN_DROP_CHANGE)
    possible &= ~_explained(columns, change) & ~_bumped(context)
    return jump, np.where(possible, margin, 0.0)


def missing_margin(columns: Columns) -> Float64:
    """(N,) how clearly instants are missing before each row by its motion, 1 where that is just
    probable: of runs that hold all signals, else 0."""
    if not all(name in columns.signals for name in (*REPEAT_SIGNALS, *DROP_SIGNALS)):
        return np.zeros(len(columns.frames))
    return _jumps(columns)[1]


def _followed(context: Context, jump: Float64) -> Float64:
    """(N,) how clearly all that moves went several of its own steps at once."""
    pace, agreed, off = (context.signal(f"even_{name}") for name in ("pace", "agreed", "off"))
    low, high = _sides(context.signal("pace"))
    met = (high < UNEVEN_BESIDE * np.fmax(low, LEAST_BESIDE)) & (jump < MAX_JUMP_IN_PACE * pace)
    met &= (high > LEAST_BESIDE) & (context.signal("structure_step") < MAX_DROP_STRUCTURE)
    evidence = np.minimum.reduce(
        [
            np.log(jump / DROP_JUMP) / JUMP_WIDTH,
            np.log(pace / DROP_PACE) / PACE_WIDTH,
            np.log(agreed / DROP_AGREED) / AGREED_WIDTH,
            np.log(off / medians(off, AROUND_DROP) / DROP_OFF) / OFF_WIDTH,
        ]
    )
    return np.where(met, np.exp(np.minimum(evidence, MAX_LOG_MARGIN)), 0.0)


def _lost(context: Context, jump: Float64) -> Float64:
    """(N,) how clearly motion that is even before and behind a row was lost in it."""
    pace, agreed, off = (context.signal(name) for name in ("pace", "even_agreed", "even_off"))
    low, high = _sides(pace)
    around = medians(np.abs(pace), (-5, -4, -3, -2, 2, 3, 4, 5))
    met = (high < MAX_LOST_PACE) & (around > MIN_FOLLOWED) & (agreed < CLEARLY_AGREED)
    met &= context.signal("motion_residual") > MIN_LOST_RESIDUAL
    met &= (context.signal("structure_step") < MAX_LOST_STRUCTURE) | (low > MIN_SAME_SHOT_PACE)
    evidence = np.minimum(
        np.log(jump / LOST_JUMP) / LOST_JUMP_WIDTH,
        np.log(off / medians(off, AROUND_DROP) / LOST_OFF) / OFF_WIDTH,
    )
    return np.where(met, np.exp(np.minimum(evidence, MAX_LOG_MARGIN)), 0.0)


def _sides(pace: Float64) -> tuple[Float64, Float64]:
    """Two of (N,): the lesser and the greater of the motion of the row before and that behind."""
    two = np.stack([np.abs(_beside(pace, by)) for by in (-1, 1)])
    return two.min(axis=0), two.max(axis=0)


def _in_even_pan(context: Context) -> Float64:
    """(N,) how much more even the motion of the camera is around a step of several times as much
    than it must be; 0 elsewhere."""
    return context.columns.share("pans of drops", lambda: _evenness_of_pans(context))


def _evenness_of_pans(context: Context) -> Float64:
    x, y = (context.signal(f"motion_{name}") for name in ("x", "y"))
    usual = [medians(each, MOTION_ROWS) for each in (x, y)]
    rows = len(MOTION_ROWS)
    spread = np.hypot(*(_spread(a, b, rows) for a, b in zip((x, y), usual, strict=True)))
    speed = np.hypot(*usual)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = (x * usual[0] + y * usual[1]) / speed**2
        met = (speed >= LEAST_EVEN_PX) & (steps > 2 - MAX_OFF_WHOLE)
        met &= np.abs(steps - np.rint(steps)) <= MAX_OFF_WHOLE
        met &= context.signal("pace") >= MIN_EVEN_PACE
        met &= ~(context.signal("structure_step") >= MAX_DROP_STRUCTURE)
        most = MAX_UNEVEN_PAN * speed
        return np.where(met, most / np.fmax(spread, most / MAX_EVEN), 0.0)


def _bumped(context: Context) -> Bool:
    """(N,) steps of the whole frame that go sideways of the motion of its camera, or that a camera
    makes which stands."""
    x, y, left = (context.signal(f"motion_{name}") for name in ("x", "y", "residual"))
    usual = [medians(each, MOTION_ROWS) for each in (x, y)]
    even = [(_beside(each, -1) + _beside(each, 1)) / 2 for each in (x, y)]
    spread = np.fmax(*(_spread(a, b) for a, b in zip((x, y), usual, strict=True)))
    speed = np.hypot(*usual)
    usual_left = medians(left, MOTION_ROWS)
    with np.errstate(divide="ignore", invalid="ignore"):
        steady = (speed > STEADY_PX) & (spread < MAX_UNSTEADY * speed)
        aside = steady & _goes_aside((x, y), usual, MAX_SIDEWAYS)
        aside |= (np.hypot(*even) > STEADY_PX) & _goes_aside((x, y), even, MAX_UNSTEADY_SIDEWAYS)
        step = np.hypot(x - usual[0], y - usual[1]) > MIN_BUMP_PX
        stood = step & (speed < STEADY_PX) & (left < MAX_BUMP_RESIDUAL * usual_left)
    return np.asarray((aside & (left < MAX_STEP_RESIDUAL * usual_left)) | stood, np.bool_)


def _goes_aside(step: Sequence[Float64], usual: Sequence[Float64], most: float) -> Bool:
    """(N,) True where a step (x, y) departs from the usual one sideways, by more than so much in
    parts of what it does along it."""
    off = step[0] - usual[0], step[1] - usual[1]
    speed = np.hypot(*usual)
    along = np.abs(off[0] * usual[0] + off[1] * usual[1]) / speed
    sideways = np.abs(off[0] * usual[1] - off[1] * usual[0]) / speed
    return np.asarray(sideways > np.fmax(most * along, STEADY_PX), np.bool_)


def _explained(columns: Columns, change: Float64) -> Bool:
    """(N,) rows that change for another reason: light, another shot, or damage or a tear that
    ends."""
    context, frames = context_of(columns), columns.frames
    light = np.abs(np.diff(context.signal("luma_mean"), prepend=np.nan)) > MAX_LIGHT_PART * change
    other = context.signal("histogram_step") > MAX_DROP_HISTOGRAM
    other |= frames.status != Status.OK
    other[1:] |= frames.status[:-1] != Status.OK
    for rows in (range(-TORN_ROWS, -1), range(2, TORN_ROWS + 1)):
        other |= _least(context.signal("pace"), rows) < BACKWARDS
    if all(name in columns.signals for name in DROP_READS[1:]):
        other |= pace_scores(context) > MIN_TORN_SCORE
    return np.asarray(light | other | _renewed(context), np.bool_)


def _renewed(context: Context) -> Bool:
    """(N,) True for keyframes that may renew frames that ran off or stood still: there are others
    since the last keyframe, and not all of them went on as usual."""
    renewed = np.zeros(len(context.columns.frames), np.bool_)
    if "keyframe" in context.columns.signals:
        pace, last = context.signal("pace"), 0
        for row in np.flatnonzero(context.signal("keyframe") > 0).tolist():
            if row > last + 1:
                since = pace[last + 1 : row - 1]  # that of the row before knows of this one
                since = since[np.isfinite(since)]
                renewed[row] = not len(since) or since.min() < MIN_RENEWED_PACE
            last = row
    return renewed


def _usual(columns: Columns, change: Float64) -> Float64:
    """(N,) the change of rows that neither repeat nor stand beside repeats, else NaN."""
    usual = change.copy()
    for pattern in patterns_of(columns):
        usual[pattern.first : pattern.last + 1] = np.nan
    for repeat in repeats_of(columns):
        usual[max(0, repeat.first - 1) : repeat.last + NEAR_REPEAT] = np.nan
    return usual


def _spread(values: Float64, usual: Float64, rows: int = STEADY_ROWS) -> Float64:
    """(N,) how far the values of so many rows around, most of them, differ from the usual one at
    most."""
    around = np.stack([np.abs(_beside(values, by) - usual) for by in MOTION_ROWS])
    return np.asarray(np.sort(around, axis=0)[rows - 1], np.float64)


def _least(values: Float64, offsets: Iterable[int]) -> Float64:
    """(N,) the least of the values at these offsets from each row; NaN where none is known."""
    return np.asarray(np.fmin.reduce([_beside(values, by) for by in offsets]), np.float64)


def _largest(values: Float64, offsets: tuple[int, ...]) -> Float64:
    """(N,) the largest of the values at these offsets from each row; NaN where none is known."""
    return np.asarray(np.fmax.reduce([_beside(values, by) for by in offsets]), np.float64)


def _beside(values: Float64, by: int) -> Float64:
    """(N,) the values ``by`` rows further on, NaN outside."""
    moved = np.full(len(values), np.nan)
    if by < 0:
        moved[-by:] = values[:by]
    else:
        moved[:-by] = values[by:]
    return moved
