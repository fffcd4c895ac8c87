"""A warning about the light of a golden scan, known once its frames are scored."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from vfiscope.segments.columns import Column
from vfiscope.segments.detectors.exposure import LIGHT_SIGNALS
from vfiscope.types import Code, Float64, FrameTable, Note

__all__ = ["check_light"]

MIN_TOLD_LIGHT = 1.1
"""Factor, or its inverse, by which a channel must be brighter than in the golden frame."""
MIN_LIGHT = 1e-3
SUDDEN_SHARE = 0.25
"""Part of the greatest departure that happens from one row to the next where the light steps."""
SUDDEN_FACTOR = 3.0
"""How many times larger than the median of the other changes from row to row it is: over a few
photos, every change of a steady drift is a large part of the whole."""


def check_light(table: FrameTable, signals: Mapping[str, Column]) -> list[Note]:
    """A warning where the light of some frame is clearly another than that of the golden frame, at
    its greatest departure; empty where the run has no golden frame."""
    if not set(LIGHT_SIGNALS) <= set(signals):
        return []
    columns = np.array([signals[name] for name in LIGHT_SIGNALS], np.float64)
    rows = np.flatnonzero(np.isfinite(columns).all(axis=0))
    if not len(rows):
        return []
    ratios = np.log(np.maximum(columns[:, rows], MIN_LIGHT))
    departures = np.abs(ratios).max(axis=0)
    most = rows[departures.argmax()]
    if departures.max() < math.log(MIN_TOLD_LIGHT):
        return []
    steps = np.abs(np.diff(ratios, axis=1)).max(axis=0)
    sudden = len(steps) > 0 and _is_sudden(steps, float(departures.max()))
    values = {
        "frame": int(table.index[most]),
        "red": float(columns[0, most]),
        "green": float(columns[1, most]),
        "blue": float(columns[2, most]),
        "step_at": int(table.index[rows[steps.argmax() + 1]]) if sudden else None,
    }
    return [Note(Code.LIGHT_CHANGES, values)]


def _is_sudden(steps: Float64, departure: float) -> bool:
    """True if the largest change from row to row is a step and no part of a drift."""
    others = np.delete(steps, steps.argmax())
    usual = float(np.median(others)) if len(others) else 0.0
    return bool(steps.max() > max(SUDDEN_SHARE * departure, SUDDEN_FACTOR * usual))
