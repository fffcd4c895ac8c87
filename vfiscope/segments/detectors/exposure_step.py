"""Steps of the exposure of a video, for good or for a while.

A step is one change of the light of the whole frame (:mod:`.light_changes`), well above what the
light does around it, in a scene whose structure stays. Two opposite ones of a size within some
seconds are one segment, from the first to the second; a single one is a segment of one frame. Ramps
are none, nor are flashes, flicker, fades and cuts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfiscope.segments.detectors.context import chance, context_of, medians
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.fade import fades
from vfiscope.segments.detectors.flash import FLASH_SIGNALS, flashes
from vfiscope.segments.detectors.light_changes import light_changes
from vfiscope.segments.evidence import told
from vfiscope.segments.spans import segment_of
from vfiscope.types import Float64, Segment

__all__ = ["EXPOSURE_SIGNALS", "detect"]

EXPOSURE_SIGNALS = ("structure_step", "luma_std", *FLASH_SIGNALS)
MIN_EXPOSURE_STEP = 0.035
"""As a natural logarithm."""
EXPOSURE_TIMES_USUAL = 8.0
"""The same as a multiple of the usual change of the light."""
MAX_EXPOSURE_STRUCTURE = 0.25
MAX_RETURN_ROWS = 120
MAX_RETURN_APART = 0.3
"""Difference of two opposite steps, in parts of the first."""
EXPOSURE_AROUND = (*range(-8, 0), *range(1, 9))


def detect(columns: Columns) -> list[Segment]:
    """The steps of exposure, in order.

    Beside a golden frame the detector ``exposure`` knows more, and this one is silent.

    Args:
        columns: with the signals of :data:`EXPOSURE_SIGNALS`.
    """
    context = context_of(columns)
    if not context.is_video or "light_red" in columns.signals:
        return []
    light, structure = context.signal("light_step"), context.signal("structure_step")
    usual = medians(np.abs(light), EXPOSURE_AROUND)
    enough = np.maximum(MIN_EXPOSURE_STEP, EXPOSURE_TIMES_USUAL * np.nan_to_num(usual))
    taken = _taken(columns)
    steps = [
        row
        for row in light_changes(columns).steps
        if abs(light[row]) >= enough[row]
        and not structure[row] > MAX_EXPOSURE_STRUCTURE
        and not taken[row]
    ]
    badness = np.nan_to_num(np.abs(light))
    return [
        segment_of(
            *(columns.frames, "light_step", light, badness, (first, last)),
            chance(abs(light[first]) / enough[first], 0.8, 0.15),
            "exposure",
            evidence=_said(light, first, last, float(enough[first])),
        )
        for first, last in _paired(steps, light)
    ]


def _taken(columns: Columns) -> np.ndarray:
    """(N,) True where a flash or a fade tells what the light does."""
    taken = np.zeros(len(columns.frames), bool)
    for flash in flashes(columns):
        taken[flash.first : flash.last + 2] = True
    for fade in fades(columns):
        taken[fade.first : fade.last + 2] = True
    return taken


def _paired(steps: Sequence[int], light: Float64) -> list[tuple[int, int]]:
    """(first, last) rows: from a step to before the one that undoes it, else its own row."""
    found: list[tuple[int, int]] = []
    left = list(steps)
    while left:
        first = left.pop(0)
        undone = bool(left) and left[0] - first <= MAX_RETURN_ROWS
        if undone and abs(light[first] + light[left[0]]) <= MAX_RETURN_APART * abs(light[first]):
            found.append((first, left.pop(0) - 1))
        else:
            found.append((first, first))
    return found


def _said(light: Float64, first: int, last: int, enough: float) -> str:
    size = 100 * (np.exp(light[first]) - 1)
    side = "brighter" if size > 0 else "darker"
    stays = "from it on" if last == first else f"for {last - first + 1} frames"
    return (
        f"the whole frame is {told(abs(size))} % {side} than the frame before, {stays};"
        f" {told(100 * enough)} % would be enough"
    )
