"""Flicker: synthesised frames of another brightness or colour than the originals between them.

Where roles are known, the usual level of the synthesised frames around a row is compared with that
of the passed frames around it. Where they are not, every frame is compared with its own neighbours,
and one that differs by x differs from them by -x when it is compared in turn: flicker then shows as
a difference of the same sign in one frame of every P, several times in a row.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.segments.detector import Columns
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.store import headline_role, rows_of
from vfiscope.types import Float64, FrameTable, Segment

__all__ = ["detect"]

MIN_LEVEL_APART = 1.0
"""Least difference of levels that flickers, in 8-bit code values. Rounding and compression leave up
to 0.5 in luma and 0.2 in colour."""
LEVEL_WINDOW_FRAMES = 9
"""Frames of a role whose median is its level around a row."""
MIN_LEVEL_FRAMES = 5
"""Fewest synthesised frames that have a level."""
FLICKER_CYCLES = range(2, 9)
"""Frames from one original to the next, where roles are unknown."""
MIN_FLICKER_CYCLES = 5
"""Cycles in a row that must show the same difference; fewer are flashes."""
MAX_BETWEEN_SHARE = 0.75
"""Largest difference of the same sign between them, in parts of theirs."""


def detect(columns: Columns) -> list[Segment]:
    """The stretches of flicker in luma and in colour."""
    frames, role = columns.frames, headline_role(columns.frames)
    found = []
    for name, component in zip(LEVEL_METRICS, ("luma", "Cb", "Cr"), strict=True):
        values = np.asarray(columns.scores[name], np.float64)
        if role == "all":
            stretches, apart = _alternating(values), values
            badness = np.abs(values)
            whose = "the frames between them"
        else:
            made = rows_of(frames, role)
            apart = np.where(made, _against_passed(frames, values, made), np.nan)
            met = np.abs(apart) >= MIN_LEVEL_APART
            stretches = iter(spans(met & made, ~made))
            badness = np.where(made, np.abs(values), np.nan)
            whose = "the originals between them"
        for rows in stretches:
            inside = apart[rows[0] : rows[1] + 1]
            most = float(inside[np.nanargmax(np.abs(inside))])
            side, frames_of = ("above" if most > 0 else "below"), role.replace("all", "some")
            said = (
                f"{component} of {frames_of} frames is up to {told(abs(most))} code values {side}"
                f" that of {whose}, again and again; {told(MIN_LEVEL_APART)} would be enough"
            )
            found.append(
                segment_of(
                    *(frames, name, values, badness, rows, 1.0, "flicker"),
                    role=role,
                    evidence=said,
                )
            )
    return found


def _against_passed(frames: FrameTable, values: Float64, made: NDArray[np.bool_]) -> Float64:
    """(N,) level of the synthesised frames around each row less that of the passed ones."""
    passed = rows_of(frames, "passed")
    own, other = _level(values, made), _level(values, passed)
    return own - np.nan_to_num(other)


def _level(values: Float64, mine: NDArray[np.bool_]) -> Float64:
    """(N,) median of the frames of a role around each row; NaN where there are too few."""
    rows = np.flatnonzero(mine & np.isfinite(values))
    if len(rows) < MIN_LEVEL_FRAMES:
        return np.full(len(values), np.nan)
    size = min(LEVEL_WINDOW_FRAMES, len(rows))
    medians = np.median(sliding_window_view(values[rows], size), axis=1)
    place = np.searchsorted(rows, np.arange(len(values))) - size // 2
    return np.asarray(medians[place.clip(0, len(medians) - 1)], np.float64)


def _alternating(values: Float64) -> Iterator[tuple[int, int]]:
    """Stretches (first, last) of frames that differ from their neighbours in one of every P rows,
    for the shortest such P."""
    for cycle in FLICKER_CYCLES:
        found = [
            rows
            for phase in range(cycle)
            for sign in (1, -1)
            for rows in _same_sign(sign * values, phase, cycle)
        ]
        if found:
            first, last = min(found)
            for start, stop in sorted(found):  # those of both signs overlap
                if start > last:
                    yield first, last
                    first = start
                last = max(last, stop)
            yield first, last
            return


def _same_sign(values: Float64, phase: int, cycle: int) -> Iterator[tuple[int, int]]:
    """Stretches of rows of a phase that are brighter, while the rows between them are not."""
    rows = np.arange(phase, len(values), cycle)
    nothing = np.full(cycle, -np.inf)
    padded = np.r_[nothing, np.nan_to_num(values, nan=-np.inf), nothing]
    around = sliding_window_view(padded, 2 * cycle - 1)[rows + 1]
    between = np.delete(around, cycle - 1, axis=1)
    own = np.nan_to_num(values[rows], nan=-np.inf)
    met = (own >= MIN_LEVEL_APART) & (between.max(axis=1) <= MAX_BETWEEN_SHARE * own)
    for first, last in spans(met, np.zeros(len(rows), bool)):
        if last - first + 1 >= MIN_FLICKER_CYCLES:
            yield int(rows[first]), int(rows[last])
