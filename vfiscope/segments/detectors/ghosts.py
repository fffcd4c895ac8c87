"""Ghosting: frames that are a blend of the frames before and after."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detectors.certainty import certainty
from vfiscope.segments.detectors.context import context_of, medians
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of, spans
from vfiscope.types import Float64, Segment

__all__ = ["GHOSTING_SIGNALS", "detect"]

GHOSTING_SIGNALS = ("blend_residual", "blend_gradient", "blend_motion")
NEAR = (-4, -3, -2, 2, 3, 4)
"""Rows beside a ghost and its neighbours, whose own neighbour is the ghost."""
MAX_RESIDUAL = 0.4
"""Difference to the blend as a part of that to the neighbours along their motion."""
MAX_OF_USUAL = 0.25
"""The same as a part of what it is around."""
MAX_GRADIENT = 0.97
"""Slope in what moves, as a part of that of the neighbours: a blend of edges is flatter."""
MIN_USUAL = 0.6
"""Difference to a blend around a ghost below which all is blended, as in a dissolve."""
MIN_BLEND_PX = 2.0
"""Motion between the neighbours below which a ghost cannot be told."""
MAX_GHOST_ROWS = 6
"""More in a row are a dissolve."""


def detect(columns: Columns) -> list[Segment]:
    """The ghosts.

    A blend of the frames around it explains the frame better than their motion does, and much
    better than it explains the frames nearby; and what moves is flatter than in the frames around.

    Args:
        columns: with the signals ``GHOSTING_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    residual, gradient, motion = (context.signal(name) for name in GHOSTING_SIGNALS)
    usual, slope = medians(residual, NEAR), medians(gradient, NEAR)
    with np.errstate(invalid="ignore", divide="ignore"):
        margins = (
            MAX_RESIDUAL / residual,
            MAX_OF_USUAL * usual / residual,
            np.minimum(MAX_GRADIENT, slope) / gradient,
        )
        met = (margins[0] >= 1) & (margins[1] >= 1) & (margins[2] >= 1) & (motion >= MIN_BLEND_PX)
        met &= usual >= MIN_USUAL
    return [
        _segment(columns, margins, rows)
        for rows in spans(met, np.zeros(len(met), bool))
        if rows[1] - rows[0] < MAX_GHOST_ROWS
    ]


def _segment(
    columns: Columns, margins: tuple[Float64, Float64, Float64], rows: tuple[int, int]
) -> Segment:
    first, last = rows
    clearest = np.minimum(margins[0], margins[1])
    row = first + int(clearest[first : last + 1].argmax())
    residual, gradient = (float(columns.signals[name][row]) for name in GHOSTING_SIGNALS[:2])
    said = (
        f"frame {int(columns.frames.index[row])} is a blend of its neighbours: what differs from it"
        f" is {told(residual)} times what their motion leaves, around it"
        f" {told(float(margins[1][row]) * residual / MAX_OF_USUAL)} times, and what moves is"
        f" {told(gradient)} times as steep as in them"
    )
    return segment_of(
        *(columns.frames, "blend_residual", columns.signals["blend_residual"], clearest, rows),
        *(certainty(float(clearest[row])), "ghosting"),
        evidence=said,
    )
