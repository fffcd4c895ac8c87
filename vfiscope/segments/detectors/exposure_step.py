"""Steps of the exposure of a video, for good or for a while.

A step of brightness is one change of the light of the whole frame (:mod:`.light_changes`), well
above what the light does around it, in a scene whose structure stays. Two opposite ones of a size
within some seconds are one segment, from the first to the second; a single one is a segment of one
frame. Ramps are none, nor are flashes, flicker, fades, dissolves and cuts.

A step of white balance leaves brightness: red or blue changes against green in one frame and stays.
So does a coloured thing that appears, but that changes some blocks by very much, and the frame as a
whole by little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.black import black_rows
from vfiscope.segments.detectors.fade import fades
from vfiscope.segments.detectors.flash import flashes
from vfiscope.segments.detectors.gradual import GRADUAL_SIGNALS, gradual_rows
from vfiscope.segments.detectors.shot_cut import ALONE_TIMES
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of, medians, shifted
from vfiscope.segments.evidence.light_changes import light_changes
from vfiscope.segments.spans import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["EXPOSURE_SIGNALS", "detect"]

MIN_EXPOSURE_STEP = 0.035
"""As a natural logarithm."""
EXPOSURE_TIMES_USUAL = 8.0
"""The same as a multiple of the usual change of the light."""
MAX_EXPOSURE_STRUCTURE = 0.25
MIN_STAY_ROWS = 3
"""Rows in another light that show that it stays."""
MAX_RETURN_ROWS = 120
MAX_RETURN_APART = 0.3
"""Difference of two opposite steps, in parts of the first."""
MIN_BALANCE_STEP = 0.03
"""As a natural logarithm. Clean clips reach 0.022, in the dark."""
BALANCE_SIGNALS = ("red_balance", "blue_balance")
MIN_BALANCE_KEPT = 0.6
"""Part of a step of white balance that must still be there in the frames behind it."""
MAX_TINT_SPREAD = 0.3
"""Interquartile range of the steps of luma that it adds, as a part of it: three tenths of luma are
red, and few places are of one colour."""
BALANCE_ALONE_ROWS = 3
"""Rows on either side in which nothing may be a third of a step of white balance."""
MIN_EVERYWHERE = 0.5
"""What a step adds to the mean change, as a part of what it adds to the most changed blocks."""
MIN_TOLD_LUMA = 8.0
"""Mean luma below which a frame is nearly black: a title, a lamp."""
NEAR_BLACK_ROWS = 2
EXPOSURE_SIGNALS = (*BALANCE_SIGNALS, *GRADUAL_SIGNALS)
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
    light, structure = context.signal("light_step"), context.signal("shot_step")
    taken = _taken(columns)
    rows = np.array(light_changes(columns).steps, np.intp)
    usual = np.nan_to_num(medians(np.abs(light), EXPOSURE_AROUND, rows))
    least = np.maximum(MIN_EXPOSURE_STEP, EXPOSURE_TIMES_USUAL * usual)
    clear = (np.abs(light[rows]) >= least) & ~taken[rows]
    clear &= ~(structure[rows] > MAX_EXPOSURE_STRUCTURE)
    steps = rows[clear].tolist()
    enough = dict(zip(steps, least[clear].tolist(), strict=True))
    badness = np.nan_to_num(np.abs(light))
    stepped = [
        segment_of(
            *(columns.frames, "light_step", light, badness, (first, last)),
            confidence("exposure", abs(light[first]) / enough[first]),
            "exposure",
            evidence=_said(light, first, last, enough[first]),
        )
        for first, last in _paired(steps, light)
        if last > first or _can_stay(first, len(light))
    ]
    for row in steps:
        taken[row - 1 : row + 2] = True
    return sorted([*stepped, *_tinted(columns, taken)], key=lambda each: each.start)


def _can_stay(row: int, count: int) -> bool:
    """Whether enough of so many rows follow: at the end of a clip a flash may begin, or a fade."""
    return row + MIN_STAY_ROWS <= count


def _tinted(columns: Columns, taken: NDArray[np.bool_]) -> list[Segment]:
    """The steps of white balance. Most show in red and in blue: each is told by the first of them,
    and so is its return, which may be clear in the other one only."""
    found: dict[int, tuple[str, float]] = {}
    for name in BALANCE_SIGNALS:
        for row, least in _balance_steps(columns, name, taken).items():
            if not any(near in found for near in range(row - 1, row + 2)):
                found[row] = name, least
    left, said = sorted(found), []
    while left:
        first = left.pop(0)
        name, least = found[first]
        step = _balance_step(columns, name)
        _, last = _paired([first, *left[:1]], step)[0]
        if left and left[0] == last + 1 > first + 1:
            left.pop(0)
        if last > first or _can_stay(first, len(step)):
            said.append(_tint(columns, name, (first, last), float(step[first]), least))
    return said


def _balance_step(columns: Columns, name: str) -> Float64:
    """(N,) the step of the logarithm of a balance, 0 where it is not known."""
    value = np.log(np.maximum(context_of(columns).signal(name), 1e-3))
    return np.nan_to_num(np.diff(value, prepend=np.nan))


def _balance_steps(columns: Columns, name: str, taken: NDArray[np.bool_]) -> dict[int, float]:
    """{row that is not taken and at which a balance steps: what would be enough}."""
    context = context_of(columns)
    structure, step = context.signal("shot_step"), _balance_step(columns, name)
    value = np.log(np.maximum(context.signal(name), 1e-3))
    rows = np.flatnonzero((np.abs(step) >= MIN_BALANCE_STEP) & ~taken)
    usual = np.nan_to_num(medians(np.abs(step), EXPOSURE_AROUND, rows))
    enough = np.maximum(MIN_BALANCE_STEP, EXPOSURE_TIMES_USUAL * usual)
    kept = medians(value, range(6), rows) - medians(value, range(-6, 0), rows)
    added = []
    for signal in ("frame_difference", "difference_p99"):
        change = context.signal(signal)
        added.append(change[rows] - np.nan_to_num(medians(change, EXPOSURE_AROUND, rows)))
    near = [each for each in range(-BALANCE_ALONE_ROWS, BALANCE_ALONE_ROWS + 1) if each]
    beside = np.max([shifted(np.abs(step), by)[rows] for by in near], axis=0)
    clear = np.abs(step[rows]) >= np.maximum(enough, ALONE_TIMES * beside)
    clear &= kept / step[rows] >= MIN_BALANCE_KEPT
    clear &= added[0] >= MIN_EVERYWHERE * np.maximum(added[1], 0)
    clear &= ~(structure[rows] > MAX_EXPOSURE_STRUCTURE)
    return dict(zip(rows[clear].tolist(), enough[clear].tolist(), strict=True))


def _tint(columns: Columns, name: str, rows: tuple[int, int], step: float, least: float) -> Segment:
    """A step of white balance, or two that undo each other."""
    balance, (first, last) = context_of(columns).signal(name), rows
    size, channel = 100 * (np.exp(step) - 1), name.removesuffix("_balance")
    where = "everywhere" if _is_even(columns, first, step) else "on average over the frame"
    stays = "from it on" if last == first else f"for {last - first + 1} frames"
    badness = np.abs(_balance_step(columns, name))
    return segment_of(
        *(columns.frames, name, balance, badness, rows),
        confidence("exposure", abs(step) / least),
        "exposure",
        evidence=f"{channel} against green is {told(abs(size))} %"
        f" {'more' if size > 0 else 'less'} than in the frame before, {where}, {stays};"
        f" {told(100 * least)} % would be enough",
    )


def _is_even(columns: Columns, row: int, step: float) -> bool:
    """False where places differ in what a step of white balance does to their luma by more than
    their colours explain: a coloured lamp lights a part of the frame."""
    spread = context_of(columns).signal("light_spread")
    usual = np.nan_to_num(medians(spread, EXPOSURE_AROUND, np.array([row])))
    return not spread[row] - float(usual[0]) > MAX_TINT_SPREAD * abs(step)


def _taken(columns: Columns) -> NDArray[np.bool_]:
    """(N,) True where a flash, fade, dissolve or flicker tells what the light does, and at either
    end of black, where hardly a place is bright enough to tell."""
    taken = light_changes(columns).flickering | gradual_rows(columns)
    for flash in flashes(columns):
        taken[flash.first : flash.last + 2] = True
    for fade in fades(columns):
        taken[fade.first : fade.last + 2] = True
    black = black_rows(columns) | (context_of(columns).signal("luma_mean") < MIN_TOLD_LUMA)
    for by in range(-NEAR_BLACK_ROWS, NEAR_BLACK_ROWS + 1):
        taken |= shifted(black, by) > 0
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
