"""Tears told by pixels: a part of a frame shows again what was there before, while the rest goes
on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vfiscope.segments.evidence.context import Context, shifted
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.repeats import repeated_rows
from vfiscope.segments.evidence.stand_out import relit, residual_ratio
from vfiscope.segments.evidence.torn_paces import (
    ENOUGH_TORN,
    MAX_NEW,
    MAX_SPLIT_OFF,
    MIN_PACE_MARGIN,
    MIN_STANDING,
    PACE_SIGNALS,
    pace_scores,
)
from vfiscope.types import Float64

__all__ = ["PIXEL_SIGNALS", "PixelTear", "delayed_tears", "standing_tears"]

SPLIT_SIGNALS = ("tear_contrast", "tear_share", "tear_lag", "tear_jump", "tear_jump_share")
PIXEL_SIGNALS = (*SPLIT_SIGNALS, "luma_mean", "light_step", "warp_residual", *PACE_SIGNALS[:5])
BESIDE_TEAR = (-6, -5, -4, -3, -2, 2, 3, 4, 5, 6)
MIN_TEAR_CONTRAST, MIN_TEAR_JUMP = 0.5, 0.35
"""Least contrast of a part that shows an earlier frame again, and logarithm of how much more one
changes that jumps."""
SAME_SPLIT, MAX_LINE_STEP = 0.1, 0.2
"""How far the splits of two rows may lie apart, and how far a line may wander from row to row."""
MIN_JUMP_LEFT = 1.1
"""What motion leaves where a part jumps, in terms of the usual."""
MIN_STAND, STANDS_ALONE = 1.1, 1.5
"""Logarithm of how much more changes on the other side of a part that stands, and how many times
the contrast around its own is."""
MIN_BIG_STEP = 0.25
"""Logarithm of how much more that part changes in the row beside, where it goes two steps."""
MAX_TORN_LIGHT = 0.01
"""Step of the light from which on frames may be alike for their light: flicker repeats itself."""
MAX_TORN_ROWS = 8


@dataclass(frozen=True)
class PixelTear:
    """Torn rows [first, stop)."""

    row: int
    """The first whose part shows what was there before: a torn one where that is too late, and the
    one behind the tear where the tear showed it too early."""
    first: int
    stop: int
    margin: float


@dataclass(frozen=True, eq=False)
class _Parts:
    """The signals of N rows of which one part differs from the other, and 0 where unknown."""

    contrast: Float64
    share: Float64
    lag: Float64
    jump: Float64
    jump_share: Float64
    light: Float64
    left: Float64
    """What motion leaves, in terms of the usual."""
    ahead: Float64
    rows: Float64
    split: Float64
    pace: Float64
    """How clearly motion tells of a tear that ended in the row before, in terms of enough."""

    def catches_up(self, row: int, share: float, lag: int) -> bool:
        """Whether motion tells that behind one torn row the part of that share goes further than
        the rest, by more than ``lag - 1`` steps."""
        if not 0 < row < len(self.rows):
            return False
        above = share if share > 0 else 1 + share
        far = self.ahead[row] * math.copysign(1, share) > lag - 1
        near = abs(self.split[row] - above) <= MAX_SPLIT_OFF
        return bool(far and near and self.rows[row] == 1 and self.pace[row] >= MIN_PACE_MARGIN)

    def jumps(self, row: int, share: float) -> bool:
        """Whether the part of that share jumps in a row: it changes more, or the rest less."""
        by_jump = self.jump_share[row] * share > 0 and self.jump[row] >= MIN_TEAR_JUMP
        apart = abs(self.jump_share[row] - share) if by_jump else math.inf
        if self.share[row] * share < 0 and self.contrast[row] >= MIN_TEAR_CONTRAST:
            apart = min(apart, abs(abs(self.share[row]) + abs(share) - 1))
        return bool(apart <= SAME_SPLIT)


def _parts_of(context: Context) -> _Parts:
    def compute() -> _Parts:
        known = (np.nan_to_num(context.signal(name)) for name in (*SPLIT_SIGNALS, "light_step"))
        contrast, share, lag, jump, jump_share, light = known
        left = residual_ratio(context)
        ahead, rows, split = (np.nan_to_num(context.signal(name)) for name in PACE_SIGNALS[:3])
        paces = (ahead, rows, split, pace_scores(context) / ENOUGH_TORN)
        return _Parts(contrast, share, lag, jump, jump_share, np.abs(light), left, *paces)

    return context.columns.share("tear_parts", compute)


def delayed_tears(context: Context) -> list[PixelTear]:
    """Those with rows that show, in one part, what was there two or more frames before them.

    A part that is k frames late shows k earlier frames once more. So it does behind a tear in which
    it came k frames too early. Where motion leaves most tells which of both it is: a late part
    jumps ahead behind those rows, and an early one did so before. If it is one row, that jump has
    its split, or motion tells how far the part catches up; if there are several, they tell by
    themselves. At the end of a clip nobody knows.
    """
    parts = _parts_of(context)
    share, lag = parts.share, parts.lag
    again = (parts.contrast >= MIN_TEAR_CONTRAST) & (lag > 1)
    goes_on = again[1:] & again[:-1] & (lag[1:] == lag[:-1]) & (share[1:] * share[:-1] > 0)
    goes_on &= np.abs(np.diff(share)) <= MAX_LINE_STEP
    firsts = np.flatnonzero(again & ~np.append(False, goes_on))
    stops = np.flatnonzero(again & ~np.append(goes_on, False)) + 1
    backs = lag[firsts].astype(np.intp)
    relit_before = np.append(0, np.cumsum(parts.light > MAX_TORN_LIGHT))
    told = (stops - firsts <= backs) & (backs <= firsts) & (stops < len(again))
    ends = np.minimum(stops + 1, len(again))
    told &= relit_before[ends] == relit_before[np.maximum(firsts - backs, 0)]
    found = []
    for first, stop in zip(firsts[told].tolist(), stops[told].tolist(), strict=True):
        margin = float(parts.contrast[first:stop].sum()) / MIN_TEAR_CONTRAST
        torn = _late_or_early(parts, first, stop, int(lag[first]))
        found += [PixelTear(first, *rows, margin) for rows in torn]
    return found


def _late_or_early(parts: _Parts, first: int, stop: int, lag: int) -> Iterator[tuple[int, int]]:
    """The torn rows, if rows show again what was there ``lag`` frames before: these themselves, or
    those that came too early; none where no part jumps. A tear of more rows than its lag shows new
    content in the others."""
    count, left = len(parts.left), parts.left
    longest = MAX_TORN_ROWS if stop - first == lag else 0
    ends = [*range(stop, min(stop + longest + 1, count))]
    begins = [*range(first - lag, max(-1, first - lag - longest - 1), -1)]
    if stop - first == 1:
        share = float(parts.share[first])
        if parts.catches_up(stop, share, lag):
            yield first, stop
            return
        ends, begins = ([row for row in rows if parts.jumps(row, share)] for rows in (ends, begins))
    end, begin = (max(rows, key=left.__getitem__, default=None) for rows in (ends, begins))
    late, early = (0.0 if row is None else left[row] for row in (end, begin))
    if end is not None and late >= max(early, MIN_JUMP_LEFT):
        yield first, end
    elif begin is not None and early >= MIN_JUMP_LEFT:
        yield begin, first if longest else begin + stop - first


def standing_tears(context: Context) -> list[PixelTear]:
    """Those whose part stands for one frame and goes two steps at once in the frame before, where
    it was early, or in the one behind, where it is late: nothing else stands around."""
    parts = _parts_of(context)
    share, jump, jump_share = parts.share, parts.jump, parts.jump_share
    around = np.max([shifted(parts.contrast, by) for by in BESIDE_TEAR], axis=0)
    whole = ~damaged_rows(context) & ~relit(context) & (parts.left <= MAX_NEW)
    whole &= ~repeated_rows(context)  # all of which stands, but for what a codec renews
    whole &= parts.light <= MAX_TORN_LIGHT
    stands = (parts.lag == 1) & (parts.contrast >= np.fmax(MIN_STANDING, STANDS_ALONE * around))
    stands &= (jump >= MIN_STAND) & (jump_share * share < 0) & whole
    found = []
    for row in np.flatnonzero(stands).tolist():
        for beside in (row - 1, row + 1):
            if not 0 < beside < len(share) or not whole[beside]:
                continue
            same = abs(jump_share[beside] - share[row]) <= SAME_SPLIT
            if same and jump_share[beside] * share[row] > 0 and jump[beside] >= MIN_BIG_STEP:
                margin = math.sqrt(parts.contrast[row] / MIN_STANDING * jump[row] / MIN_STAND)
                found.append(PixelTear(row, min(row, beside), max(row, beside), margin))
                break
    return found
