"""Active area: where the frame is not black bars."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["ACTIVE_AREA", "active_area"]

BLACK_LINE_CODES = 32
"""Luma that no pixel of a black row or column exceeds: 16 of limited range read as full range, and
what a codec adds."""


def active_area(frame: SignalFrame) -> tuple[int, int, int, int] | None:
    """(top, bottom, left, right) in pixels of the frame, half-open: without the rows and columns
    at its borders whose luma is at most 32 all along; None where that is the whole frame.

    A dark scene is taken for bars too; where bars belong to a sequence they stay.
    """

    def compute() -> tuple[int, int, int, int] | None:
        brightest = [np.zeros(side, np.uint8) for side in frame.luma.shape]
        line_maxima(frame.luma, *brightest)
        lit = [np.flatnonzero(lines > BLACK_LINE_CODES) for lines in brightest]
        if not lit[0].size:
            return None
        (top, bottom), (left, right) = ((int(each[0]), int(each[-1]) + 1) for each in lit)
        return top, bottom, left, right

    return frame.share("active_area", compute)


@compiled()
def line_maxima(luma: Any, rows: Any, columns: Any) -> None:
    """Fill the maxima of the (H,) rows and (W,) columns, zeros before, of (H, W) uint8."""
    for y in range(luma.shape[0]):
        here, most = luma[y], np.uint8(0)
        for x in range(here.shape[0]):
            most = max(most, here[x])
        rows[y] = most
        for x in range(here.shape[0]):
            columns[x] = max(columns[x], here[x])


def _edge(frame: SignalFrame, which: int) -> float:
    area = active_area(frame)
    return math.nan if area is None else float(area[which])


ACTIVE_AREA = tuple(
    Signal(SignalSpec(f"active_{name}", "px", text), partial(_edge, which=which), usual=True)
    for which, (name, text) in enumerate(
        (
            ("top", "First row that is not black: the height of a bar at the top."),
            ("bottom", "First row of a black bar at the bottom, or the height of the frame."),
            ("left", "First column that is not black: the width of a bar on the left."),
            ("right", "First column of a black bar on the right, or the width of the frame."),
        )
    )
)
