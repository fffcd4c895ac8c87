"""As :mod:`vfiscope.signals.shot_step`, for scans that look for cuts and fades alone.

Motion takes most of their time, and is followed only where that can change what is told: at frames
that may begin a shot, which by their place must be as unlike the frame before as a cut is; at the
frames around those, with which they are compared; and where contrast changes as in a fade while
structure does not stay. Elsewhere a frame is compared with the one before as it lies.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from vfiscope.signals.histogram_step import histogram_step
from vfiscope.signals.luma_statistics import luma_std
from vfiscope.signals.shot_step import STILL_RESIDUAL, Unlike, in_place, unlike_before
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float64, SignalSpec

__all__ = [
    "CUT_STEPS",
    "MAX_FADE_STRUCTURE",
    "MIN_FADE_STEP",
    "NEARLY_A_CUT",
    "cut_residual",
    "cut_step",
    "shares_of_a_cut",
]

CUT_STRUCTURE = 0.2
"""Least structure step: that of a cut of which half of the frame knows nothing is 0.25 to 0.45, and
that of a change of exposure up to 0.15."""
CUT_RESIDUAL = 0.22
"""Least residual of motion, in standard deviations of luma."""
CUT_BOTH = 0.03
"""Least product of the steps of structure and of colours."""
NEARLY_A_CUT = 0.6
"""Margin of a cut between calm shots that share much; and of the row at which they return."""
MIN_FADE_STEP = 0.015
"""Least change of ln(s + 1) in a row of a fade, s being the standard deviation of luma."""
MAX_FADE_STRUCTURE = 0.4
"""Median structure step of a fade while contrast lasts."""

Values = TypeVar("Values", float, Float64)


def shares_of_a_cut(
    structure: Values, residual: Values, colours: Values
) -> tuple[Values, Values, Values]:
    """Each evidence as a part of what a cut needs of it: there is one where none is below 1."""
    return structure / CUT_STRUCTURE, residual / CUT_RESIDUAL, structure * colours / CUT_BOTH


def cut_step(frame: SignalFrame) -> float:
    """As :func:`~vfiscope.signals.shot_step.shot_step`, with motion followed only where a cut may
    be within six rows, and in what may be a fade."""
    return _unlike_near_cuts(frame).structure


def cut_residual(frame: SignalFrame) -> float:
    """As :func:`~vfiscope.signals.shot_step.shot_residual`, where :func:`cut_step` is found."""
    return _unlike_near_cuts(frame).codes


def _unlike_near_cuts(frame: SignalFrame) -> Unlike:
    def compute() -> Unlike:
        there = in_place(frame)
        if not there.codes > STILL_RESIDUAL:
            return there
        near = (frame, *frame.earlier, *frame.later)
        matters = _lies_like_a_cut(frame) or any(map(_may_be_cut, near)) or _may_be_fading(frame)
        return unlike_before(frame) if matters else there

    return frame.share("unlike_near_cuts", compute)


def _may_be_cut(frame: SignalFrame) -> bool:
    """Whether it is nearly as unlike the frame before as a cut asks for, by itself."""

    def compute() -> bool:
        if not _lies_like_a_cut(frame):
            return False
        found = unlike_before(frame)
        return _is_nearly_cut(frame, float(np.nan_to_num(found.structure)), found.codes)

    return frame.share("may_be_cut", compute)


def _lies_like_a_cut(frame: SignalFrame) -> bool:
    """The same as it lies: motion takes away from both steps, so most frames are ruled out here.
    What has hardly any structure there may have some along the motion."""
    there = in_place(frame)
    structure = math.inf if math.isnan(there.structure) else there.structure
    return there.codes > STILL_RESIDUAL and _is_nearly_cut(frame, structure, there.codes)


def _is_nearly_cut(frame: SignalFrame, structure: float, codes: float) -> bool:
    # as they are stored
    stored = [float(np.float32(each)) for each in (structure, codes, histogram_step(frame))]
    return all(share >= NEARLY_A_CUT for share in shares_of_a_cut(*stored))


def _may_be_fading(frame: SignalFrame) -> bool:
    """Whether its structure counts in what may be a fade: contrast changes in this row, or in both
    beside it, since one row of a fade may rest."""
    if in_place(frame).structure <= MAX_FADE_STRUCTURE:
        return False
    beside = (*frame.earlier[:1], *frame.later[:1])
    return _changes_contrast(frame) or (len(beside) > 1 and all(map(_changes_contrast, beside)))


def _changes_contrast(frame: SignalFrame) -> bool:
    before = frame.before
    if before is None:
        return False
    step = math.log1p(luma_std(frame)) - math.log1p(luma_std(before))
    return abs(step) >= MIN_FADE_STEP


CUT_STEPS = tuple(
    Signal(SignalSpec(name, "1", text), compute, Sight.BEFORE | Sight.NEAR)
    for name, text, compute in (
        (
            "cut_step",
            "1 - median correlation of small blocks to the frame before, along its motion near what"
            " may be a cut or a fade.",
            cut_step,
        ),
        (
            "cut_residual",
            "Difference to the frame before in standard deviations of luma, along its motion near"
            " what may be a cut or a fade.",
            cut_residual,
        ),
    )
)
