"""Tears told by motion: one part of a frame falls behind the other, and catches up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.evidence.context import Context, medians, shifted
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.stand_out import relit
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64

__all__ = ["MIN_AHEAD", "PACE_SIGNALS", "SURELY_TORN", "PacedTear", "paced_tears", "surely_torn"]

PACE_SIGNALS = ("tear_ahead", "tear_split", "tear_jump", "tear_jump_share")
MAX_PACED_ROWS = 8
"""Longest tear."""
BESIDE_PAIR = (*range(-7, -1), *range(2, 10))
MIN_AHEAD = 0.35
"""Steps by which a part must fall behind and catch up at least."""
USUAL_AHEAD, BESIDE_AHEAD, INSIDE_AHEAD = 3.0, 2.0, 1.5
"""How many times as much as the usual is that, as the most in the rows before and behind, and as
the most between."""
MIN_BALANCE = 0.4
"""Least part of the larger of both that the smaller one is."""
MAX_SPLIT_OFF, SPLIT_PER_ROW = 0.1, 0.13
"""By how much the splits of both may differ: lines of tears wander."""
LEAST_JUMP, JUMP_ABOVE, MAX_JUMP_OFF = 0.35, 0.15, 0.15
"""Logarithm of how much more one side changes, how far it is above the usual one at least, and how
far its split may be away."""
SURELY_TORN = 1.5
"""Margin of a tear that is no bump, although most of the frame jumps."""
MIN_PACE_MARGIN, MAX_JUMP_MARGIN = 0.4, 4.0
"""Least margin of the pace, and the most that the one of the jump counts for."""


@dataclass(frozen=True)
class PacedTear:
    """Torn rows [first, stop)."""

    first: int
    stop: int
    behind: float
    """How many steps the part above the split falls behind in the first row."""
    caught_up: float
    """How many steps more it goes behind the last."""
    split: float
    """Part of the frame above the split."""
    margin: float


def surely_torn(context: Context) -> Mask:
    """(N,) True at both ends of tears that are clear; nowhere in runs that lack a signal."""
    rows = np.zeros(len(context.columns.frames), bool)
    if all(name in context.columns.signals for name in (*PACE_SIGNALS, "luma_mean")):
        for tear in paced_tears(context):
            if tear.margin >= SURELY_TORN:
                rows[[tear.first, min(tear.stop, len(rows) - 1)]] = True
    return rows


def paced_tears(context: Context) -> list[PacedTear]:
    """In the order of their margins, the clearest first; they may overlap.

    Where a part of a frame shows another instant, it goes so many steps less (or more) than the
    other part, and as many more (or less) where the tear ends: the same split, the other sign, and
    nothing of the kind before, between or behind. The second evidence is that one side also changes
    more than the other, in terms of the usual, at one of both ends.
    """
    return context.columns.share("paced_tears", lambda: _paced(context))


def _paced(context: Context) -> list[PacedTear]:
    ahead, split = context.signal("tear_ahead"), context.signal("tear_split")
    size = np.nan_to_num(np.abs(ahead))
    usual = np.nan_to_num(medians(np.abs(ahead), BESIDE_PAIR))
    before = np.maximum.reduce([shifted(size, by) for by in (-3, -2, -1)])
    behind = np.maximum.reduce([shifted(size, by) for by in (1, 2)])
    jumps = _jump_margins(context, split)
    free = ~relit(context) & ~damaged_rows(context)
    inside, found = np.zeros(len(size)), []
    for rows in range(1, MAX_PACED_ROWS + 1):
        end = shifted(size, rows)
        least = np.fmin(size, end)
        around = np.fmax(before, shifted(behind, rows))
        needed = np.maximum.reduce(
            [
                np.full(len(size), MIN_AHEAD),
                BESIDE_AHEAD * around,
                USUAL_AHEAD * np.fmax(usual, shifted(usual, rows)),
                INSIDE_AHEAD * inside,
            ]
        )
        pace = least / needed
        jump = np.minimum(np.fmax(jumps, shifted(jumps, rows)), MAX_JUMP_MARGIN)
        off = np.abs(split - shifted(np.nan_to_num(split), rows))
        with np.errstate(invalid="ignore"):
            met = np.nan_to_num(ahead) * shifted(np.nan_to_num(ahead), rows) < 0
            met &= (off <= MAX_SPLIT_OFF + SPLIT_PER_ROW * (rows - 1)) & free
            met &= (least >= MIN_BALANCE * np.fmax(size, end)) & (pace >= MIN_PACE_MARGIN)
            met &= (least >= MIN_AHEAD) & (pace * jump >= 1)
        for row in np.flatnonzero(met).tolist():
            margin = float(np.sqrt(pace[row] * jump[row]))
            ends = float(-ahead[row]), float(ahead[row + rows])
            found.append(PacedTear(row, row + rows, *ends, float(split[row]), margin))
        inside = np.fmax(inside, end)
    return sorted(found, key=lambda tear: -tear.margin)


def _jump_margins(context: Context, split: Float64) -> Float64:
    """(N,) of the jumps at these splits; 0 elsewhere."""
    jump, share = context.signal("tear_jump"), context.signal("tear_jump_share")
    usual = np.nan_to_num(medians(jump, (*range(-6, -1), *range(2, 7))))
    margin = np.nan_to_num(jump / np.maximum(LEAST_JUMP, usual + JUMP_ABOVE))
    at = np.where(share > 0, share, 1 + share)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(at - split) < MAX_JUMP_OFF, margin, 0.0)
