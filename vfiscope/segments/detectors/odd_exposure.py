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

import numpy as np

from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of, spans
from vfiscope.types import Float64, Segment

__all__ = ["detect"]

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


def detect(columns: Columns) -> list[Segment]:
    """The overexposed and underexposed photos, in order.

    Args:
        columns: with the signal ``luma_mean``, NaN for photos that cannot be read.
    """
    if "light_red" in columns.signals:
        return []
    frames, luma = columns.frames, np.asarray(columns.signals["luma_mean"], np.float64)
    read = np.isfinite(luma)
    if read.sum() < MIN_PHOTOS or np.median(np.diff(frames.time_s)) < MIN_STEP_S:
        return []
    apart = np.zeros(len(luma))
    apart[read] = _departures(luma[read])
    unusual = max(MIN_UNUSUAL, int(UNUSUAL_SHARE * read.sum()))
    usual = float(np.sort(np.abs(apart[read]))[-1 - unusual])
    least = max(MIN_DEPARTURE, USUAL_DEPARTURES * usual)
    return [
        segment_of(
            frames,
            "luma_mean",
            luma,
            np.where(read, sign * apart, np.nan),
            rows,
            peak / (peak + least),
            kind,
            evidence=f"mean luma is {told(peak)} code values {side} that of the {SIDE} photos"
            f" before and of the {SIDE} behind; that of all but {unusual} photos departs by"
            f" {told(usual)} at most, and {told(least)} would be enough",
        )
        for sign, kind, side in zip((1, -1), EXPOSURE_KINDS, ("above", "below"), strict=True)
        for rows in spans(sign * apart >= least, ~read)
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
