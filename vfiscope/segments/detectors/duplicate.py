"""Repeated frames: one that repeats the frame before it, and runs of them, by what they look like.

A repeat changes little where frames before and after it change much. What a codec adds to it is
small, so that it is certain where much moves and can not be told where little does. The motion
since the frame before must not go on either, as it does in a blurred frame. Frames that stand
still because nothing moves around them are none, nor are those that a pattern of repeats explains.
"""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detectors.context import context_of
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.regular import regular_of
from vfiscope.segments.detectors.repeats import Repeat, change_of, repeats_of
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of
from vfiscope.types import FrameTable, Segment

__all__ = ["detect"]

MIN_REPEAT_CONFIDENCE = 0.5


def detect(columns: Columns) -> list[Segment]:
    """A ``duplicate`` for each repeated frame, and a ``freeze`` for several in a row.

    Args:
        columns: with the signals of :data:`~.repeats.REPEAT_SIGNALS`.
    """
    if not context_of(columns).is_video:
        return []
    explained = {row for regular in regular_of(columns) for row in regular.repeats}
    change = change_of(columns)
    return [
        segment_of(
            *(columns.frames, "difference_p99", columns.signals["difference_p99"]),
            -np.nan_to_num(change, nan=np.inf),
            (repeat.first, repeat.last),
            repeat.confidence,
            "freeze" if repeat.last > repeat.first else "duplicate",
            evidence=_said(columns.frames, repeat),
        )
        for repeat in repeats_of(columns)
        if repeat.confidence >= MIN_REPEAT_CONFIDENCE and repeat.first not in explained
    ]


def _said(frames: FrameTable, repeat: Repeat) -> str:
    before, first, last = (
        int(frames.index[row]) for row in (repeat.first - 1, repeat.first, repeat.last)
    )
    which = f"frame {first} repeats" if first == last else f"frames {first} to {last} repeat"
    return (
        f"{which} frame {before}: the change is {told(repeat.ratio)} times that of the frames"
        f" beside it, which change by {told(min(repeat.usual, repeat.edge))} code values"
    )
