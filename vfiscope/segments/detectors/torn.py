"""Tearing: frames a part of which, from the top or the bottom on, shows another instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of, medians
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.stand_out import impulse_margin, relit
from vfiscope.segments.evidence.torn_paces import (
    ENOUGH_TORN,
    MIN_PACE_MARGIN,
    PACE_SIGNALS,
    SURELY_TORN,
    PacedTear,
    pace_scores,
    paced_tears,
)
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment, counted

__all__ = ["TEAR_SIGNALS", "detect", "tears"]

TEAR_SIGNALS = (
    *("tear_contrast", "tear_share", "tear_lag", "tear_jump", "tear_jump_share"),
    *("impulse", "luma_mean", "warp_residual", *PACE_SIGNALS[:5]),
)
BESIDE_TEAR = (-6, -5, -4, -3, -2, 2, 3, 4, 5, 6)
MIN_TEAR_CONTRAST, MORE_CONTRAST = 0.5, 0.35
"""Least contrast of a repeated part, and how much more than around."""
MIN_TEAR_JUMP, MORE_JUMP = 0.35, 0.15
"""The same for the logarithm of how much more it jumps."""
MIN_REPEAT, MIN_CAUGHT_UP, MIN_ALONE, MIN_OWN = 0.75, 0.6, 1.5, 0.3
"""Least margins of an older part: of the contrast, of the jump behind it, of what only the frame
before shows, and of what only the torn frame shows, being older than its neighbours."""
MIN_LAST_REPEAT, MIN_LAST_JUMP, MAX_USUAL_CONTRAST = 1.4, 1.2, 0.35
"""Where a part repeats the last frame: least margins, and most of the usual contrast."""
SAME_SHARE, SHARE_PER_ROW = 0.25, 0.06
"""By how much the part that repeats and the one that jumps may differ: lines of tears wander."""
MAX_TORN_ROWS = 8


@dataclass(frozen=True)
class Tear:
    """Torn rows [first, stop)."""

    row: int
    """The one whose part repeats an earlier instant."""
    first: int
    stop: int
    margin: float
    paced: PacedTear | None = None
    """Where motion tells it."""


def detect(columns: Columns) -> list[Segment]:
    """The torn frames.

    A part falls behind the other one, or runs ahead of it, and comes back (``torn_paces``).

    Or only pixels show it: a part of a frame repeats an earlier instant while the other part goes
    on. And the same part jumps, when it catches up behind the torn frame, or before it where it was
    ahead; or, where the instant is an older one, the frame before is alone in what it shows there.
    Damage and broken geometry, which change parts of a frame too, show what no other frame does.

    Args:
        columns: with the signals ``TEAR_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    found, free = [], 0
    for tear in tears(context):
        if tear.first >= free:
            free = tear.stop + 1
            found.append(_segment(columns, tear))
    return found


def tears(context: Context) -> list[Tear]:
    """In order of their rows; the row behind each is no other tear. None in runs that lack a
    signal."""
    if not all(name in context.columns.signals for name in TEAR_SIGNALS):
        return []
    return context.columns.share("tears", lambda: _all_tears(context))


def _all_tears(context: Context) -> list[Tear]:
    """Those that motion tells, and of the others those that lie beside none of them."""
    found: list[Tear] = []
    bumped = bumped_rows(context)
    told_by_motion = [
        Tear(each.first, each.first, each.stop, each.margin, each)
        for each in paced_tears(context)
        if each.margin >= SURELY_TORN or not bumped[each.first]
    ]
    for tear in (*told_by_motion, *_repeating_tears(context)):
        if all(tear.first > each.stop or tear.stop < each.first for each in found):
            found.append(tear)
    return sorted(found, key=lambda tear: tear.first)


def _repeating_tears(context: Context) -> list[Tear]:
    contrast, share, lag, jump, jumped = (context.signal(name) for name in TEAR_SIGNALS[:5])
    repeats = _margin(contrast, MIN_TEAR_CONTRAST, MORE_CONTRAST)
    jumps = _margin(jump, MIN_TEAR_JUMP, MORE_JUMP)
    own = impulse_margin(context)
    alone = np.append(0, own[:-1])
    whole = ~damaged_rows(context) & ~relit(context)
    older = (lag > 1) & (repeats >= MIN_REPEAT) & (alone >= MIN_ALONE) & (own >= MIN_OWN) & whole
    steady = np.nan_to_num(medians(contrast, BESIDE_TEAR)) < MAX_USUAL_CONTRAST
    last = (lag == 1) & (repeats >= MIN_LAST_REPEAT) & (np.fmax(alone, own) < 1) & steady & whole
    found: list[Tear] = []
    for row in np.flatnonzero(older | last).tolist():
        if found and row <= found[-1].stop:
            continue
        sides, least = ((1,), MIN_CAUGHT_UP) if older[row] else ((1, -1), MIN_LAST_JUMP)
        ends = [_jump_of(row, side, (share, repeats, lag), (jumped, jumps)) for side in sides]
        strength, end = max(((float(jumps[e]), e) for e in ends if e is not None), default=(0, 0))
        if strength >= least and (older[row] or _comes_back(context, min(row, end), max(row, end))):
            lone = alone[row] / MIN_ALONE if older[row] else 1.0
            margin = float(np.sqrt(repeats[row] * strength * np.sqrt(lone)))
            found.append(Tear(row, min(row, end), max(row, end), margin))
    return found


def _comes_back(context: Context, first: int, stop: int) -> bool:
    """Whether motion tells of a tear at these rows too, if less clearly."""
    rows = context.signal("tear_rows")[stop]
    shown = pace_scores(context)[stop] / ENOUGH_TORN
    return bool(rows == stop - first and shown >= MIN_PACE_MARGIN)


def _margin(values: Float64, least: float, more: float) -> Float64:
    usual = np.nan_to_num(medians(values, BESIDE_TEAR))
    return np.asarray(np.nan_to_num(values / np.maximum(least, usual + more)), np.float64)


def _jump_of(
    row: int,
    side: int,
    repeated: tuple[Float64, Float64, Float64],
    jumped: tuple[Float64, Float64],
) -> int | None:
    """The row on a side where the part that repeats at a row jumps; in between it repeats too, or
    shows what nobody saw before, for as many rows as it lags behind.

    Args:
        row: a torn one.
        side: 1 for behind, -1 for before.
        repeated: parts of the frame, margins, lags.
        jumped: parts of the frame, margins.
    """
    share, repeats, lag = repeated
    silent = 0
    for end in range(row + side, row + side * (1 + MAX_TORN_ROWS), side):
        if not 0 <= end < len(share):
            return None
        off = abs(jumped[0][end] - share[row])
        alike = share[end] * share[row] > 0
        if jumped[1][end] >= MIN_CAUGHT_UP and off <= SAME_SHARE + SHARE_PER_ROW * abs(end - row):
            return end
        silent += not (repeats[end] >= MIN_CAUGHT_UP and alike)
        if silent >= lag[row]:
            return None
    return None


def _segment(columns: Columns, tear: Tear) -> Segment:
    contrast = columns.signals["tear_contrast"]
    said = _repeat_words(columns, tear) if tear.paced is None else _pace_words(columns, tear.paced)
    badness = np.nan_to_num(np.asarray(contrast, np.float64))
    return segment_of(
        *(columns.frames, "tear_contrast", contrast, badness, (tear.first, tear.stop - 1)),
        *(confidence("tearing", tear.margin), "tearing"),
        evidence=f"{said}; {told(tear.margin)} times what would be enough",
    )


def _pace_words(columns: Columns, tear: PacedTear) -> str:
    index = columns.frames.index
    ways = ("less", "more") if tear.behind > 0 else ("more", "less")
    return (
        f"the upper {told(100 * tear.split)} % of frame {int(index[tear.first])} goes"
        f" {told(abs(tear.behind))} usual steps {ways[0]} than the rest, and as many {ways[1]} at"
        f" frame {int(index[tear.stop])}"
    )


def _repeat_words(columns: Columns, tear: Tear) -> str:
    values, index = {name: columns.signals[name] for name in TEAR_SIGNALS}, columns.frames.index
    share = float(values["tear_share"][tear.row])
    where = "top" if share > 0 else "bottom"
    lag = int(values["tear_lag"][tear.row])
    return (
        f"{told(100 * abs(share))} % of frame {int(index[tear.row])}, at the {where}, shows what"
        f" was there {counted(lag, 'frame')} before, while the rest goes on (contrast"
        f" {told(float(values['tear_contrast'][tear.row]))} of 1), and jumps beside it"
    )
