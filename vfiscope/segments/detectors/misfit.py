"""Photos of a time-lapse that do not belong: those behind them are like those before them again.

A hand in front of the camera, a lamp, rain on the lens: the photo lies on none of those before it
(or, where it is several, on none before the first), while the next one does. So does a photo that
is only blurred or exposed badly; it is told by its sharpness and by its luma.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.odd_exposure import odd_exposures, odd_photos
from vfiscope.segments.photo_curves import PhotoCurves
from vfiscope.segments.spans import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment

__all__ = ["MISFIT_SIGNALS", "detect"]

MISFIT_SIGNALS = ("photo_back", "bump_points", "luma_mean", "luma_std", "sharpness")
MIN_BLUR = 0.35
"""Least fall of ln of sharpness, by contrast, of a blurred photo: to 70 %."""
AGREED, AT_THE_END = 0.95, 0.6
"""Confidence where photos behind agree with those before, and where none follows."""


def detect(columns: Columns) -> list[Segment]:
    """The photos that do not belong, and those that are blurred.

    Args:
        columns: with the :data:`MISFIT_SIGNALS`.
    """
    curves = PhotoCurves(columns)
    strange = curves.read & ~curves.belongs
    odd = odd_exposures(columns)
    found = [_misfit(columns, curves, rows, odd) for rows in spans(strange, ~curves.read)]
    return found + _blurred(columns, curves.read & curves.belongs)


def _misfit(
    columns: Columns, curves: PhotoCurves, rows: tuple[int, int], odd: list[Segment]
) -> Segment:
    frames, (first, last) = columns.frames, rows
    index = frames.index
    which = (
        f"frame {index[first]} is"
        if first == last
        else f"frames {index[first]} to {index[last]} are"
    )
    said = f"{which} like none of the photos before"
    after = np.flatnonzero(curves.parent[last + 1 :] >= 0)
    if len(after):
        behind = last + 1 + int(after[0])
        agree = float(columns.signals["bump_points"][behind])
        how = f" ({100 * agree:.0f} % of their points agree)" if np.isfinite(agree) else ""
        said += f", but frame {index[behind]} is like frame {index[curves.parent[behind]]}{how}"
    same = [each for each in odd if each.start <= index[last] and index[first] < each.stop]
    if same:
        said += f"; {same[0].evidence}"
    luma = np.asarray(columns.signals["luma_mean"], np.float64)
    usual = float(np.median(luma[curves.belongs])) if curves.belongs.any() else 0.0
    return segment_of(
        *(frames, "luma_mean", luma, np.abs(luma - usual), rows),
        AGREED if len(after) else AT_THE_END,
        same[0].kind if same else "change",
        evidence=said,
    )


def _blurred(columns: Columns, judged: NDArray[np.bool_]) -> list[Segment]:
    """The photos that are much less sharp than those before and behind."""
    detail: Float64 = np.full(len(columns.frames), np.nan)
    sharp, spread = (
        np.asarray(columns.signals[name], np.float64) for name in ("sharpness", "luma_std")
    )
    known = judged & (sharp > 0) & (spread > 0)
    detail[known] = np.log(sharp[known] / spread[known])
    found = odd_photos(columns.frames, detail, MIN_BLUR)
    if found is None:
        return []
    return [
        segment_of(
            *(columns.frames, "sharpness", sharp, np.where(known, -found.apart, np.nan), rows),
            most / (most + found.least),
            "blur",
            evidence=f"sharpness by contrast is {told(100 * np.exp(-most))} % of that of the photos"
            f" before and behind; {told(100 * np.exp(-found.least))} % would be enough",
        )
        for rows in spans(-found.apart >= found.least, ~known)
        for most in [float((-found.apart[rows[0] : rows[1] + 1]).max())]
    ]
