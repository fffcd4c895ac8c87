"""Ghosting: frames that are a blend of the frames before and after."""

from __future__ import annotations

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.detectors.confidence import confidence
from vfiscope.segments.detectors.context import Context, context_of, medians
from vfiscope.segments.detectors.corruption import damaged_rows
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.detectors.stand_out import impulse_margin, relit
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64, Segment

__all__ = ["GHOSTING_SIGNALS", "detect", "ghost_rows"]

GHOSTING_SIGNALS = (
    *("blend_residual", "blend_gradient", "blend_motion", "difference_p99", "sharpness"),
    *("impulse", "luma_mean"),
)
NEAR = (-6, -5, -4, -3, -2, 2, 3, 4, 5, 6)
"""Rows beside a ghost and its neighbours, whose own neighbour is the ghost."""
MAX_RESIDUAL, MAX_OF_USUAL = 0.4, 0.25
"""Difference to the blend, as a part of that to the neighbours along their motion, and as a part of
what this is around."""
MAX_GRADIENT, MAX_OF_SLOPE = 0.97, 0.95
"""Slope in what moves, as a part of that of the neighbours, and of what this is around: a blend of
edges is flatter."""
MIN_USUAL = 0.6
"""Difference to a blend around a ghost below which all is blended, as in a dissolve."""
MIN_BLEND_PX = 2.0
"""Motion between the neighbours below which a ghost cannot be told."""
MAX_GHOST_ROWS = 6
"""More in a row are a dissolve."""
FAINT_OF_USUAL, MIN_FLATTER, USUAL_FLATTER = 0.8, 0.05, 4.0
"""Part of the usual difference, and fall of the slope, at least and in usual departures, of a blend
with the frame itself, or with frames that are ghosts too."""
MIN_FAINT_FLATTER, MIN_FAINT = 1.4, 2.6
"""Least margin of that fall, and least product of both."""
FAINT_MOTION, FAINT_STEPS, SMALLER_STEP = (0.7, 1.4), (0.5, 1.7), 0.92
"""Motion and steps around a faint ghost in terms of the usual: no frame is repeated or missing,
and one of the steps to it and from it is smaller."""
MAX_FAINT_LONE, MAX_SOFTER = 0.5, 0.22
"""Margin of blocks that no neighbour has, and fall of the logarithm of sharpness, that a blend does
not reach."""
FAINT_REACH = 3
"""Rows from one clear or faint ghost to the next of the same stretch."""


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
    margins = np.fmax(_clear(context), _faint(context))
    none = np.zeros(len(margins), bool)
    return [
        _segment(columns, margins, rows)
        for rows in spans(margins >= 1, none, reach=FAINT_REACH)
        if rows[1] - rows[0] < MAX_GHOST_ROWS
    ]


def ghost_rows(context: Context) -> Mask:
    """(N,) True for rows that a segment of this kind covers: of runs that hold all signals, else
    nowhere."""

    def compute() -> Mask:
        rows, index = np.zeros(len(context.columns.frames), bool), context.columns.frames.index
        if all(name in context.columns.signals for name in GHOSTING_SIGNALS):
            for segment in detect(context.columns):
                rows |= (index >= segment.start) & (index < segment.stop)
        return rows

    return context.columns.share("ghost_rows", compute)


def _clear(context: Context) -> Float64:
    """(N,) margins of blends of the frame before and the one after."""
    residual, gradient, motion = (context.signal(name) for name in GHOSTING_SIGNALS[:3])
    usual, slope = medians(residual, NEAR), medians(gradient, NEAR)
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = np.minimum(MAX_RESIDUAL / residual, MAX_OF_USUAL * usual / residual)
        flatter = gradient <= np.minimum(MAX_GRADIENT, MAX_OF_SLOPE * slope)
        met = flatter & (motion >= MIN_BLEND_PX) & (usual >= MIN_USUAL)
    return np.where(met & ~relit(context), np.nan_to_num(margin), 0.0)


def _faint(context: Context) -> Float64:
    """(N,) margins of other blends, which are explained in part."""
    residual, gradient, motion = (context.signal(name) for name in GHOSTING_SIGNALS[:3])
    usual, slope = medians(residual, NEAR), medians(gradient, NEAR)
    off = SIGMA_OF_MAD * medians(np.abs(gradient - slope), NEAR)
    change, sharp = context.signal("difference_p99"), context.signal("sharpness")
    with np.errstate(invalid="ignore", divide="ignore"):
        step, speed = change / medians(change, NEAR), motion / medians(motion, NEAR)
        level = np.log(sharp)
        softer = np.fmax(medians(level, range(-6, 0)), medians(level, range(1, 7))) - level
        flatter = (slope - gradient) / np.fmax(MIN_FLATTER, USUAL_FLATTER * off)
        explained = FAINT_OF_USUAL * usual / residual
        behind = np.append(step[1:], np.nan)
        met = (flatter >= MIN_FAINT_FLATTER) & (explained >= 1) & (usual >= MIN_USUAL)
        for values, (low, high) in (
            *((speed, FAINT_MOTION), (step, FAINT_STEPS), (behind, FAINT_STEPS)),
            (np.fmin(step, behind), (0.0, SMALLER_STEP)),
            (impulse_margin(context), (-np.inf, MAX_FAINT_LONE)),
            (softer, (-np.inf, MAX_SOFTER)),
        ):
            met &= (values >= low) & (values <= high)
        met &= (motion >= MIN_BLEND_PX) & ~relit(context)
        margin = np.sqrt(np.fmax(0, flatter * explained) / MIN_FAINT)
    met &= ~damaged_rows(context) & ~bumped_rows(context)
    return np.where(met, np.nan_to_num(margin), 0.0)


def _segment(columns: Columns, margins: Float64, rows: tuple[int, int]) -> Segment:
    first, last = rows
    row = first + int(margins[first : last + 1].argmax())
    residual, gradient = (float(columns.signals[name][row]) for name in GHOSTING_SIGNALS[:2])
    around = medians(context_of(columns).signal("blend_residual"), NEAR, np.array([row]))
    usual = float(around[0])
    said = (
        f"frame {int(columns.frames.index[row])} is a blend: what differs from a mixture of its"
        f" neighbours is {told(residual)} times what their motion leaves, around it"
        f" {told(usual)} times, and what moves is {told(gradient)} times as steep as in them"
    )
    return segment_of(
        *(columns.frames, "blend_residual", columns.signals["blend_residual"], margins, rows),
        *(confidence("ghosting", float(margins[row])), "ghosting"),
        evidence=said,
    )
