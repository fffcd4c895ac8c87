"""Drops: instants that are missing before a frame, by what moved and by the times of the frames.

A frame behind n missing ones differs from the one before it by more than its neighbours do; what
moves went the same way n + 1 usual steps, and in the frames before and after it one part of n + 1
of that. Both must hold, which a bump of a camera that stands, a flash, a cut or damage do not show.
What goes another way than a steady camera is no drop either. Fine detail that moves by far changes
about as much whether it moves by one step or by two: where a camera goes on very evenly, a step of
twice its motion, or of more whole ones, is enough, if it changes more than any beside it. A gap in
times that are regular elsewhere needs no such evidence. Where each frame has a place in a reference
or a source, the detector ``slip`` knows, and this one is silent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.slip import moved_of
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of, highest_near, medians
from vfiscope.segments.evidence.held import Bool, patterns_of
from vfiscope.segments.evidence.repeats import repeats_of
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment, Status, counted

__all__ = ["DROP_READS", "DROP_SIGNALS", "detect"]

DROP_SIGNALS = (
    *("frame_difference", "pace", "histogram_step", "structure_step", "luma_mean"),
    *("motion_x", "motion_y", "motion_residual"),
)
DROP_READS = ("keyframe", "tear_contrast")
EVEN_JUMP, EVEN_CONTRAST = 1.44, 2.3
"""Change in terms of that of the frames beside it, and motion in terms of that of the frames before
and after it, at which a drop is as probable as none."""
JUMP_WIDTH, CONTRAST_WIDTH = 0.1, 0.15
MIN_PACE = 1.1
"""Usual steps that what moves goes on at least."""
LOST_JUMP, MAX_LOST_PACE, MIN_FOLLOWED = 1.7, 0.45, 0.5
"""Where things went too far to be followed: the change, the motion of the frames beside it, and
that of those around, which goes on."""
LEAST_BESIDE, UNEVEN_BESIDE = 0.08, 4.0
"""Motion of the frames before and after it in terms of its own, at least: where nothing moves, it
is a bump; and the one in parts of the other at most."""
MIN_DROP_PEAK = 1.3
"""Change in parts of the largest of two frames before and of two after: what comes twice, such as a
bump and the way back, is no drop."""
MAX_JUMP_IN_PACE = 1.6
"""Change in parts of the motion: a shift of the whole frame changes more than motion does."""
MIN_DROP_CHANGE = 1.0
"""Code values that a frame changes, below which nothing is said."""
MAX_DROP_HISTOGRAM, MAX_DROP_STRUCTURE = 0.12, 0.28
MAX_LIGHT_PART = 0.5
MIN_TORN, TORN_ROWS = 0.75, 4
"""Contrast of a tear, and the rows from its start on in which it may end."""
MAX_JUMP = 10.0
"""Change in terms of that of the frames beside it, above which it is no motion."""
MOTION_ROWS, STEADY_ROWS = (-4, -3, -2, -1, 1, 2, 3, 4), 6
STEADY_PX, MAX_UNSTEADY, MAX_SIDEWAYS = 0.5, 0.25, 0.15
"""Motion of a steady camera, how far it may vary in parts of it, and the part of a step that may go
sideways in a drop."""
LEAST_EVEN_PX, MAX_UNEVEN_PAN, MAX_OFF_WHOLE = 1.0, 0.1, 0.15
"""Motion of a camera that goes on evenly, how far that of every frame around may vary in parts of
it, and how far from a whole number of its steps, two at least, the step of a drop may be."""
MIN_EVEN_PEAK, MIN_EVEN_PACE = 1.05, 1.6
"""Change of that step in parts of the largest of two frames before and of two after, and usual
steps that what moves goes on at least."""
MIN_BUMP_PX, MAX_BUMP_RESIDUAL, MAX_STEP_RESIDUAL = 1.5, 0.6, 1.1
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
    frames, column = columns.frames, columns.signals["pace"]
    found = []
    gaps = _gaps(columns.frames.time_s)
    jump, margin = _jumps(columns)
    for row in np.flatnonzero((gaps > 0) | (margin >= 1)).tolist():
        frame = int(frames.index[row])
        if gaps[row]:
            sure = GAP_CONFIDENCE
            said = (
                f"{counted(int(gaps[row]), 'frame')} missing before frame {frame}: it comes"
                f" {told(float(gaps[row]) + 1)} usual steps of time behind frame"
                f" {int(frames.index[row - 1])}"
            )
        else:
            sure = confidence("drop", float(margin[row]))
            said = (
                f"instants are missing before frame {frame}: it moved on by"
                f" {told(float(column[row]))} usual steps and changed"
                f" {told(float(jump[row]))} times as much as the frames beside it"
            )
        badness = np.where(np.arange(len(column)) == row, 1.0, np.nan)
        place = (row, row)
        found.append(
            segment_of(*(frames, "pace", column, badness, place, sure, "drop"), evidence=said)
        )
    return found


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
    context = context_of(columns)
    change = context.signal("frame_difference")
    usual = _usual(columns, change)
    side = np.fmax(medians(usual, (-3, -2, -1)), medians(usual, (1, 2, 3)))
    largest = np.fmax(_largest(change, (-2, -1)), _largest(change, (1, 2)))
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = change / side
        contrast, most = _contrast(context.signal("pace"), jump)
        alone = (change > MIN_DROP_PEAK * largest) & (
            jump < np.minimum(MAX_JUMP, MAX_JUMP_IN_PACE * most)
        )
        margin = np.minimum(
            np.log(jump / EVEN_JUMP) / JUMP_WIDTH,
            np.log(contrast / EVEN_CONTRAST) / CONTRAST_WIDTH,
        )
        margin = np.exp(np.minimum(margin, MAX_LOG_MARGIN))
        even = np.where(change > MIN_EVEN_PEAK * largest, _in_even_pan(context), 0.0)
    margin = np.fmax(np.where(alone, margin, np.nan), even)
    possible = np.isfinite(margin) & np.isfinite(usual) & (change > MIN_DROP_CHANGE)
    possible &= ~_explained(columns, change) & ~_bumped(context)
    return jump, np.where(possible, margin, 0.0)


def _in_even_pan(context: Context) -> Float64:
    """(N,) how much more even the motion of the camera is around a step of several times as much
    than it must be; 0 elsewhere."""
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
        most = MAX_UNEVEN_PAN * speed
        return np.where(met, most / np.fmax(spread, most / MAX_EVEN), 0.0)


def _contrast(pace: Float64, jump: Float64) -> tuple[Float64, Float64]:
    """(N,) motion in terms of that of the rows before and after, and (N,) usual steps by which a
    row went on at most, by itself or by those."""
    two = np.stack([np.abs(_beside(pace, by)) for by in (-1, 1)])
    known = np.isfinite(two).all(axis=0)
    low, high = np.fmax(two.min(axis=0), LEAST_BESIDE / 2), two.max(axis=0)
    beside = np.sqrt(low * np.fmax(high, LEAST_BESIDE / 2))
    met = known & (beside > LEAST_BESIDE) & (high < UNEVEN_BESIDE * low)
    own = np.where(pace > MIN_PACE, pace, np.nan)
    # Its own motion is unknown where things went too far.
    around = medians(np.abs(pace), (-5, -4, -3, -2, 2, 3, 4, 5))
    lost = (jump > LOST_JUMP) & (high < MAX_LOST_PACE) & (around > MIN_FOLLOWED)
    lost &= np.abs(pace) < MIN_FOLLOWED
    most = np.fmax(own, np.where(lost, 1 / beside, np.nan))
    contrast = np.fmax(own / beside, np.where(lost, EVEN_CONTRAST / high * MAX_LOST_PACE, np.nan))
    return np.where(met, contrast, np.nan), most


def _bumped(context: Context) -> Bool:
    """(N,) steps of the whole frame that go sideways of the motion of a steady camera, or that a
    camera makes which stands."""
    x, y, left = (context.signal(f"motion_{name}") for name in ("x", "y", "residual"))
    usual = [medians(each, MOTION_ROWS) for each in (x, y)]
    spread = np.fmax(*(_spread(a, b) for a, b in zip((x, y), usual, strict=True)))
    speed = np.hypot(*usual)
    off = x - usual[0], y - usual[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.abs(off[0] * usual[0] + off[1] * usual[1]) / speed
        sideways = np.abs(off[0] * usual[1] - off[1] * usual[0]) / speed
        steady = (speed > STEADY_PX) & (spread < MAX_UNSTEADY * speed)
        aside = steady & (sideways > np.fmax(MAX_SIDEWAYS * along, STEADY_PX))
        aside &= left < MAX_STEP_RESIDUAL * medians(left, MOTION_ROWS)
        step = (np.hypot(*off) > MIN_BUMP_PX) & (speed < STEADY_PX)
        stood = step & (left < MAX_BUMP_RESIDUAL * medians(left, MOTION_ROWS))
    return np.asarray(aside | stood, np.bool_)


def _explained(columns: Columns, change: Float64) -> Bool:
    """(N,) rows that change for another reason: light, another shot, or damage that ends."""
    context, frames = context_of(columns), columns.frames
    light = np.abs(np.diff(context.signal("luma_mean"), prepend=np.nan)) > MAX_LIGHT_PART * change
    other = context.signal("histogram_step") > MAX_DROP_HISTOGRAM
    other |= context.signal("structure_step") > MAX_DROP_STRUCTURE
    other |= frames.status != Status.OK
    other[1:] |= frames.status[:-1] != Status.OK
    if "keyframe" in columns.signals:  # it renews a frame that ran off
        other |= context.signal("keyframe") > 0
    if "tear_contrast" in columns.signals:  # the part that stood still catches up
        torn = (context.signal("tear_contrast") > MIN_TORN).astype(float)
        other |= highest_near(torn, TORN_ROWS - 1, 0) > 0
    return np.asarray(light | other, np.bool_)


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
