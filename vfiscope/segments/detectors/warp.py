"""Warp: frames whose geometry is broken in places."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.detectors.torn import tears
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.stand_out import (
    above_sides,
    behind_repeats,
    relit,
    residual_ratio,
    seam_margin,
    touched,
)
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.spans import Mask
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["WARP_SIGNALS", "detect"]

WARP_SIGNALS = (
    *("unmatched", "impulse", "seam", "warp_residual", "luma_mean", "structure_step", "wobble"),
    *("difference_p99", "blend_residual", "blend_others"),
)
LEAST_UNMATCHED_CODES, USUAL_UNMATCHED = 2.5, 6.0
"""Code values that only this frame has, and how many times the usual ones around."""
LEAST_WOBBLE_PX, USUAL_WOBBLES = 0.1, 4.0
"""The same for how far its places leave their way; as far again as usual, at least."""
LEAST_BENT_RESIDUAL, MIN_BENT_EXCESS = 0.003, 0.1
"""What motion leaves on the way into a bent frame and out of it, least and beyond the usual."""
MAX_ONE_SIDED = 5.0
"""How much more it may leave on the one than on the other."""
MIN_BENT, MIN_OF_EACH, MAX_OF_EACH = 1.55, (1.0, 0.5, 0.5), 4.0
"""Least geometric mean of the three in terms of what is enough, least of each, and what counts of
each at most."""
MAX_BENT_SEAMS, MAX_BENT_STEP = 1.0, 0.3
"""Margin of seams below which nothing is damaged, and change of structure of another scene."""
MIN_UNMIXED = 1.0
"""Difference to mixtures of other instants, in terms of what motion leaves: one explains a ghost,
and none what is bent."""
EDGE_BENT = 0.5
"""What is enough beside a bent frame, of the two that tell."""
MAX_WARP_ROWS = 12


def detect(columns: Columns) -> list[Segment]:
    """The bent frames.

    Three things tell together: places leave their way and come back, by the flow into the frame
    and out of it; it has content that neither neighbour has; and on the way in and on the way out
    smooth motion leaves more than usual. Things that pass by quickly have the first two only. And
    there are no seams, which damaged frames have.

    Args:
        columns: with the signals ``WARP_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    margins = _margins(context)
    bent = np.cbrt(np.clip(margins, 0, MAX_OF_EACH).prod(axis=0))
    clear = (margins.T >= MIN_OF_EACH).all(axis=1)
    seeds = (bent >= MIN_BENT) & clear & ~_others(context)
    edges = np.sort(margins, axis=0)[1] >= EDGE_BENT
    found = []
    for first, last in spans(touched(seeds, edges), np.zeros(len(seeds), bool)):
        if last - first < MAX_WARP_ROWS:
            found.append(_segment(context, margins, bent, (first, last)))
    return found


def _margins(context: Context) -> Float64:
    """(3, N) unmatched content, wobble and residual in terms of what is enough."""
    lone, usual_lone = above_sides(np.maximum(context.signal("unmatched"), 0))
    wobble = np.maximum(context.signal("wobble"), 0)
    away, usual_away = above_sides(wobble)
    least = np.fmax(np.fmax(LEAST_WOBBLE_PX, USUAL_WOBBLES * usual_away), wobble - away)
    left = residual_ratio(context, LEAST_BENT_RESIDUAL)
    going = np.append(left[1:], 0)
    # Where frames are missing, or another scene begins, only one of both leaves much.
    both = np.where(
        np.maximum(left, going) - 1 < MAX_ONE_SIDED * (np.minimum(left, going) - 1),
        np.minimum(left, going),
        0.0,
    )
    return np.stack(
        [
            lone / np.fmax(LEAST_UNMATCHED_CODES, USUAL_UNMATCHED * usual_lone),
            np.nan_to_num(away / least),
            (both - 1) / MIN_BENT_EXCESS,
        ]
    )


def _others(context: Context) -> Mask:
    """(N,) rows that are unlike their neighbours by something else."""
    step = np.nan_to_num(context.signal("structure_step"))
    other = relit(context) | bumped_rows(context) | damaged_rows(context)
    other |= np.fmax(step, np.append(step[1:], 0)) > MAX_BENT_STEP
    other |= (seam_margin(context) >= MAX_BENT_SEAMS) | behind_repeats(context)
    mixed = np.fmin(context.signal("blend_residual"), context.signal("blend_others"))
    other |= np.nan_to_num(mixed, nan=MIN_UNMIXED) < MIN_UNMIXED
    for tear in tears(context):
        other[max(0, tear.first - 1) : tear.stop + 1] = True
    return np.asarray(other)


def _segment(context: Context, margins: Float64, bent: Float64, rows: tuple[int, int]) -> Segment:
    frames = context.columns.frames
    row = rows[0] + int(bent[rows[0] : rows[1] + 1].argmax())
    left = 1 + MIN_BENT_EXCESS * float(margins[2, row])
    alone = told(float(context.signal("unmatched")[row]))
    said = (
        f"places of frame {int(frames.index[row])} lie elsewhere than before and after: they leave"
        f" their way by {told(float(context.signal('wobble')[row]), 'px')} and come back,"
        f" {alone} code values are in neither neighbour, and motion leaves {told(left)} times as"
        " much as usual"
    )
    column = context.columns.signals["wobble"]
    return segment_of(
        *(frames, "wobble", column, bent, rows),
        *(confidence("warp", float(bent[row]) / MIN_BENT), "warp"),
        evidence=said,
    )
