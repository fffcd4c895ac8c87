"""Bumps of the camera of a time-lapse."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.photo_curves import PhotoCurves
from vfiscope.segments.spans import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["BUMP_SIGNALS", "bump_limits", "detect"]

BUMP_SIGNALS = ("photo_back", "bump_x", "bump_y", "bump_rotation", "bump_scale", "bump_points")
LEAST_BUMP_PX, LEAST_BUMP_DEG = 1.0, 0.15
USUAL_BUMPS = 4.0
USUAL_SHARE = 90
"""Per cent of the photos whose motion counts as that of a camera at rest."""


def bump_limits(columns: Columns) -> tuple[Float64, float, Float64, float]:
    """(N,) px and least px of a bump, (N,) degrees and least degrees: four times what 90 % of the
    photos show, where points of leaves and shadows move."""
    x, y, turn = (np.asarray(columns.signals[name], np.float64) for name in BUMP_SIGNALS[1:4])
    far, turn = np.hypot(x, y), np.abs(turn)
    least = []
    for values, floor in ((far, LEAST_BUMP_PX), (turn, LEAST_BUMP_DEG)):
        known = values[np.isfinite(values)]
        usual = float(np.percentile(known, USUAL_SHARE)) if len(known) else 0.0
        least.append(max(floor, USUAL_BUMPS * usual))
    return far, least[0], turn, least[1]


def detect(columns: Columns) -> list[Segment]:
    """A ``shift`` at the first photo after each bump.

    Args:
        columns: with the :data:`BUMP_SIGNALS`.
    """
    curves = PhotoCurves(columns)
    far, least_px, turn, least_deg = bump_limits(columns)
    excess = np.maximum(far / least_px, turn / least_deg)
    met = curves.belongs & (excess >= 1)
    found = []
    for row in np.flatnonzero(met).tolist():
        name = _axis(columns, row)
        if turn[row] / least_deg > far[row] / least_px:
            name = "bump_rotation"
        found.append(
            segment_of(
                *(columns.frames, name, columns.signals[name], np.nan_to_num(excess), (row, row)),
                float(excess[row] / (1 + excess[row])) if excess[row] < 4 else 0.9,
                "shift",
                evidence=_said(columns, row, int(curves.parent[row]), (least_px, least_deg)),
            )
        )
    return found


def _axis(columns: Columns, row: int) -> str:
    """The signal of the direction in which the content moved most."""
    return max(("bump_x", "bump_y"), key=lambda name: abs(float(columns.signals[name][row])))


def _said(columns: Columns, row: int, before: int, least: tuple[float, float]) -> str:
    x, y, turn, scale, agree = (float(columns.signals[name][row]) for name in BUMP_SIGNALS[1:])
    index = columns.frames.index
    across, down = ("right" if x > 0 else "left"), ("down" if y > 0 else "up")
    said = (
        f"the content of frame {index[row]} lies {abs(x):.1f} px {across} and {abs(y):.1f} px"
        f" {down} of where it is in frame {index[before]}"
    )
    if abs(turn) >= LEAST_BUMP_DEG:
        said += f", turned {abs(turn):.2f} degrees {'' if turn > 0 else 'counter-'}clockwise"
    if abs(scale - 1) >= 0.005:
        said += f", {scale:.3f} times as large"
    agreed = f"{100 * agree:.0f} % of the points agree; " if np.isfinite(agree) else ""
    return f"{said}; {agreed}{told(least[0])} px or {told(least[1])} degrees would be enough"
