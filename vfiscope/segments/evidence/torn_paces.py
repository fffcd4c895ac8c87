"""Tears told by motion: one part of a frame falls behind the other, and catches up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vfiscope.segments.evidence.context import Context, medians, shifted
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.stand_out import relit, residual_ratio
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64

__all__ = [
    "ENOUGH_TORN",
    "MAX_NEW",
    "MAX_SPLIT_OFF",
    "MIN_PACE_MARGIN",
    "MIN_STANDING",
    "PACE_SIGNALS",
    "SURELY_TORN",
    "PacedTear",
    "pace_scores",
    "paced_tears",
    "surely_torn",
]

PACE_SIGNALS = (
    *("tear_ahead", "tear_rows", "tear_split", "tear_explained", "tear_agreed"),
    *("tear_jump", "tear_jump_share", "tear_contrast", "tear_share", "warp_residual"),
)
MIN_AHEAD = 0.4
"""Steps by which a part must fall behind and catch up at least."""
ENOUGH_TORN, MIN_PACE_MARGIN = 0.35, 0.75
"""How well a tear explains the paces, and the least part of that."""
ALONE_SCORE, BESIDE_BEFORE, BESIDE_BEHIND = 3.0, range(-8, -1), range(6, 10)
"""How many times as much as the most in the rows before it and behind it. In those in between the
tear itself is seen in part."""
MAX_NEW = 2.2
"""What motion leaves of a change, in terms of the usual, in rows that show known instants only."""
LEAST_JUMP, JUMP_ABOVE, JUMP_BESIDE = 0.35, 0.15, (*range(-6, -1), *range(2, 7))
"""Logarithm of how much more one side changes, how far it is above the usual one at least, and the
rows that tell that."""
MAX_SPLIT_OFF = 0.15
"""How far the split that pixels show may be away."""
ENOUGH_CONTRAST, REPEAT_BEHIND = 0.7, 2
"""Contrast of a part that repeats an earlier instant, and rows behind the tear where it may."""
MIN_STANDING, ONE_FRAME_STEPS = 0.65, 1.5
"""Contrast of a part that stands, where an instant is one frame off: so many steps at most."""
MIN_STILL = 1.7
"""Logarithm of how much more changes on the other side of a part that changes by less than a tenth
of the usual: ln (1.1 / 0.2), as a tenth is added to both."""
MAX_PIXEL_MARGIN = 4.0
"""The most that what the pixels show counts for."""
CLEARLY_TORN, SURELY_TORN = 1.4, 1.5
"""Margin from which on it is a tear, as things that pass by each other come near it; and from which
on it is no bump, although most of the frame jumps."""


@dataclass(frozen=True)
class PacedTear:
    """Torn rows [first, stop)."""

    first: int
    stop: int
    behind: float
    """How many steps the part above the split falls behind in the first row, and catches up behind
    the last; negative where it runs ahead."""
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
    other part, and as many more (or less) where the tear ends; that explains the paces of most
    blocks, and nothing of the kind lies beside it, or the part that must stand for one frame hardly
    changes, which things that pass by do not make. All that such frames show is known, so motion
    explains it. The second evidence are pixels: one side changes more than the other, or repeats an
    earlier instant.
    """
    return context.columns.share("paced_tears", lambda: _paced(context))


def _paced(context: Context) -> list[PacedTear]:
    ahead, rows, split = (np.nan_to_num(context.signal(name)) for name in PACE_SIGNALS[:3])
    score = pace_scores(context)
    pace = score / ENOUGH_TORN
    stands = _stands_as_it_must(context)
    met = (np.abs(ahead) >= MIN_AHEAD) & (stands | (pace >= MIN_PACE_MARGIN))
    broken = relit(context) | damaged_rows(context) | (residual_ratio(context) > MAX_NEW)
    stops = np.flatnonzero(met)
    firsts = np.maximum(0, stops - rows[stops].astype(np.intp))
    beside = np.maximum(_most(score, BESIDE_BEFORE)[firsts], _most(score, BESIDE_BEHIND)[stops])
    alone = stands[stops] | (score[stops] >= ALONE_SCORE * beside)
    found = []
    for first, stop in zip(firsts[alone].tolist(), stops[alone].tolist(), strict=True):
        margin = math.sqrt(pace[stop] * _shown_by_pixels(context, split[stop], first, stop))
        far = abs(ahead[stop]) > ONE_FRAME_STEPS
        stood = far or _stands(context, split[stop], (first, stop))
        if margin >= CLEARLY_TORN and stood and not broken[first : stop + 1].any():
            found.append(PacedTear(first, stop, float(ahead[stop]), float(split[stop]), margin))
    return sorted(found, key=lambda tear: -tear.margin)


def _stands_as_it_must(context: Context) -> Mask:
    """(N,) True behind one torn row where the part hardly changes that must stand: in the torn row
    the one that falls behind, or in this row the one that ran ahead."""
    ahead, rows, split = (np.nan_to_num(context.signal(name)) for name in PACE_SIGNALS[:3])
    jump, share = (np.nan_to_num(context.signal(name)) for name in PACE_SIGNALS[5:7])
    still = np.where(jump >= MIN_STILL, np.sign(share), 0)
    at = np.nan_to_num(_split(context, "tear_jump_share"))

    def stands(by: int, way: int) -> Mask:
        near = np.abs(shifted(at, by) - split) < MAX_SPLIT_OFF
        return np.asarray((shifted(still, by) * ahead * way > 0) & near, bool)

    return np.asarray((rows == 1) & (stands(-1, -1) | stands(0, 1)), bool)


def pace_scores(context: Context) -> Float64:
    """(N,) how well a tear that ended in the row before explains the paces, 0..1: the part of their
    differences, as far as it is of a whole step and as far as more than every second block agrees.
    """

    def compute() -> Float64:
        size, explained, agreed = (
            np.nan_to_num(context.signal(f"tear_{name}"))
            for name in ("ahead", "explained", "agreed")
        )
        return explained * np.minimum(np.abs(size), 1) * np.clip(2 * agreed - 1, 0, 1)

    return context.columns.share("pace_scores", compute)


def _most(score: Float64, offsets: Iterable[int]) -> Float64:
    """(N,) the most in the rows at these offsets from each; 0 where there are none."""
    return np.asarray(np.max([shifted(score, by) for by in offsets], axis=0))


def _shown_by_pixels(context: Context, split: float, first: int, stop: int) -> float:
    """Margin of a jump at one of the ends of a tear, or of what repeats within or behind it."""
    jumps = context.columns.share("tear_jumps", lambda: _jumps(context))
    repeats = context.columns.share("tear_repeats", lambda: _repeats(context))
    within = range(first, min(stop + REPEAT_BEHIND + 1, len(repeats[0])))
    most = max(_most_at(split, *jumps, (first, stop)), _most_at(split, *repeats, within))
    return min(most, MAX_PIXEL_MARGIN)


def _stands(context: Context, split: float, rows: Iterable[int]) -> bool:
    """Whether a part of the frame stands in one of the rows."""
    repeats = context.columns.share("tear_repeats", lambda: _repeats(context))
    return _most_at(split, *repeats, rows) * ENOUGH_CONTRAST >= MIN_STANDING


def _jumps(context: Context) -> tuple[Float64, Float64]:
    """(N,) margins of how much more one side changes, and the splits between the sides."""
    jump = context.signal("tear_jump")
    usual = np.nan_to_num(medians(jump, JUMP_BESIDE))
    return jump / np.maximum(LEAST_JUMP, usual + JUMP_ABOVE), _split(context, "tear_jump_share")


def _repeats(context: Context) -> tuple[Float64, Float64]:
    """(N,) margins of a part that repeats an earlier instant, and the splits below or above it."""
    return context.signal("tear_contrast") / ENOUGH_CONTRAST, _split(context, "tear_share")


def _split(context: Context, name: str) -> Float64:
    """(N,) the part of the frame above the split of a part, which is negative at the bottom."""
    share = context.signal(name)
    with np.errstate(invalid="ignore"):
        return np.where(share > 0, share, 1 + share)


def _most_at(split: float, margins: Float64, splits: Float64, rows: Iterable[int]) -> float:
    """The largest of the margins in these rows whose split is that one; 0 where there is none."""
    near = (margins[row] for row in rows if abs(splits[row] - split) < MAX_SPLIT_OFF)
    return float(max((each for each in near if each > 0), default=0.0))
