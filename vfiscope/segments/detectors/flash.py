"""Flashes: a few frames that are brighter than those before and those after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.fade import FADE_SIGNALS, fades
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of, medians
from vfiscope.segments.evidence.light_changes import (
    LIGHT_CHANGE_SIGNALS,
    MIN_LIGHT_CHANGE,
    MIN_LIT_ALIKE,
    light_changes,
)
from vfiscope.segments.spans import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["FLASH_SIGNALS", "Flash", "detect", "flashes"]

FLASH_SIGNALS = (*FADE_SIGNALS, *LIGHT_CHANGE_SIGNALS)
MAX_FLASH_ROWS = 4
FLASH_SIDE = 2 * MAX_FLASH_ROWS + 1
"""Rows on either side whose median is the usual light: a flash is less than half of them."""
MIN_FLASH = 5.0
"""Code values of mean luma above the brighter side."""
FLASH_TIMES_USUAL = 6.0
"""The same as a multiple of the usual step of mean luma."""
MIN_FLASH_RISE = 0.6
"""Part of it that must come within one frame."""
LEFT_FLASH = 0.2
"""Part of it down to which what follows still belongs to it."""
MAX_FLASH_SIDES = 0.5
"""Difference of both sides, in parts of it: the light returns."""


@dataclass(frozen=True)
class Flash:
    """Rows [first, last], both included."""

    first: int
    last: int
    rise: float
    """Code values above the brighter side, at the brightest row."""
    margin: float
    """That as a multiple of what would be enough."""


def detect(columns: Columns) -> list[Segment]:
    """The flashes of a video, at most four frames each.

    Mean luma jumps up within one frame and is back soon. Blocks whose light can be told go the same
    way; where a frame is so bright that none can, mean luma alone tells. What alternates is
    flicker, and the white middle of a fade is none.

    Beside a golden frame the detector ``exposure`` knows more, and this one is silent, as it is for
    images whose times nobody knows: how long photos of a time-lapse were so bright is not known.

    Args:
        columns: with the signals of :data:`FLASH_SIGNALS`.
    """
    luma = context_of(columns).signal("luma_mean")
    return [
        segment_of(
            *(columns.frames, "luma_mean", luma, luma, (flash.first, flash.last)),
            confidence("flash", flash.margin),
            "flash",
            evidence=f"mean luma is {told(flash.rise)} code values above that of the {FLASH_SIDE}"
            f" frames before and behind, and {told(flash.rise / flash.margin)} would be enough",
        )
        for flash in flashes(columns)
    ]


def flashes(columns: Columns) -> list[Flash]:
    """Those of a run, computed once; none where it is no video."""
    return columns.share("flashes", lambda: _found(columns))


def _found(columns: Columns) -> list[Flash]:
    context = context_of(columns)
    if not context.is_video or not columns.timed or "light_red" in columns.signals:
        return []
    luma, light = context.signal("luma_mean"), context.signal("light_step")
    step = np.diff(luma, prepend=np.nan)
    quiet = ~light_changes(columns).flickering
    alike = np.isnan(light) | (light >= MIN_LIGHT_CHANGE) & (
        context.signal("light_share") >= MIN_LIT_ALIKE
    )
    rows = np.flatnonzero((step >= MIN_FLASH_RISE * MIN_FLASH) & quiet & alike)
    before = medians(luma, range(-FLASH_SIDE, 0), rows)
    after = medians(luma, range(1, FLASH_SIDE + 1), rows)
    around = [*range(-FLASH_SIDE, 0), *range(1, FLASH_SIDE + 1)]
    usual = medians(np.abs(step), around, rows)
    enough = np.maximum(MIN_FLASH, FLASH_TIMES_USUAL * usual)
    found: list[Flash] = []
    for row, *sides, least in np.stack([rows, before, after, enough], axis=1).tolist():
        flash = _flash(luma, int(row), max(sides), least)
        back = abs(sides[1] - sides[0]) <= MAX_FLASH_SIDES * flash.rise
        if back and flash.margin >= 1 and flash.last - flash.first < MAX_FLASH_ROWS:
            sudden = step[flash.first] >= MIN_FLASH_RISE * flash.rise
            within = any(f.first <= flash.first and flash.last < f.last for f in fades(columns))
            if sudden and not within and not (found and flash.first <= found[-1].last):
                found.append(flash)
    return found


def _flash(luma: Float64, row: int, level: float, least: float) -> Flash:
    """The flash that begins at a row, above this level."""
    above = luma[row : row + FLASH_SIDE] - level
    lit = above > LEFT_FLASH * above[0]
    last = row + (int(np.argmin(lit)) or len(lit)) - 1
    rise = float(above[: last + 1 - row].max())
    return Flash(row, last, rise, rise / least)
