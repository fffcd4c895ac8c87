"""How far signals of single frames stand out from those around them, for several detectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.evidence.context import Context, highest_near, medians
from vfiscope.segments.spans import Mask, spans
from vfiscope.types import Float64

__all__ = [
    "SIDE_BEFORE",
    "SIDE_BEHIND",
    "above_sides",
    "behind_repeats",
    "beside",
    "brighter_than",
    "impulse_margin",
    "onset_excess",
    "relit",
    "residual_ratio",
    "seam_margin",
    "touched",
]

SIDE_BEFORE, SIDE_BEHIND = range(-7, -1), range(2, 8)
"""Rows of the sides: not the neighbours, which a fault touches too."""
FURTHER_BEHIND = range(8, 14)
MIN_IMPULSE_CODES, USUAL_IMPULSES = 4.0, 6.0
MIN_SEAM_EXCESS_PX, USUAL_SEAMS, SEAM_SHARE = 24.0, 4.0, 0.1
STILL_SHARE, MIN_GOING_CODES = 0.25, 2.0
"""Change of a frame that repeats the one before, as a part of the change of those behind; and that
change, in code values, from which on something goes on there."""
MAX_RELIT = 0.06
"""Step of the logarithm of mean luma that is another light."""
LEAST_ABRUPT, RELIT_ROWS = 0.05, 8
"""Step from one frame to the next that no drift has, and rows within which it counts."""
MIN_LUMA = 4.0
MIN_RESIDUAL = 0.01
"""Residual of motion, in standard deviations of luma, that rounding and codecs leave."""


def above_sides(values: Float64) -> tuple[Float64, Float64]:
    """(N,) how far each value lies above the larger median of its sides, and the usual departure
    from those medians around it; 0 where unknown."""
    level = np.fmax(medians(values, SIDE_BEFORE), medians(values, SIDE_BEHIND))
    around = (*SIDE_BEFORE, *SIDE_BEHIND)
    off = np.abs(values - medians(values, around))
    return np.nan_to_num(values - level), np.nan_to_num(SIGMA_OF_MAD * medians(off, around))


def onset_excess(context: Context) -> tuple[Float64, Float64]:
    """(N,) how much more begins in each frame than on its sides, and the usual departure."""
    return context.columns.share(
        "onset_excess", lambda: above_sides(np.maximum(context.signal("onset"), 0))
    )


def impulse_margin(context: Context) -> Float64:
    """(N,) how much only this frame has, in terms of what stands out."""

    def compute() -> Float64:
        excess, usual = above_sides(np.maximum(context.signal("impulse"), 0))
        return excess / np.maximum(MIN_IMPULSE_CODES, USUAL_IMPULSES * usual)

    return context.columns.share("impulse_margin", compute)


def seam_margin(context: Context) -> Float64:
    """(N,) how many more straight seams a frame has, in terms of what stands out."""

    def compute() -> Float64:
        seam = context.signal("seam")
        excess, usual = above_sides(seam)
        least = np.maximum(MIN_SEAM_EXCESS_PX, SEAM_SHARE * np.nan_to_num(seam - excess))
        return excess / np.maximum(least, USUAL_SEAMS * usual)

    return context.columns.share("seam_margin", compute)


def residual_ratio(context: Context, least: float = MIN_RESIDUAL) -> Float64:
    """(N,) what motion leaves of the step to a frame, in terms of that of the frames around, which
    counts as a ``least`` one."""

    def compute() -> tuple[Float64, Float64]:
        left = context.signal("warp_residual")
        return left, np.fmax(medians(left, SIDE_BEFORE), medians(left, SIDE_BEHIND))

    left, level = context.columns.share("residual_levels", compute)
    return np.nan_to_num(left / np.fmax(least, level))


def behind_repeats(context: Context) -> Mask:
    """(N,) True where the frame before is a repeat of its own before, and those behind are none: by
    ``difference_p99``."""

    def compute() -> Mask:
        change = context.signal("difference_p99")
        with np.errstate(invalid="ignore"):
            going = np.fmin(medians(change, SIDE_BEHIND), medians(change, FURTHER_BEHIND))
            going = np.fmax(going, 0)
            repeated = np.append(False, change[:-1] < STILL_SHARE * going[1:])
            return np.asarray(repeated & (going >= MIN_GOING_CODES))

    return context.columns.share("behind_repeats", compute)


def relit(context: Context, step: float = MAX_RELIT) -> Mask:
    """(N,) True where the logarithm of mean luma is off that of one of the sides by more than a
    step: at flashes, in fades, in black, at a step of the light. Where it drifts from frame to
    frame, as moving content makes it, the light is the same."""

    def compute() -> Float64:
        luma = context.signal("luma_mean")
        light = np.log(np.fmax(luma, 0) + MIN_LUMA)
        sides = [np.abs(brighter_than(luma, side)) for side in (SIDE_BEFORE, SIDE_BEHIND)]
        steps = np.nan_to_num(np.abs(np.diff(light, prepend=np.nan)))
        abrupt = highest_near(steps, RELIT_ROWS, RELIT_ROWS) > LEAST_ABRUPT
        # Where a side is missing, at the ends of a clip, the other one tells.
        return np.where(abrupt, np.fmax(*sides), 0.0)

    return context.columns.share("relit", compute) > step


def brighter_than(luma: Float64, side: Sequence[int]) -> Float64:
    """(N,) how much brighter each row is than usual on a side, as a logarithm of mean luma."""
    light = np.log(np.fmax(luma, 0) + MIN_LUMA)
    return np.asarray(light - medians(light, side))


def touched(seeds: Mask, edges: Mask) -> Mask:
    """(N,) the seeds, and the edges that touch them on either side."""
    grown = seeds.copy()
    for first, last in spans(seeds | edges, np.zeros(len(seeds), bool)):
        grown[first : last + 1] = seeds[first : last + 1].any()
    return grown


def beside(rows: Mask) -> Mask:
    """(N,) these rows and those beside them."""
    beside = rows.copy()
    beside[1:] |= rows[:-1]
    beside[:-1] |= rows[1:]
    return beside
