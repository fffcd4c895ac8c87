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
    "departures",
    "echo_rises",
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
    return _in_usual(values - medians(values, ECHO_NEAR), least)


def _in_usual(above: Float64, least: float) -> Float64:
    return above / (least + SIGMA_OF_MAD * medians(np.abs(above), ECHO_NEAR))


def echo_rises(context: Context) -> dict[str, tuple[Float64, Float64]]:
    """{echo: (N,) how far it is above those around, and the same in usual departures}"""

    def compute() -> dict[str, tuple[Float64, Float64]]:
        values = {name: context.signal(name) for name in ECHOES}
        above = {name: each - medians(each, ECHO_NEAR) for name, each in values.items()}
        return {name: (rise, _in_usual(rise, LEAST_RISE)) for name, rise in above.items()}

    return context.columns.share("echo_rises", compute)


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
        margins = [_echo_margin(*rises, kept) for rises in echo_rises(context).values()]
        return np.asarray(np.fmax.reduce(margins), np.float64)

    return context.columns.share("seen_twice", compute)


def surely_twice(context: Context) -> Mask:
    """(N,) True for frames that show what moves twice; nowhere in runs that lack a signal."""
    if not all(name in context.columns.signals for name in (*ECHOES, "moving_detail")):
        return np.zeros(len(context.columns.frames), bool)
    weaker, _ = lost_detail(context)
    return np.asarray((seen_twice(context) >= SURELY_TWICE) & (weaker >= SURELY_TWICE))


def _echo_margin(rise: Float64, departure: Float64, kept: Float64) -> Float64:
    """(N,) margin of an echo in frames that keep a part of the power of their detail.

    A ghost of a and 1 - a keeps 1 - q of it with q = 2 a (1 - a), and its echo rises by q / 2 of
    what is kept. Blur takes as much and leaves less of an echo.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        fair = np.where(kept < 1, rise / (FAIR_RISE * (1 / kept - 1) / 2), 1.0)
    shown = departure / USUAL_RISES * np.clip(fair, 0, 1)
    return evidence(shown)
