"""How much changes from photo to photo of a time-lapse, beyond light and a bumped camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.columns import Columns
from vfiscope.segments.photo_curves import PhotoCurves
from vfiscope.types import Float64, Int64

__all__ = ["Changes"]

MIN_ALIKE_STEPS = 5
"""Steps of about one length below which all steps are taken together."""
MIN_JUMP, JUMP_SIGMAS = 0.03, 6.0
"""A jump is this part of the photo and so many robust standard deviations beyond the usual."""
SEEN_CHANGE = 0.002
"""Part of the photo that is worth a look."""
HOUR_S = 3600.0


@dataclass(frozen=True, eq=False)
class Changes:
    """The changed area of N photos."""

    columns: Columns

    @cached_property
    def step(self) -> Float64:
        """(N,) part of the photo that has changed since the one that it is relative to; NaN where
        it does not belong."""
        changed = np.asarray(self.columns.signals["changed_step"], np.float64)
        return np.where(PhotoCurves(self.columns).belongs, changed, np.nan)

    @cached_property
    def hours(self) -> Float64:
        """(N,) since the photo that it is relative to."""
        times, curves = self.columns.frames.time_s, PhotoCurves(self.columns)
        passed = times - times[np.maximum(curves.parent, 0)]
        return np.where(curves.parent >= 0, passed / HOUR_S, np.nan)

    @cached_property
    def rate(self) -> Float64:
        """(N,) part of the photo per hour."""
        return self.step / np.where(self.hours > 0, self.hours, np.nan)

    @cached_property
    def cumulative(self) -> Float64:
        """(N,) the sum of all steps so far, in photos."""
        return np.nancumsum(self.step)

    @cached_property
    def usual(self) -> tuple[Float64, Float64]:
        """(N,) median of the steps that take about as long, and from where on one is a jump: more
        changes over a night than in an hour."""
        known = np.isfinite(self.step) & (self.hours > 0)
        middle, least = np.full((2, len(self.step)), np.nan)
        if not known.any():
            return middle, least
        length = np.full(len(self.step), np.nan)
        length[known] = np.round(np.log2(self.hours[known] / np.median(self.hours[known])))
        for each in np.unique(length[known]):
            mine = length == each
            alike = self.step[mine if mine.sum() >= MIN_ALIKE_STEPS else known]
            middle[mine] = np.median(alike)
            sigma = SIGMA_OF_MAD * np.median(np.abs(alike - np.median(alike)))
            least[mine] = np.median(alike) + max(MIN_JUMP, JUMP_SIGMAS * sigma)
        return middle, least

    @cached_property
    def jumps(self) -> Int64:
        """The rows of jumps."""
        return np.flatnonzero(self.step >= self.usual[1])

    @cached_property
    def worst(self) -> Int64:
        """The rows of steps that can be seen, the one furthest beyond its usual first."""
        beyond = (self.step - self.usual[0]) / (self.usual[1] - self.usual[0])
        order = np.argsort(-np.nan_to_num(beyond, nan=-np.inf), kind="stable")
        return order[np.isfinite(beyond[order]) & (self.step[order] >= SEEN_CHANGE)]
