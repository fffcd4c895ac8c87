"""Photos that are much brighter or darker than those before and after.

Each photo of a time-lapse is exposed anew, so one of them may be spoilt. In a video a flash is part
of what is shown; the rule applies to frames that are a second or more apart.

With *d* the distance of a photo's mean luma from the median of the five before or of the five
after, whichever is nearer, and 0 where it lies between the two, a photo is flagged where *d* is
``max(10, 4 * u)`` code values or more; *u* is the largest *d* but for a tenth of them, or two.
Ten code values are about a third of a stop at middle gray. Light that changes and stays, dusk, and
what happens to more photos than these, such as the brightest one of each day, is not flagged.
Beside a golden frame the detector ``exposure`` knows more, and this one is silent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.photo_curves import PhotoCurves
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Float64, FrameTable, Segment

__all__ = ["EXPOSURE_KINDS", "Odd", "detect", "odd_exposures", "odd_photos"]

EXPOSURE_KINDS = ("overexposed", "underexposed")
MIN_STEP_S = 1.0
SIDE = 5
"""Photos before and after with which one is compared: two spoilt ones in a row stand out."""
MIN_PHOTOS = 12
MIN_DEPARTURE = 10.0
"""8-bit code values."""
USUAL_DEPARTURES = 4.0
UNUSUAL_SHARE, MIN_UNUSUAL = 0.1, 2
"""Of the photos, and in photos: how many may stand out."""


class Odd(NamedTuple):
    """How far photos depart from those before and behind them."""

    apart: Float64
    """(N,) signed; 0 where a photo lies between the two or has no value."""
    usual: float
    """What all but a few depart by at most."""
    unusual: int
    """How many those few are."""
    least: float
    """From how much on a photo is odd."""


def odd_photos(frames: FrameTable, values: Float64, floor: float) -> Odd | None:
    """The departures of (N,) values, NaN where a photo has none; None where the frames are too few
    or no photos that were taken one by one."""
    read = np.isfinite(values)
    if read.sum() < MIN_PHOTOS or np.median(np.diff(frames.time_s)) < MIN_STEP_S:
        return None
    apart = np.zeros(len(values))
    apart[read] = _departures(values[read])
    unusual = max(MIN_UNUSUAL, int(UNUSUAL_SHARE * read.sum()))
    usual = float(np.sort(np.abs(apart[read]))[-1 - unusual])
    return Odd(apart, usual, unusual, max(floor, USUAL_DEPARTURES * usual))


def detect(columns: Columns) -> list[Segment]:
    """The overexposed and underexposed photos, in order.

    Args:
        columns: with the signal ``luma_mean``, NaN for photos that cannot be read.
    """
    if "light_red" in columns.signals:
        return []
    found = odd_exposures(columns)
    if "photo_back" not in columns.signals:
        return found
    # Those that do not belong at all are told by the detector of misfits.
    belongs, index = PhotoCurves(columns).belongs, columns.frames.index
    return [each for each in found if belongs[(index >= each.start) & (index < each.stop)].any()]


def odd_exposures(columns: Columns) -> list[Segment]:
    """All such photos."""
    frames, luma = columns.frames, np.asarray(columns.signals["luma_mean"], np.float64)
    odd = odd_photos(frames, luma, MIN_DEPARTURE)
    if odd is None:
        return []
    read, apart = np.isfinite(luma), odd.apart
    return [
        segment_of(
            frames,
            "luma_mean",
            luma,
            np.where(read, sign * apart, np.nan),
            rows,
            peak / (peak + odd.least),
            kind,
            evidence=f"mean luma is {told(peak)} code values {side} that of the {SIDE} photos"
            f" before and of the {SIDE} behind; that of all but {odd.unusual} photos departs by"
            f" {told(odd.usual)} at most, and {told(odd.least)} would be enough",
        )
        for sign, kind, side in zip((1, -1), EXPOSURE_KINDS, ("above", "below"), strict=True)
        for rows in spans(sign * apart >= odd.least, ~read)
        for peak in [float((sign * apart[rows[0] : rows[1] + 1]).max())]
    ]


def _departures(luma: Float64) -> Float64:
    """(N,) signed code values by which each photo lies beyond both of its sides."""
    found = np.zeros(len(luma))
    for row in range(1, len(luma) - 1):
        before = float(np.median(luma[max(0, row - SIDE) : row]))
        after = float(np.median(luma[row + 1 : row + 1 + SIDE]))
        low, high = min(before, after), max(before, after)
        found[row] = max(0.0, luma[row] - high) - max(0.0, low - luma[row])
    return found
