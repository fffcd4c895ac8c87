"""How clearly a frame shows what moves twice, and weaker than usual."""

from __future__ import annotations

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.evidence.context import Context, medians
from vfiscope.segments.spans import Mask
from vfiscope.types import Float64

__all__ = [
    "ECHOES",
    "ECHO_NEAR",
    "LEAST_RISE",
    "departures",
    "evidence",
    "lost_detail",
    "seen_twice",
    "surely_twice",
]

ECHOES = ("echo_1", "echo_2", "echo_3")
ECHO_NEAR = (-6, -5, -4, -3, -2, 2, 3, 4, 5, 6)
"""Rows beside a ghost and its neighbours, whose own neighbour is the ghost."""
USUAL_RISES, LEAST_RISE = 2.5, 0.04
USUAL_FALLS, LEAST_FALL = 2.5, 0.03
"""By how many usual departures an echo rises and the logarithm of detail falls in a ghost; added to
these departures, as there are few rows to know them from."""
FAIR_RISE = 0.4
"""Least rise of an echo in terms of what would go with the fall of detail."""
MAX_MARGIN = 3.0
"""What each evidence counts for at most."""
SURELY_TWICE = 0.8
"""Margins of an echo and of weaker detail that no bump and no damage have."""


def departures(values: Float64, least: float) -> Float64:
    """(N,) how far values are above those around, in usual departures from these."""
    above = values - medians(values, ECHO_NEAR)
    return above / (least + SIGMA_OF_MAD * medians(np.abs(above), ECHO_NEAR))


def evidence(values: Float64) -> Float64:
    """(N,) margins within 0 and what one counts for at most."""
    return np.clip(np.nan_to_num(values), 0, MAX_MARGIN)


def lost_detail(context: Context) -> tuple[Float64, Float64]:
    """(N,) margins of weaker detail in what moves, and the part of its power that is kept."""

    def compute() -> tuple[Float64, Float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            level = np.log(context.signal("moving_detail"))
            kept = np.exp(2 * np.minimum(level - medians(level, ECHO_NEAR), 0))
            return evidence(departures(-level, LEAST_FALL) / USUAL_FALLS), kept

    return context.columns.share("lost_detail", compute)


def seen_twice(context: Context) -> Float64:
    """(N,) margins of echoes."""
    kept = lost_detail(context)[1]

    def compute() -> Float64:
        margins = [_echo_margin(context.signal(name), kept) for name in ECHOES]
        return np.asarray(np.fmax.reduce(margins), np.float64)

    return context.columns.share("seen_twice", compute)


def surely_twice(context: Context) -> Mask:
    """(N,) True for frames that show what moves twice; nowhere in runs that lack a signal."""
    if not all(name in context.columns.signals for name in (*ECHOES, "moving_detail")):
        return np.zeros(len(context.columns.frames), bool)
    weaker, _ = lost_detail(context)
    return np.asarray((seen_twice(context) >= SURELY_TWICE) & (weaker >= SURELY_TWICE))


def _echo_margin(values: Float64, kept: Float64) -> Float64:
    """(N,) margin of an echo in frames that keep a part of the power of their detail.

    A ghost of a and 1 - a keeps 1 - q of it with q = 2 a (1 - a), and its echo rises by q / 2 of
    what is kept. Blur takes as much and leaves less of an echo.
    """
    rise = values - medians(values, ECHO_NEAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        fair = np.where(kept < 1, rise / (FAIR_RISE * (1 / kept - 1) / 2), 1.0)
    shown = departures(values, LEAST_RISE) / USUAL_RISES * np.clip(fair, 0, 1)
    return evidence(shown)
