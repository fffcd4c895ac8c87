"""What the stored steps of a time-lapse add up to: its light, its colours and which photos belong.

The signals of a photo are relative to an earlier one (``photo_back`` rows before). Chained, the
steps of light are a curve per channel. That of brightness is split into a slow trend, the light of
the day where there are several days, and what remains: flicker, which no light of the day does and
a deflicker would take out. How smooth the trend is and how many harmonics a day has is chosen by
the information criterion of Schwarz (1978).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import LUMA_WEIGHTS
from vfiscope.segments.columns import Columns
from vfiscope.types import Float64, Int64

__all__ = ["PHOTO_SIGNALS", "PhotoCurves", "Smooth", "middle_of", "smooth"]

PHOTO_SIGNALS = ("photo_back", "exposure_back", "exposure_red", "exposure_green", "exposure_blue")
TREND_PARTS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Numbers of straight parts that a trend may have."""
MIN_ROWS_OF_PART = 8
DAY_HARMONICS = (0, 1, 2, 3)
DAY = 86400.0
MIN_DAYS = 3
"""Days, counted from the first photo, on which photos were taken."""
MIN_SMOOTHED = 8
"""Photos below which there is no telling a trend from flicker."""
END_ROWS = 3
"""Rows whose median stands for the first and for the last value of a noisy curve."""


@dataclass(frozen=True, eq=False)
class Smooth:
    """A curve of N values as a smooth part and what remains."""

    trend: Float64
    """(N,) the slow part; NaN where it has no value."""
    day: Float64
    """(N,) the part that is the same every day, with a mean of 0."""
    rest: Float64
    """(N,)"""
    size: float
    """Root mean square of the rest, for as many values as are not used up by the fit."""

    @property
    def change(self) -> float:
        """From the beginning of the trend to its end."""
        known = self.trend[np.isfinite(self.trend)]
        return float(known[-1] - known[0]) if len(known) else 0.0


@dataclass(frozen=True, eq=False)
class PhotoCurves:
    """The curves of a run of N photos."""

    columns: Columns

    @cached_property
    def parent(self) -> Int64:
        """(N,) the row of the latest earlier photo of the same place; -1 where there is none."""
        return self._rows_of("photo_back")

    def _rows_of(self, name: str) -> Int64:
        back = np.nan_to_num(np.asarray(self.columns.signals[name], np.float64))
        return np.where(back > 0, np.arange(len(back)) - back.astype(np.int64), -1)

    @cached_property
    def belongs(self) -> NDArray[np.bool_]:
        """(N,) False for photos that are unlike those before them, while the photos behind them are
        like those again; and for those at the end that are unlike all before."""
        parent = self.parent
        found = np.ones(len(parent), np.bool_)
        for row in np.flatnonzero(parent >= 0):
            found[parent[row] + 1 : row] = False
        alike = np.flatnonzero(parent >= 0)
        last = int(alike.max(initial=0))
        if len(parent) - 1 - last <= len(alike):  # else photos are unlike each other anyway
            found[last + 1 :] = False
        return found & self.read

    @cached_property
    def read(self) -> NDArray[np.bool_]:
        """(N,) photos that could be read."""
        luma = self.columns.signals.get("luma_mean", self.columns.signals["photo_back"])
        known = np.isfinite(np.asarray(luma, np.float64))
        return known | (self.parent >= 0)

    @cached_property
    def light(self) -> Float64:
        """(N, 3) ln of the light of R, G and B relative to the first photo; NaN for those that do
        not belong. It goes on from the value before where a new place begins, or where the photo
        that the step is relative to does not belong."""
        steps = np.stack([self.columns.signals[name] for name in PHOTO_SIGNALS[2:]], axis=1)
        found = np.full(steps.shape, np.nan)
        earlier, last = self._rows_of("exposure_back"), np.zeros(3)
        for row in np.flatnonzero(self.belongs):
            if earlier[row] >= 0 and self.belongs[earlier[row]]:
                last = found[earlier[row]] + np.nan_to_num(np.asarray(steps[row], np.float64))
            found[row] = last
        return found

    @cached_property
    def brightness(self) -> Smooth:
        """Of ln of luma."""
        return smooth(self.light @ LUMA_WEIGHTS, self.moments)

    @cached_property
    def balance(self) -> tuple[Smooth, Smooth]:
        """Of ln of red and of blue against green."""
        red, green, blue = self.light.T
        return smooth(red - green, self.moments), smooth(blue - green, self.moments)

    @property
    def moments(self) -> Float64:
        """(N,) seconds since the first photo."""
        times = self.columns.frames.time_s
        return np.asarray(times - times[0], np.float64)


def middle_of(values: Float64, *, last: bool = False) -> float:
    """The median of the first, or of the last, three finite values; NaN where there are none."""
    known = values[np.isfinite(values)]
    ends = known[-END_ROWS:] if last else known[:END_ROWS]
    return float(np.median(ends)) if len(ends) else float("nan")


def smooth(values: Float64, seconds: Float64) -> Smooth:
    """Split a curve.

    Args:
        values: (N,), NaN where it has none.
        seconds: (N,) since the first; only the time of the day is taken from them.
    """
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) < MIN_SMOOTHED:
        return Smooth(values, np.zeros(len(values)), values * 0, 0.0)
    days = len(np.unique(seconds[rows] // DAY))
    harmonics = DAY_HARMONICS if days >= MIN_DAYS else (0,)
    choices = [
        (parts, waves)
        for parts, waves in itertools.product(TREND_PARTS, harmonics)
        if parts == 1 or len(rows) >= MIN_ROWS_OF_PART * parts
        if parts + 1 + 2 * waves <= len(rows) // 2
    ]
    fits = [_fit(values[rows], rows, seconds[rows], *choice) for choice in choices]
    count = len(rows)
    trend, day, rest, used = min(
        fits,
        key=lambda fit: (
            count * float(np.log(max(np.square(fit[2]).mean(), 1e-12)))
            + fit[3] * float(np.log(count))
        ),
    )
    full = np.full((3, len(values)), np.nan)
    full[:, rows] = trend, day, rest
    size = float(np.sqrt(np.square(rest).sum() / max(1, count - used)))
    return Smooth(full[0], full[1], full[2], size)


def _fit(
    values: Float64, rows: Int64, seconds: Float64, parts: int, waves: int
) -> tuple[Float64, Float64, Float64, int]:
    """Trend, day and rest by least squares, and the number of parameters."""
    place = (rows - rows[0]) / max(1, rows[-1] - rows[0]) * parts
    hats = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(parts + 1)))
    angle = 2 * np.pi * (seconds / DAY)[:, None] * np.arange(1, waves + 1)
    base = np.hstack([hats, np.cos(angle), np.sin(angle)])
    solved, _, rank, _ = np.linalg.lstsq(base, values, rcond=1e-9)
    day = base[:, parts + 1 :] @ solved[parts + 1 :]
    trend = hats @ solved[: parts + 1] + day.mean()
    day = day - day.mean()
    return trend, day, values - trend - day, int(rank)
