"""Repeated frames: one that repeats the frame before it, and runs of them, by what they look like.

A repeat changes little where frames before and after it change much. What a codec adds to it is
small, so that it is certain where much moves and can not be told where little does. The motion
since the frame before must not go on either, as it does in a blurred frame. Frames that stand
still because nothing moves around them are none, nor are those that a pattern of repeats explains.

With a reference a repeat is one only if the reference moves on there: the error grows. Where each
frame has a place in an aligned reference or a source, the detector ``slip`` knows, and this one is
silent.
"""

from __future__ import annotations

import math

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.regular import regular_of
from vfiscope.segments.detectors.slip import moved_of
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.evidence.held import change_of
from vfiscope.segments.evidence.repeats import Repeat, repeats_of
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import FrameTable, Role, Segment

__all__ = ["detect"]

END_CONFIDENCE = 0.7
"""Of a freeze that one side tells."""
SHARP_ROWS, MAX_BLURRED = 6, 0.7
"""Rows on either side whose median is the sharpness there, and the part of it that blur leaves."""
PSNR_PEAK = 255.0
ERROR_ROWS = 6
MIN_GROWN_ERROR = 0.4
"""Root mean squared error that a repeat adds, in parts of what frames around it change."""


def detect(columns: Columns) -> list[Segment]:
    """A ``duplicate`` for each repeated frame, and a ``freeze`` for several in a row. Within damage
    they are its consequence: decoders put the frame before in place of one that is lost.

    Args:
        columns: with the signals of :data:`~.repeats.REPEAT_SIGNALS`.
    """
    if not context_of(columns).is_video:
        return []
    explained = {row for regular in regular_of(columns) for row in regular.repeats}
    badness = -np.nan_to_num(change_of(columns), nan=np.inf)
    return [
        segment_of(
            *(columns.frames, "difference_p99", columns.signals["difference_p99"]),
            badness,
            (repeat.first, repeat.last),
            min(confidence("repeat", repeat.margin), END_CONFIDENCE if repeat.ends else 1.0),
            "freeze" if repeat.last > repeat.first else "duplicate",
            evidence=_said(columns.frames, repeat),
        )
        for repeat in repeats_of(columns)
        if repeat.margin >= 1
        and repeat.first not in explained
        and not _is_blurred(columns, repeat)
        and not _known_otherwise(columns, repeat)
    ]


def _is_blurred(columns: Columns, repeat: Repeat) -> bool:
    """Whether the run changes no less than it is less sharp than the frames beside it."""
    if "sharpness" not in columns.signals:
        return False
    sharp = context_of(columns).signal("sharpness")
    before = sharp[max(0, repeat.first - SHARP_ROWS) : repeat.first]
    behind = sharp[repeat.last + 1 : repeat.last + 1 + SHARP_ROWS]
    beside = float(np.median(np.r_[before, behind]))
    own = float(np.median(sharp[repeat.first : repeat.last + 1]))
    return own < MAX_BLURRED * beside and repeat.ratio * beside >= own


def _known_otherwise(columns: Columns, repeat: Repeat) -> bool:
    """Whether the places of the frames tell that the run repeats, or that it does not."""
    moved, against = moved_of(columns)
    if against == "reference" and np.isfinite(moved).any():
        return True
    held = columns.frames.role[repeat.first] == Role.HELD  # the source repeats too
    places = moved[repeat.first : repeat.last + 1]
    told_by_slip = places[0] == 0 if against == "reference" else (places == 0).all()
    return bool(held or told_by_slip or _in_reference_too(columns, repeat))


def _in_reference_too(columns: Columns, repeat: Repeat) -> bool:
    """Whether a run has partners that repeat as well: its error is that of the frames before.

    An error that falls belongs to a comparison of the frames with each other.
    """
    if "psnr" not in columns.scores:
        return False
    error = PSNR_PEAK * 10 ** (-np.asarray(columns.scores["psnr"], np.float64) / 20)
    before = error[max(0, repeat.first - ERROR_ROWS) : repeat.first]
    if not np.isfinite(before).any():
        return False
    usual, at = float(np.nanmedian(before)), float(error[repeat.first])
    grown = math.sqrt(max(0.0, at**2 - usual**2))
    return 2 * at >= usual and grown < MIN_GROWN_ERROR * min(repeat.usual, repeat.edge)


def _said(frames: FrameTable, repeat: Repeat) -> str:
    before, first, last = (
        int(frames.index[row]) for row in (repeat.first - 1, repeat.first, repeat.last)
    )
    which = f"frame {first} repeats" if first == last else f"frames {first} to {last} repeat"
    return (
        f"{which} frame {before}: the change is {told(repeat.ratio)} times that of the frames"
        f" beside it, which change by {told(min(repeat.usual, repeat.edge))} code values"
    )
