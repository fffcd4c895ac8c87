"""The light of a time-lapse: exposure that flickers, and white balance that drifts."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.photo_curves import PhotoCurves, Smooth
from vfiscope.segments.spans import segment_of
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["detect"]

MIN_FLICKER = 0.015
"""Root mean square of ln of luma from which on a time-lapse is seen to flicker when it is
played."""
MIN_DRIFT = 0.03
DRIFT_BY_NOISE = 4.0
"""A drift is this many times what single photos depart from it."""


def detect(columns: Columns) -> list[Segment]:
    """A ``flicker`` over all photos, and an ``exposure`` for each of red and blue that drifts.

    Args:
        columns: with the :data:`~vfiscope.segments.photo_curves.PHOTO_SIGNALS`.
    """
    curves = PhotoCurves(columns)
    found = _flicker(columns, curves)
    for name, balance in zip(("red", "blue"), curves.balance, strict=True):
        drift = abs(balance.change)
        if drift >= MIN_DRIFT and drift >= DRIFT_BY_NOISE * balance.size:
            found.append(_drift(columns, name, balance))
    return found


def _flicker(columns: Columns, curves: PhotoCurves) -> list[Segment]:
    light = curves.brightness
    if light.size < MIN_FLICKER:
        return []
    away = np.abs(light.rest)
    worst = int(np.nanargmax(away))
    frame, most = int(columns.frames.index[worst]), float(light.rest[worst])
    cycle = float(np.ptp(light.day[np.isfinite(light.day)]))
    day = f" and the light of the day ({100 * cycle:.1f} % of it)" if cycle else ""
    said = (
        f"luma departs from its trend{day} by {100 * light.size:.2f} % (root mean square), by"
        f" {100 * most:+.1f} % in frame {frame}, which a deflicker would multiply by"
        f" {np.exp(-most):.3f}; {100 * MIN_FLICKER:g} % would be enough"
    )
    confidence = light.size / (light.size + MIN_FLICKER)
    return [_over_all(columns, "flicker", "flicker", light.rest, away, confidence, said)]


def _drift(columns: Columns, name: str, balance: Smooth) -> Segment:
    known = np.flatnonzero(np.isfinite(balance.trend))
    first, last = (int(columns.frames.index[known[at]]) for at in (0, -1))
    drift = balance.change
    way = "rises" if drift > 0 else "falls"
    said = (
        f"white balance drifts: {name} {way} by {100 * abs(drift):.1f} % against green from frame"
        f" {first} to {last}, single photos depart by {told(100 * balance.size)} %;"
        f" {100 * MIN_DRIFT:g} % would be enough"
    )
    away = np.abs(balance.trend - balance.trend[known[0]])
    confidence = abs(drift) / (abs(drift) + MIN_DRIFT)
    return _over_all(columns, f"{name}_drift", "exposure", balance.trend, away, confidence, said)


def _over_all(
    columns: Columns,
    metric: str,
    kind: str,
    values: Float64,
    badness: Float64,
    confidence: float,
    said: str,
) -> Segment:
    known = np.flatnonzero(np.isfinite(values))
    rows = int(known[0]), int(known[-1])
    return segment_of(
        *(columns.frames, metric, values, badness, rows, confidence, kind), evidence=said
    )
