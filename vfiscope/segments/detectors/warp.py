"""Warp: frames whose geometry is broken in places."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.ghosts import ghost_rows
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.detectors.torn import tears
from vfiscope.segments.evidence.brief_changes import (
    BRIEF_CHANGE_SIGNALS,
    LEAST_BENT_RESIDUAL,
    MIN_MORE_LEFT,
    brief_changes,
)
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.stand_out import (
    above_sides,
    behind_repeats,
    beside,
    onset_excess,
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
    *("unmatched", "impulse", "luma_mean", "luma_p1", "luma_p99", "light_step", "structure_step"),
    *("wobble", "blend_residual", "blend_others", "tear_explained", *BRIEF_CHANGE_SIGNALS),
)
LEAST_UNMATCHED_CODES, USUAL_UNMATCHED = 2.5, 6.0
"""Code values that only this frame has, and how many times the usual ones around."""
LEAST_WOBBLE_PX, USUAL_WOBBLES = 0.1, 4.0
"""The same for how far its places leave their way; as far again as usual, at least."""
MUCH_UNMATCHED = 3.0
"""Margin of content that neither neighbour has, from which on places may leave their way unseen."""
MIN_RESIDUAL_PEAK, MAX_ONE_SIDED = 0.2, 5.0
"""How much more motion leaves than on the steps right before and behind, where the level changes;
and how much more it may leave on the way in than on the way out, or the other way."""
MIN_BENT, MIN_OF_EACH, MAX_OF_EACH = 1.55, (0.5, 0.5, 1.0), 4.0
"""Least geometric mean of the three in terms of what is enough, least of each, and what counts of
each at most."""
LEAST_RANGE = 4.0
"""Code values. What is bent comes from near by, and is as far from what was there as the darkest
and the brightest parts of the frame at most, which are that far apart at least."""
MAX_BENT_SEAMS, MAX_BENT_STEP, MAX_BENT_LIGHT = 1.0, 0.8, 0.02
"""Margin of seams below which nothing is damaged, change of structure of another scene, and step of
the light of a flash. Where most of a frame is plain, a bend is in most of what has structure, and
changes three quarters of that."""
MIN_UNMIXED, CLEARLY_BENT, MIN_CLEARLY_UNMIXED = 0.9, 2.3, 0.6
"""Difference to mixtures of other instants, in terms of what motion leaves: one explains a ghost,
and none what is bent; and less where all three tell many times as much as is enough."""
MIN_RESTLESS_PX, MIN_IN_RESTLESS, FAR_FROM_MIXED = 0.15, 1.5, 1.2
"""What is enough of a wobble, from which on all places leave their way so much that those of a bend
do not stand out; what the geometric mean of the other two must be then, and the difference to
mixtures."""
MAX_SPLIT, MAX_BEGINS = 0.25, 1.5
"""How well two parts with paces of their own explain such a frame or the next one, as in tears and
wipes; and what begins there and stays, in terms of what no neighbour has."""
EDGE_BENT = 0.5
"""What is enough beside a bent frame, of the two that tell."""
MAX_WARP_ROWS = 12


def detect(columns: Columns) -> list[Segment]:
    """The bent frames.

    Three things tell together: places leave their way and come back, by the flow into the frame
    and out of it, which does not follow what is bent in small; it has content that neither
    neighbour has; and on the way in and on the way out smooth motion leaves more than usual. Things
    that pass by quickly have the first two only. Of two or three bent frames each has another one
    beside it, and what tells is that a place changes from frame to frame, and is as before then.
    And there are no seams, which damaged frames have.

    Args:
        columns: with the signals ``WARP_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    margins, brief, others = _margins(context), brief_changes(context), _others(context)
    bent = np.cbrt(np.clip(margins, 0, MAX_OF_EACH).prod(axis=0)) / MIN_BENT
    mixed = _mixed(context, MIN_UNMIXED)
    mixed &= (bent < CLEARLY_BENT) | _mixed(context, MIN_CLEARLY_UNMIXED)
    alone = (bent >= 1) & (margins.T >= MIN_OF_EACH).all(axis=1) & ~mixed
    restless = _in_restless(context, margins[0])
    alone |= restless >= 1
    edges = np.sort(margins, axis=0)[1] >= EDGE_BENT
    rows = touched(alone & ~others, edges) | ((brief >= 1) & ~others)
    shown = np.fmax(np.fmax(bent, restless), brief)
    margins[1, restless > bent] = 0.0  # no place tells
    return [
        _segment(context, margins, shown, (first, last))
        for first, last in spans(rows, np.zeros(len(rows), bool))
        if last - first < MAX_WARP_ROWS
    ]


def _margins(context: Context) -> Float64:
    """(3, N) unmatched content, wobble and residual in terms of what is enough."""
    lone, usual_lone = above_sides(np.maximum(context.signal("unmatched"), 0))
    lone = lone / np.fmax(LEAST_UNMATCHED_CODES, USUAL_UNMATCHED * usual_lone)
    away, least = _off_the_way(context)
    away = np.nan_to_num(away / least)
    away = np.where(lone >= MUCH_UNMATCHED, np.fmax(away, MIN_OF_EACH[1]), away)
    return np.stack([lone, away, _left(context)])


def _off_the_way(context: Context) -> tuple[Float64, Float64]:
    """(N,) how much further than usual places leave their way, and what is enough."""
    wobble = np.maximum(context.signal("wobble"), 0)
    away, usual = above_sides(wobble)
    return away, np.fmax(np.fmax(LEAST_WOBBLE_PX, USUAL_WOBBLES * usual), wobble - away)


def _in_restless(context: Context, lone: Float64) -> Float64:
    """(N,) margins of bends where all is restless, as in the hand that holds a camera, by the two
    that tell there; 0 where things are covered, are torn, or begin."""
    level, (_, least) = _level(context), _off_the_way(context)
    both = np.sqrt(np.prod(np.clip((lone, level), 0, MAX_OF_EACH), axis=0)) / MIN_IN_RESTLESS
    split = np.nan_to_num(context.signal("tear_explained"))
    begins, _ = onset_excess(context)
    met = (least >= MIN_RESTLESS_PX) & ~_mixed(context, FAR_FROM_MIXED)
    met &= (lone >= MIN_OF_EACH[0]) & (level >= MIN_OF_EACH[2])
    met &= np.fmax(split, np.append(split[1:], 0)) < MAX_SPLIT
    met &= begins <= MAX_BEGINS * np.nan_to_num(context.signal("unmatched"))
    return np.where(met, both, 0.0)


def _level(context: Context) -> Float64:
    """(N,) margins of what motion leaves on the way in and on the way out beyond what it leaves on
    both sides."""
    coming = residual_ratio(context, LEAST_BENT_RESIDUAL)
    going = np.append(coming[1:], 0)
    # Where frames are missing, or another scene begins, only one of both leaves much.
    less, more = np.minimum(coming, going), np.maximum(coming, going)
    return (np.where(more - 1 < MAX_ONE_SIDED * (less - 1), less, 0.0) - 1) / MIN_MORE_LEFT


def _left(context: Context) -> Float64:
    """(N,) the same margins, or those of a peak between the steps before and behind."""
    level = _level(context)
    left = np.fmax(np.nan_to_num(context.signal("warp_residual")), LEAST_BENT_RESIDUAL)
    before, behind = left[1:-2] / left[:-3], left[2:-1] / left[3:]
    peak = np.pad((np.minimum(before, behind) - 1) / MIN_RESIDUAL_PEAK, (1, 2))
    peak = peak[: len(level)]  # of fewer than three rows
    return np.where(peak >= 1, np.fmax(level, peak), level)


def _mixed(context: Context, least: float) -> Mask:
    """(N,) rows that a mixture of other instants explains: it differs less than so much."""
    mixed = np.fmin(context.signal("blend_residual"), context.signal("blend_others"))
    return np.asarray(np.nan_to_num(mixed, nan=least) < least)


def _others(context: Context) -> Mask:
    """(N,) rows that are unlike their neighbours by something else."""
    other = relit(context) | bumped_rows(context) | damaged_rows(context)
    for name, most in (("structure_step", MAX_BENT_STEP), ("light_step", MAX_BENT_LIGHT)):
        step = np.abs(np.nan_to_num(context.signal(name)))
        other |= np.fmax(step, np.append(step[1:], 0)) > most
    darkest, brightest = (context.signal(f"luma_p{share}") for share in (1, 99))
    foreign = context.signal("unmatched") > np.fmax(brightest - darkest, LEAST_RANGE)
    other |= foreign
    other |= (seam_margin(context) >= MAX_BENT_SEAMS) | behind_repeats(context)
    other |= beside(ghost_rows(context))
    for tear in tears(context):
        other[max(0, tear.first - 1) : tear.stop + 1] = True
    return np.asarray(other)


def _segment(context: Context, margins: Float64, shown: Float64, rows: tuple[int, int]) -> Segment:
    frames, (first, last) = context.columns.frames, rows
    row = first + int(shown[first : last + 1].argmax())
    brief = brief_changes(context)
    if brief[row] == shown[row]:
        changed = first + np.flatnonzero(brief[first : last + 1] >= 1)
        said = _brief_words(context, (int(changed[0]), int(changed[-1])))
    else:
        said = _bent_words(context, margins, row)
    column = context.columns.signals["wobble"]
    return segment_of(
        *(frames, "wobble", column, shown, rows),
        *(confidence("warp", float(shown[row])), "warp"),
        evidence=said,
    )


def _bent_words(context: Context, margins: Float64, row: int) -> str:
    left = 1 + MIN_MORE_LEFT * float(margins[2, row])
    off = told(float(context.signal("wobble")[row]), "px")
    way = f"they leave their way by {off} and come back, " if margins[1, row] > 0 else ""
    return (
        f"places of frame {int(context.columns.frames.index[row])} lie elsewhere than before and"
        f" after: {way}{told(float(context.signal('unmatched')[row]))} code values are in neither"
        f" neighbour, and motion leaves {told(left)} times as much as usual"
    )


def _brief_words(context: Context, rows: tuple[int, int]) -> str:
    first, last = (int(context.columns.frames.index[row]) for row in rows)
    x, y, begins = (
        float(context.signal(name)[rows[0]]) for name in ("onset_x", "onset_y", "onset")
    )
    return (
        f"around {told(100 * x)} % of the width and {told(100 * y)} % of the height, frames {first}"
        f" to {last} are unlike those before and behind, and unlike each other: {told(begins)} code"
        " values that no motion explains begin there and are gone again"
    )
