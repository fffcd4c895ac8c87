"""Blur: stretches less sharp than what is before and behind them, from one frame to the next."""

from __future__ import annotations

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.ghosts import MAX_GHOST_ROWS, ghost_rows
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of, medians, shifted
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.stand_out import MAX_RELIT, brighter_than, relit, residual_ratio
from vfiscope.segments.rules import segment_of
from vfiscope.segments.spans import Mask
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["BLUR_SIGNALS", "detect"]

BLUR_SIGNALS = ("sharpness", "luma_std", "luma_mean", "structure_step", "warp_residual")
BEFORE_BLUR = (-6, -5, -4, -3, -2, -1)
"""Rows whose median is the sharpness before."""
MIN_SOFTER = 0.16
"""Least fall of the logarithm of sharpness: 15 %."""
USUAL_STEPS = 4.0
"""How many times the usual departure of the rows around the fall is at least."""
CLEAR_MARGIN = 1.2
"""How sure that is, in terms of what is enough otherwise."""
RELIT_TIMES = 2.0
"""How many times what is enough otherwise a fall is that comes with another light, which an encoder
has to learn."""
CLEARLY_SOFTER, CLEAR_SIDE = 0.12, 6
"""Least fall, of two frames or more, below the least sharp of so many rows before and behind: where
sharpness goes up and down from frame to frame, as encoders make it, none is as soft."""
STEP_SHARE = 0.6
"""Part of the fall, and of the rise, that comes from one frame to the next."""
MIN_CONTRAST_STEP, MAX_CONTRAST_STEP = 0.006, 0.5
"""Least fall of the logarithm of contrast, as blur takes some of it, and largest as a part of the
fall of sharpness."""
MAX_BREAK_RATIO, ROWS_BEHIND_BREAK = 2.0, 2
"""What motion leaves of a step to content that an encoder has to learn, and the frames that it
may take: they are soft."""
MAX_BLUR_ROWS = 250
MAX_SCENE_STEP = 0.6
"""Change of structure at the end from which on it is another scene that is sharper; and at the
start, where the light changes too, one that is softer."""
MIN_TELLING_STD = 2.0
"""Standard deviation of luma below which there is nothing to be blurred."""


def detect(columns: Columns) -> list[Segment]:
    """The blurred stretches.

    Sharpness falls from one frame to the next, by more than it does from frame to frame, and much
    more than contrast, which fog and fades take away too; and it comes back as suddenly, which
    another scene does not. Where the light changes with it, so much of the change of
    sharpness and contrast is due to light.

    Args:
        columns: with the signals ``BLUR_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    sharp, contrast, luma, structure = (context.signal(name) for name in BLUR_SIGNALS[:4])
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.log(np.where(sharp > 0, sharp, np.nan))
        spread = np.log(np.where(contrast > MIN_TELLING_STD, contrast, np.nan))
    usual = medians(level, BEFORE_BLUR)
    off = SIGMA_OF_MAD * np.abs(level - medians(level, range(-6, 7)))
    noise = np.fmax(medians(off, range(-12, 0)), medians(off, range(8, 20)))
    needed = np.fmax(MIN_SOFTER, USUAL_STEPS * noise)
    fall = usual - level
    clear = _clearly_softer(level)
    needed = np.where(clear, np.fmin(needed, np.fmax(fall, MIN_SOFTER) / CLEAR_MARGIN), needed)
    other_light = relit(context)
    brighter = np.where(other_light, brighter_than(luma, BEFORE_BLUR), 0.0)
    needed = np.where(other_light, RELIT_TIMES * needed + np.abs(brighter), needed)
    flatter = medians(spread, BEFORE_BLUR) - spread + brighter
    with np.errstate(invalid="ignore"):
        starts = (fall >= needed) & (np.diff(level, prepend=np.nan) <= -STEP_SHARE * fall)
        starts &= flatter >= MIN_CONTRAST_STEP
        starts &= flatter <= MAX_CONTRAST_STEP * (fall + brighter)
        starts &= ~(other_light & (structure > MAX_SCENE_STEP))
        starts &= ~_other(context, np.abs(brighter) > MAX_RELIT)
    found, free = [], 0
    for first in np.flatnonzero(starts).tolist():
        if first < free:
            continue
        stop = _sharp_again(level, first, float(usual[first]), float(fall[first]))
        if stop is None or _blended(context, first, stop):
            continue
        if not structure[stop] > MAX_SCENE_STEP:
            free = stop
            margin = float(fall[first] / needed[first])
            found.append(_segment(columns, level, (first, stop - 1), float(fall[first]), margin))
    return found


def _clearly_softer(level: Float64) -> Mask:
    """(N,) True for the first of some frames that are all less sharp than each of the rows before
    and behind them."""
    clear = np.zeros(len(level), bool)
    least = np.min([shifted(level, -n) for n in range(1, CLEAR_SIDE + 1)], axis=0)
    with np.errstate(invalid="ignore"):
        soft = level <= least - CLEARLY_SOFTER
    for first in np.flatnonzero(soft[:-1]).tolist():
        ahead = level[first : first + MAX_BLUR_ROWS] <= least[first] - CLEARLY_SOFTER
        stop = first + int(ahead.argmin())
        behind = level[stop : stop + CLEAR_SIDE]
        if stop - first > 1 and len(behind):
            clear[first] = level[first:stop].max() <= behind.min() - CLEARLY_SOFTER
    return clear


def _other(context: Context, brighter: Mask) -> Mask:
    """(N,) rows that lose sharpness by something else: damage, a bump, a blend, or light that
    stepped in the rows before."""
    other = damaged_rows(context) | bumped_rows(context) | ghost_rows(context)
    new = other | brighter | (residual_ratio(context) >= MAX_BREAK_RATIO)
    for rows in range(1, ROWS_BEHIND_BREAK + 1):
        other[rows:] |= new[:-rows]
    return np.asarray(other)


def _blended(context: Context, first: int, stop: int) -> bool:
    """Whether it is short and holds a ghost, which takes sharpness too."""
    return stop - first <= MAX_GHOST_ROWS and bool(ghost_rows(context)[first:stop].any())


def _sharp_again(level: Float64, first: int, usual: float, fall: float) -> int | None:
    """The row at which sharpness comes back as suddenly as it went; None where it does not."""
    ahead = level[first : first + MAX_BLUR_ROWS]
    with np.errstate(invalid="ignore"):
        back = np.flatnonzero(ahead > usual - STEP_SHARE * fall)
    if not len(back) or not np.isfinite(ahead[: back[0]]).all():
        return None
    stop = int(back[0])
    rise = ahead[stop] - ahead[stop - 1]
    return first + stop if rise > (1 - STEP_SHARE) * fall else None


def _segment(
    columns: Columns, level: Float64, rows: tuple[int, int], fall: float, margin: float
) -> Segment:
    frames, index = columns.frames, columns.frames.index
    said = (
        f"sharpness falls by {told(100 * (1 - np.exp(-fall)))} % at frame {int(index[rows[0]])},"
        f" {told(margin)} times what would be enough, and comes back behind frame"
        f" {int(index[rows[1]])}"
    )
    return segment_of(
        *(frames, "sharpness", columns.signals["sharpness"], -level, rows),
        confidence("blur", margin),
        "blur",
        evidence=said,
    )
