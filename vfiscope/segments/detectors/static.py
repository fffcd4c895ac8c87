"""Still scenes: stretches in which nothing moves but noise. Information, and no fault.

The most changed blocks of the frame change by no more than its noise and a codec explain, for a
second at least, and nothing appears or is gone in it. What stands still between moving frames of
its shot is a freeze and not listed here again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors import onsets
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.evidence.held import patterns_of
from vfiscope.segments.evidence.repeats import MIN_REPEAT_STD, repeats_of
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Segment

__all__ = ["STATIC_SIGNALS", "detect"]

STATIC_SIGNALS = ("difference_p99", "noise", "luma_std", "pace")
STILL_CHANGE, NOISE_CHANGE = 1.5, 1.5
"""Code values by which the most changed blocks of a still scene differ, and standard deviations of
the noise: two noisy frames differ by 1.13 of them on average, some blocks by more."""
MIN_STATIC_S = 1.0
MAX_STILL_PACE = 0.5
STATIC_REACH, MIN_STILL_SHARE = 2, 0.9
"""Rows from one still row to the next, and the part of the rows that are still: a keyframe ends no
stretch, and drawings that are held are none."""


def detect(columns: Columns) -> list[Segment]:
    """A ``static`` for each stretch of a second or more.

    Args:
        columns: with the signals of :data:`STATIC_SIGNALS` and :data:`~.repeats.REPEAT_SIGNALS`.
    """
    context, frames = context_of(columns), columns.frames
    if not context.is_video:
        return []
    change, pace = context.signal("difference_p99"), context.signal("pace")
    allowed = STILL_CHANGE + NOISE_CHANGE * np.nan_to_num(context.signal("noise"))
    still = (change <= allowed) & ~(np.abs(pace) > MAX_STILL_PACE)
    still &= context.signal("luma_std") > MIN_REPEAT_STD
    still[0] = False
    for pattern in patterns_of(columns):
        still[pattern.first : pattern.last + 1] = False
    for repeat in repeats_of(columns):
        if repeat.margin >= 1:
            still[repeat.first : repeat.last + 1] = False
    changed = _changed(columns)
    still &= ~changed
    column, found, ignored = columns.signals["difference_p99"], [], np.zeros(len(still), bool)
    badness = np.nan_to_num(change)
    for first, last in spans(still, ignored, changed, reach=STATIC_REACH):
        rows = slice(first, last + 1)
        share = float(still[rows].mean())
        # What does not change in the first row is what the row before it shows.
        seconds = float(frames.time_s[last] - frames.time_s[first - 1])
        if seconds >= MIN_STATIC_S and share >= MIN_STILL_SHARE:
            said = (
                f"nothing moves for {told(seconds)} s: the most changed blocks usually differ by"
                f" {told(float(np.nanmedian(change[rows])))} code values, and noise explains"
                f" {told(float(np.median(allowed[rows])))}"
            )
            where = frames, "difference_p99", column, badness, (first - 1, last)
            found.append(segment_of(*where, share, "static", evidence=said))
    return found


def _changed(columns: Columns) -> NDArray[np.bool_]:
    """(N,) rows at which something appears, or is gone, for good, as far as signals tell."""
    changed = np.zeros(len(columns.frames), bool)
    if all(name in columns.signals for name in onsets.ONSET_SIGNALS):
        changed[onsets.for_good(columns)] = True
    return changed
