"""Flicker of a video: light that gets brighter and darker again and again within a few frames."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.evidence.light_changes import MIN_FLICKER_TURNS, light_changes
from vfiscope.segments.spans import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Segment

__all__ = ["detect"]


def detect(columns: Columns) -> list[Segment]:
    """Stretches in which the light of the whole frame turns three times at least, with at most
    three frames between its changes; flashes that are further apart are none.

    Args:
        columns: with the signals of :data:`light_changes.LIGHT_CHANGE_SIGNALS`.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    step = context.signal("light_step")
    found = []
    for first, last in light_changes(columns).flickers:
        inside = step[first : last + 2]
        size = float(np.median(np.abs(inside[np.abs(inside) > 0])))
        turns = int((np.diff(np.sign(inside)) != 0).sum())
        said = (
            f"the light of the whole frame turns {turns} times within {last - first + 1} frames, by"
            f" {told(100 * size)} % usually"
        )
        badness = np.abs(step)
        sure = confidence("flicker", turns / MIN_FLICKER_TURNS)
        found.append(
            segment_of(
                *(columns.frames, "light_step", step, badness, (first, last), sure, "flicker"),
                evidence=said,
            )
        )
    return found
