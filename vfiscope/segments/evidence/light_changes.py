"""Rows at which the light of the whole frame changes, and what they are together.

Content that moves changes blocks each in its own way; light changes nearly all of them alike. So a
row counts where the median logarithm of the ratios of block luma is 2 % or more, most blocks went
the same way, and they went it about as far. Rows near each other are one story: a flicker
alternates, a ramp goes one way, and what is left are steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.context import context_of
from vfiscope.types import Float64

__all__ = [
    "LIGHT_CHANGE_SIGNALS",
    "MIN_LIGHT_CHANGE",
    "MIN_LIT_ALIKE",
    "LightChanges",
    "light_changes",
]

LIGHT_CHANGE_SIGNALS = ("light_step", "light_share", "light_spread")
MIN_LIGHT_CHANGE = 0.02
"""As a natural logarithm. Clean clips reach 0.016, in the dark."""
MIN_LIT_ALIKE = 0.6
"""Part of the blocks that must go the same way."""
MAX_LIGHT_SPREAD = 1.2
"""Interquartile range of the logarithms in parts of their median."""
MIN_FAINT_CHANGE = 0.4
"""Part of the usual change of a flicker that is enough for the first and the last one."""
MAX_FLICKER_GAP = 3
MIN_FLICKER_TURNS = 3
MIN_RAMP_ROWS = 3
"""Changes of one sign in a row that are a ramp and no step."""


@dataclass(frozen=True, eq=False)
class LightChanges:
    """What the light does in a run of N frames."""

    flickers: Sequence[tuple[int, int]]
    """(first, last) rows whose light alternates, both ends included."""
    steps: Sequence[int]
    """Rows at which the light steps, no flicker and no ramp."""
    flickering: np.ndarray
    """(N,) True in a flicker and within three rows of one."""


def light_changes(columns: Columns) -> LightChanges:
    """Those of a run, computed once."""
    return columns.share("light_changes", lambda: _found(columns))


def _found(columns: Columns) -> LightChanges:
    context = context_of(columns)
    step, share, spread = (context.signal(name) for name in LIGHT_CHANGE_SIGNALS)
    size = np.abs(step)
    alike = (share >= MIN_LIT_ALIKE) & (spread <= MAX_LIGHT_SPREAD * size)
    rows = np.flatnonzero((size >= MIN_LIGHT_CHANGE) & alike)
    flickers: list[tuple[int, int]] = []
    steps: list[int] = []
    for group in np.split(rows, np.flatnonzero(np.diff(rows) > MAX_FLICKER_GAP) + 1):
        turns = int((np.diff(np.sign(step[group])) != 0).sum()) if len(group) else 0
        if turns >= MIN_FLICKER_TURNS:
            first, last = _with_faint_ends(group, step, share)
            # The last change leads back to the usual light.
            flickers.append((first, last - 1))
        else:
            steps += _no_ramps(group, step)
    flickering = np.zeros(len(step), bool)
    for first, last in flickers:
        flickering[max(0, first - MAX_FLICKER_GAP) : last + 1 + MAX_FLICKER_GAP] = True
    return LightChanges(flickers, steps, flickering)


def _with_faint_ends(group: np.ndarray, step: Float64, share: Float64) -> tuple[int, int]:
    """The first and last change of a flicker, with those beside them that are too faint to count by
    themselves, and that go the other way by nearly as much as the others."""
    least = MIN_FAINT_CHANGE * float(np.median(np.abs(step[group])))
    clear = (np.abs(step) >= least) & (share >= MIN_LIT_ALIKE)
    first, last = int(group[0]), int(group[-1])
    while first > 1 and clear[first - 1] and step[first - 1] * step[first] < 0:
        first -= 1
    while last + 1 < len(step) and clear[last + 1] and step[last + 1] * step[last] < 0:
        last += 1
    return first, last


def _no_ramps(group: np.ndarray, step: Float64) -> Iterator[int]:
    """The rows of a group without those that go one way for several rows."""
    same = np.flatnonzero((np.diff(group) > 1) | (np.diff(np.sign(step[group])) != 0)) + 1
    for run in np.split(group, same):
        if 0 < len(run) < MIN_RAMP_ROWS:
            yield int(run[np.abs(step[run]).argmax()])
