"""Global shift: the displacement of a whole frame relative to its partner."""

from __future__ import annotations

import math

import numpy as np

from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["SHIFT_X", "SHIFT_Y", "global_shift"]

SHIFT_STEP = 7
"""Not a multiple of any usual cadence, so that frames of each phase are seen."""


def global_shift(frame: SignalFrame) -> tuple[float, float]:
    """(dx, dy) in pixels of the frame as scored: content at (x, y) is, as a whole, at (x + dx, y +
    dy) of the partner. NaN where unknown.

    Where the frame was registered, it is the displacement of the frame's centre by the matrix; else
    the medians of the vectors of the field ``motion``. Where neither is computed, tiles of the
    pixels are correlated in every seventh frame, which is enough for what lasts.
    """
    if frame.matrix is not None:
        height, width = frame.pixels.shape[:2]
        middle = np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
        x, y, w = frame.matrix @ middle
        return float(x / w - middle[0]), float(y / w - middle[1])
    if frame.motion is None:
        return (math.nan, math.nan) if frame.index % SHIFT_STEP else frame.offset
    vectors = frame.motion.reshape(2, -1).astype(np.float64)
    known = vectors[:, np.isfinite(vectors).all(axis=0)]
    if not known.size:
        return math.nan, math.nan
    dx, dy = np.median(known, axis=1)
    return float(dx), float(dy)


def _spec(axis: str, where: str) -> SignalSpec:
    return SignalSpec(
        f"shift_{axis}",
        "px",
        f"How far {where} the frame's content lies on its partner, as a whole: by its registration,"
        " else by the median of its motion, else, in every seventh frame, by correlation.",
    )


SHIFT_X = Signal(
    _spec("x", "to the right"), lambda frame: global_shift(frame)[0], Sight.SHIFT, usual=True
)
SHIFT_Y = Signal(_spec("y", "down"), lambda frame: global_shift(frame)[1], Sight.SHIFT, usual=True)
