"""Gaps between photos, such as nights: from the times alone."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.spans import segment_of
from vfiscope.types import Segment, duration
from vfiscope.types.time_lapse import PAUSE

__all__ = ["detect"]


def detect(columns: Columns) -> list[Segment]:
    """The first photo after each step of three usual ones or more.

    Args:
        columns: with ``photo_back``, which marks photos with known times.
    """
    frames = columns.frames
    steps = np.diff(np.asarray(frames.time_s, np.float64), prepend=np.nan)
    if len(steps) < 3:
        return []
    usual = float(np.median(steps[1:]))
    return [
        segment_of(
            *(frames, "time", steps, np.nan_to_num(steps), (int(row), int(row)), 1.0, "gap"),
            evidence=f"{duration(float(steps[row]))} pass before frame {frames.index[row]}, where"
            f" {duration(usual)} are usual",
        )
        for row in np.flatnonzero(steps >= PAUSE * usual)
        if usual > 0
    ]
