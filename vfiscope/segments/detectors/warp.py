"""Warp: frames whose geometry is broken in places."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detectors.certainty import certainty
from vfiscope.segments.detectors.context import context_of
from vfiscope.segments.detectors.corruption import damaged_rows
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.detectors.stand_out import (
    impulse_margin,
    relit,
    residual_ratio,
    seam_margin,
)
from vfiscope.segments.detectors.torn import tears
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of, spans
from vfiscope.types import Segment

__all__ = ["WARP_SIGNALS", "detect"]

WARP_SIGNALS = ("impulse", "seam", "warp_residual", "luma_mean")
MIN_BENT_RATIO = 1.15
"""What motion leaves on the way into a bent frame and out of it, in terms of the usual."""
MAX_BENT_SEAMS, MIN_BENT = 0.6, 1.9
"""Margin of seams below which nothing is damaged, and least evidence of both together."""
MAX_WARP_ROWS = 12


def detect(columns: Columns) -> list[Segment]:
    """The bent frames.

    They have content that neither neighbour has, as damaged ones do, but no seams; and on the way
    in and on the way out smooth motion leaves more than usual.

    Args:
        columns: with the signals ``WARP_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    blocks, seams, left = (f(context) for f in (impulse_margin, seam_margin, residual_ratio))
    both = np.minimum(left, np.append(left[1:], 0))
    other = relit(context) | bumped_rows(context) | damaged_rows(context)
    for tear in tears(context):
        other[max(0, tear.first - 1) : tear.stop + 1] = True
    bent = (blocks >= 1) & (both >= MIN_BENT_RATIO) & (seams < MAX_BENT_SEAMS) & ~other
    bent &= np.sqrt(np.maximum(blocks, 0)) * both >= MIN_BENT
    found = []
    for first, last in spans(bent, np.zeros(len(bent), bool)):
        if last - first < MAX_WARP_ROWS:
            row = first + int(blocks[first : last + 1].argmax())
            margin = float(np.sqrt(blocks[row]) * both[row] / MIN_BENT)
            said = (
                f"places of frame {int(columns.frames.index[row])} lie elsewhere than before and"
                f" after: {told(float(context.signal('impulse')[row]))} code values that neither"
                f" neighbour has, {told(float(both[row]))} times as much as usual that motion"
                " leaves, and no seams"
            )
            found.append(
                segment_of(
                    *(columns.frames, "impulse", columns.signals["impulse"], blocks, (first, last)),
                    *(certainty(margin), "warp"),
                    evidence=said,
                )
            )
    return found
