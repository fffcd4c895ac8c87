"""Tearing: frames a part of which, from the top or the bottom on, shows another instant."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of
from vfiscope.segments.evidence.torn_paces import (
    SURELY_TORN,
    PacedTear,
    paced_tears,
)
from vfiscope.segments.evidence.torn_pixels import (
    PIXEL_SIGNALS,
    PixelTear,
    delayed_tears,
    standing_tears,
)
from vfiscope.segments.rules import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Segment, counted

__all__ = ["TEAR_SIGNALS", "detect", "tears"]

TEAR_SIGNALS = PIXEL_SIGNALS
Tear = PacedTear | PixelTear


def detect(columns: Columns) -> list[Segment]:
    """The torn frames.

    A part falls behind the other one, or runs ahead of it, and comes back: the way that places go
    tells so (``torn_paces``), or pixels do, in which a part shows again what was there before while
    the other one goes on (``torn_pixels``). Damage and broken geometry, which change parts of a
    frame too, show what no other frame does.

    Args:
        columns: with the signals ``TEAR_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    return [_segment(columns, tear) for tear in tears(context)]


def tears(context: Context) -> list[Tear]:
    """In order of their rows; the row behind each is no other tear. None in runs that lack a
    signal."""
    if not all(name in context.columns.signals for name in TEAR_SIGNALS):
        return []
    return context.columns.share("tears", lambda: _all_tears(context))


def _all_tears(context: Context) -> list[Tear]:
    """Those whose late or early rows show it, and of those that motion and one frame that stands
    tell in turn, those that lie beside none of them."""
    bumped = bumped_rows(context)
    told: list[Tear] = [*delayed_tears(context)]
    told += (t for t in paced_tears(context) if t.margin >= SURELY_TORN or not bumped[t.first])
    told += standing_tears(context)
    found, taken = list[Tear](), np.zeros(len(bumped) + 1, bool)
    for tear in told:
        rows = slice(tear.first, tear.stop + 1)
        if not taken[rows].any():
            taken[rows] = True
            found.append(tear)
    return sorted(found, key=lambda tear: tear.first)


def _segment(columns: Columns, tear: Tear) -> Segment:
    contrast = columns.signals["tear_contrast"]
    words = (
        _pace_words(columns, tear) if isinstance(tear, PacedTear) else _repeat_words(columns, tear)
    )
    return segment_of(
        *(columns.frames, "tear_contrast", contrast, contrast, (tear.first, tear.stop - 1)),
        *(confidence("tearing", tear.margin), "tearing"),
        evidence=f"{words}; {told(tear.margin)} times what would be enough",
    )


def _pace_words(columns: Columns, tear: PacedTear) -> str:
    index = columns.frames.index
    ways = ("less", "more") if tear.behind > 0 else ("more", "less")
    return (
        f"the upper {told(100 * tear.split)} % of frame {int(index[tear.first])} goes"
        f" {told(abs(tear.behind))} usual steps {ways[0]} than the rest, and as many {ways[1]} at"
        f" frame {int(index[tear.stop])}"
    )


def _repeat_words(columns: Columns, tear: PixelTear) -> str:
    values, index = {name: columns.signals[name] for name in TEAR_SIGNALS}, columns.frames.index
    share = float(values["tear_share"][tear.row])
    where = "top" if share > 0 else "bottom"
    lag = int(values["tear_lag"][tear.row])
    return (
        f"{told(100 * abs(share))} % of frame {int(index[tear.row])}, at the {where}, shows what"
        f" was there {counted(lag, 'frame')} before, while the rest goes on (contrast"
        f" {told(float(values['tear_contrast'][tear.row]))} of 1), and jumps beside it"
    )
