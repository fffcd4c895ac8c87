"""Things that appear at once, and things that are gone at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.regular import regular_of
from vfiscope.segments.evidence.brief_changes import same_place
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of, shifted
from vfiscope.segments.evidence.held import patterns_of
from vfiscope.segments.evidence.repeats import REPEAT_SIGNALS, repeats_of
from vfiscope.segments.evidence.stand_out import above_sides, impulse_margin
from vfiscope.segments.spans import Mask, segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["EXPLAINED_BY", "ONSET_SIGNALS", "detect", "for_good"]

ONSET_SIGNALS = tuple(
    dict.fromkeys(("onset", "onset_x", "onset_y", "light_step", "impulse", *REPEAT_SIGNALS))
)
EXPLAINED_BY = (
    *("cut", "fade", "black", "flash", "exposure", "duplicate", "freeze", "drop"),
    *("blur", "ghosting", "tearing", "warp", "corruption", "shift"),
)
"""Kinds that change all of the frame, or what it shows of time."""
MIN_ONSET_CODES, USUAL_ONSETS = 20.0, 8.0
"""How far an onset stands out: code values, and usual departures around it."""
MAX_ONSET_STRUCTURE, MAX_ONSET_LIGHT = 0.2, 0.03
"""Above them the whole frame is another one, or in another light."""
MAX_SEEN_ROWS = 75
"""Rows within which what has begun may end."""


def detect(columns: Columns) -> list[Segment]:
    """What appears and is gone again, up to the frame without it; and one frame where something
    appears, or is gone, for good.

    Blocks differ from the frame before, brought along its motion, and not from the next one; and by
    more than around. What only one frame has is damage or a bend; where the camera, the light or
    the shot changes, all of the frame does. Silent beside a golden frame, by which the detector
    ``change`` knows better, and beside a reference or a source, which may show the same.

    Args:
        columns: with the signals ``ONSET_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video or not columns.looks_back:
        return []
    margins = _margins(context)
    return [_segment(context, margins, row, end) for row, end in _onsets(context, margins)]


def for_good(columns: Columns) -> list[int]:
    """The rows at which something appears, or is gone, and stays so."""
    context = context_of(columns)
    return [row for row, end in _onsets(context, _margins(context)) if end is None]


def _onsets(context: Context, margins: Float64) -> Iterator[tuple[int, int | None]]:
    """The row at which each begins, and the one at which it is gone; None where it stays."""
    ended = -1
    for row in np.flatnonzero(margins >= 1).tolist():
        if row > ended:
            end = _end(context, margins, row)
            ended = row if end is None else end
            yield row, end


def _margins(context: Context) -> Float64:
    """(N,) how clearly something begins, in terms of what is enough; 0 where it is something
    else."""
    excess, usual = above_sides(context.signal("onset"))
    margin = excess / np.maximum(MIN_ONSET_CODES, USUAL_ONSETS * usual)
    structure, light = context.signal("structure_step"), context.signal("light_step")
    whole = (structure > MAX_ONSET_STRUCTURE) | (np.abs(light) > MAX_ONSET_LIGHT)
    lone = (impulse_margin(context) >= 1).astype(np.float64)
    single = lone + shifted(lone, -1) + shifted(lone, 1) > 0
    return np.where(whole | single | _before_repeats(context.columns), 0.0, margin)


def _before_repeats(columns: Columns) -> Mask:
    """(N,) True where the next frame is this one again, and so tells nothing."""
    count = len(columns.frames)
    rows = np.zeros(count + 1, bool)
    for repeat in repeats_of(columns):
        rows[repeat.first : repeat.last + 1] = True
    for pattern in (*patterns_of(columns), *regular_of(columns)):
        rows[list(pattern.repeats)] = True
        if pattern.last + pattern.period >= count - 1:
            # A cycle that the end of the run cuts short is of the pattern too.
            following = np.array(pattern.repeats) + pattern.period
            rows[following[following < count]] = True
    return rows[1:]


def _end(context: Context, margins: Float64, row: int) -> int | None:
    """The row at which what begins at one is gone; None where it stays."""
    rows: NDArray[np.intp] = np.flatnonzero(margins[row + 1 : row + 1 + MAX_SEEN_ROWS] >= 1)
    ends = (rows + row + 1).tolist()
    return next((end for end in ends if same_place(context, row, end)), None)


def _segment(context: Context, margins: Float64, row: int, end: int | None) -> Segment:
    columns, index = context.columns, context.columns.frames.index
    strength, x, y = (float(context.signal(name)[row]) for name in ONSET_SIGNALS[:3])
    until = "stays so" if end is None else f"is as before from frame {int(index[end])} on"
    said = (
        f"from frame {int(index[row])} on the frame shows something else around {told(100 * x)} %"
        f" of its width and {told(100 * y)} % of its height, by {told(strength)} code values that"
        f" no motion explains ({told(float(margins[row]))} times what would be enough), and {until}"
    )
    column = columns.signals["onset"]
    badness = np.nan_to_num(np.asarray(column, np.float64))
    return segment_of(
        *(columns.frames, "onset", column, badness, (row, row if end is None else end - 1)),
        *(confidence("change", float(margins[row])), "change"),
        evidence=said,
    )
