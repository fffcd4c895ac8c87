"""Corruption: damaged blocks, by their seams or by the word of the decoder."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of
from vfiscope.segments.evidence.damaged_rows import damage_of
from vfiscope.segments.evidence.stand_out import impulse_margin, residual_ratio, seam_margin
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Segment

__all__ = ["detect"]

REPORTED_CONFIDENCE = 0.92
"""Of 48 damages that decoders reported in the tuning half of the benchmark, 44 showed."""


def detect(columns: Columns) -> list[Segment]:
    """The damaged frames.

    Blocks that neither the frame before nor the one after has, and more straight seams one pixel
    sharp than there; or such seams for some frames, with content at their start and end that no
    motion explains; or what the decoder says, up to the keyframe that renews the frame.

    Args:
        columns: with the signals ``DAMAGE_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    marked, lost, seen = damage_of(context)
    found = [
        *(_marked(context, rows) for rows in marked),
        *(_predicted(context, rows) for rows in lost),
        *(_seen(context, rows) for rows in seen),
    ]
    return sorted(found, key=lambda segment: segment.start)


def _marked(context: Context, rows: tuple[int, int]) -> Segment:
    frames = context.columns.frames
    said = f"the decoder reports damage at frame {int(frames.index[rows[0]])}"
    if rows[1] > rows[0]:
        said += f", which lasts up to frame {int(frames.index[rows[1]])}"
    return _segment(context, rows, REPORTED_CONFIDENCE, said)


def _predicted(context: Context, rows: tuple[int, int]) -> Segment:
    frames, ratio = context.columns.frames, residual_ratio(context)
    blocks = impulse_margin(context)
    margin = float(np.sqrt(min(blocks[rows[0] - 1], blocks[rows[0]]) * ratio[rows[1] + 1] / 2))
    said = (
        f"blocks of frame {int(frames.index[rows[0]])} are lost (they differ from both neighbours"
        f" {told(float(blocks[rows[0]]))} times what stands out), and keyframe"
        f" {int(frames.index[rows[1]]) + 1} brings content that no motion explains"
        f" ({told(float(ratio[rows[1] + 1]))} times as much as usual)"
    )
    return _segment(context, rows, confidence("corruption", margin), said)


def _seen(context: Context, rows: tuple[int, int]) -> Segment:
    first, last = rows
    own = slice(first, last + 1)
    seams, blocks = seam_margin(context)[own], impulse_margin(context)[own]
    seam = context.signal("seam")
    row = first + int(seams.argmax())
    lone = float(np.nanmax(context.signal("impulse")[own]))
    said = (
        f"frame {int(context.columns.frames.index[row])} has {told(float(seam[row]), 'px')} of"
        f" straight seams, {told(float(seams.max()))} times what stands out from the frames around,"
        f" and blocks that differ from both neighbours by {told(lone)} code values"
    )
    margin = float(np.sqrt(seams.max() * max(1.0, blocks.max())))
    return _segment(context, rows, confidence("corruption", margin), said)


def _segment(context: Context, rows: tuple[int, int], sure: float, said: str) -> Segment:
    column = context.columns.signals["seam"]
    badness = np.nan_to_num(np.asarray(column, np.float64))
    return segment_of(
        *(context.columns.frames, "seam", column, badness, rows, sure, "corruption"),
        evidence=said,
    )
