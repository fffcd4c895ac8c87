"""Where in the frame a fault is, where a reference or real frames tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vfiscope.segments.columns import Columns
from vfiscope.segments.wording import told
from vfiscope.types import Box, Needs, Segment, place_words

__all__ = ["placed"]

PART_SIGNALS = ("worst_left", "worst_top", "worst_right", "worst_bottom")
LOCAL_KINDS = frozenset({"ghosting", "warp", "tearing", "corruption", "blur"})
"""What can be in one place of a frame."""
MOST_OF_FRAME = 0.6
"""Part of the frame above which a box is no place in it."""


def placed(segment: Segment, columns: Columns) -> Segment:
    """The segment with the box of the worst part of its peak, as numbers and in its evidence.

    The segment as it is where its kind has no place, none is known, or another detector placed it.
    """
    if segment.w or columns.size is None or not _is_local(segment, columns):
        return segment
    row = int(np.searchsorted(columns.frames.index, segment.peak_index))
    edges = [float(columns.signals[name][row]) for name in PART_SIGNALS if name in columns.signals]
    if len(edges) < len(PART_SIGNALS) or not np.isfinite(edges).all():
        return segment
    left, top, right, bottom = (int(edge) for edge in edges)
    box = Box(left, top, right - left, bottom - top)
    whole = (box.h, box.w) == columns.size
    words = [segment.evidence, *([] if whole else [_said(box, columns.size)])]
    return replace(segment, **box._asdict(), evidence="; ".join(filter(None, words)))


def _is_local(segment: Segment, columns: Columns) -> bool:
    """True for faults in parts of the frame, and for a metric that compares with other frames."""
    if segment.kind in LOCAL_KINDS:
        return True
    spec = columns.specs.get(segment.metric)
    compares = spec is not None and bool(spec.needs & (Needs.REF | Needs.NEIGHBOURS))
    return segment.kind == "low_score" and compares


def _said(box: Box, size: tuple[int, int]) -> str:
    share = box.w * box.h / (size[0] * size[1])
    where = place_words(box.x + box.w / 2, box.y + box.h / 2, size)
    where = "in most of the frame" if share >= MOST_OF_FRAME else f"mostly {where}"
    percent = told(float(f"{100 * share:.2g}"))
    return f"{where}: box {box.x}, {box.y}, {box.w} x {box.h} px, {percent} % of the frame"
