"""Drops: instants that are missing before a frame, by what moved and by the times of the frames.

Where motion is even, a frame behind missing ones differs from the one before it by more than its
neighbours do, and what moves went the same way further: several usual steps. Both must hold, which
a bump, a flash, a cut or damage do not show. A gap in times that are regular elsewhere needs no
such evidence. Where each frame has a place in an reference or a source, the detector ``slip``
knows, and this one is silent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from vfiscope.segments.detectors.context import chance, context_of, medians
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.repeats import patterns_of, repeats_of
from vfiscope.segments.detectors.slip import moved_of
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of
from vfiscope.types import Float64, Segment, Status, counted

__all__ = ["DROP_SIGNALS", "detect"]

Bool = NDArray[np.bool_]

DROP_SIGNALS = ("frame_difference", "pace", "histogram_step", "structure_step", "luma_mean")
EVEN_JUMP, EVEN_PACE = 1.45, 1.4
"""Change in terms of that of the frames beside it, and motion in usual steps, at which a drop is as
probable as none."""
LOG_WIDTH = 0.1
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
MAX_JUMP = 5.0
"""Change in terms of that of the frames beside it, above which it is no motion."""
NEAR_REPEAT = 2
"""Rows after a repeat that catch up, and rows before it."""
EQUAL_STEPS_SHARE, MAX_OFF_STEP = 0.9, 0.3
"""Least share of the steps in time that are the usual one, and how far off they may be."""
MIN_GAP_STEPS = 1.6
GAP_CONFIDENCE = 0.99


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
    jump, confidence = _jumps(columns)
    for row in np.flatnonzero((gaps > 0) | (confidence >= 0.5)).tolist():
        frame = int(frames.index[row])
        if gaps[row]:
            sure = GAP_CONFIDENCE
            said = (
                f"{counted(int(gaps[row]), 'frame')} missing before frame {frame}: it comes"
                f" {told(float(gaps[row]) + 1)} usual steps of time behind frame"
                f" {int(frames.index[row - 1])}"
            )
        else:
            sure = float(confidence[row])
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
    """(N,) change of each row in terms of that of the rows beside it, and (N,) how probable a drop
    is; 0 where something else explains the change."""
    context = context_of(columns)
    change, pace = context.signal("frame_difference"), context.signal("pace")
    usual = _usual(columns, change)
    side = np.fmax(medians(usual, (-3, -2, -1)), medians(usual, (1, 2, 3)))
    largest = np.fmax(_largest(change, (-2, -1)), _largest(change, (1, 2)))
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = change / side
        alone = (change > MIN_DROP_PEAK * largest) & (
            jump < np.minimum(MAX_JUMP, MAX_JUMP_IN_PACE * pace)
        )
        margin = np.minimum(np.log(jump / EVEN_JUMP), np.log(np.maximum(pace, 0.01) / EVEN_PACE))
    possible = np.isfinite(margin) & alone & np.isfinite(usual) & (change > MIN_DROP_CHANGE)
    possible &= ~_explained(columns, change)
    rows = np.flatnonzero(possible)
    confidence = np.zeros(len(change))
    confidence[rows] = [chance(float(margin[row]), 0, LOG_WIDTH) for row in rows]
    return jump, confidence


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
        other |= maximum_filter1d(torn, TORN_ROWS, origin=(TORN_ROWS - 1) // 2) > 0
    return np.asarray(light | other, np.bool_)


def _usual(columns: Columns, change: Float64) -> Float64:
    """(N,) the change of rows that neither repeat nor stand beside repeats, else NaN."""
    usual = change.copy()
    for pattern in patterns_of(columns):
        usual[pattern.first : pattern.last + 1] = np.nan
    for repeat in repeats_of(columns):
        usual[max(0, repeat.first - 1) : repeat.last + NEAR_REPEAT] = np.nan
    return usual


def _largest(values: Float64, offsets: tuple[int, ...]) -> Float64:
    """(N,) the largest of the values at these offsets from each row; NaN where none is known."""
    most = np.full(len(values), np.nan)
    for offset in offsets:
        moved = np.full(len(values), np.nan)
        if offset < 0:
            moved[-offset:] = values[:offset]
        else:
            moved[:-offset] = values[offset:]
        most = np.fmax(most, moved)
    return most
