"""What grows in a time-lapse, and what is taken away: by the share of green."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.detector import Columns
from vfiscope.segments.photo_curves import PhotoCurves, middle_of
from vfiscope.segments.spans import segment_of
from vfiscope.types import Float64, Int64, Segment

__all__ = ["GREEN_SIGNALS", "Growth", "detect"]

GREEN_SIGNALS = ("green_share", "green_x", "green_y")
MIN_TAKEN, MIN_TAKEN_PART, TAKEN_SIGMAS = 0.005, 0.15, 4.0
"""A fall is at least this part of the photo, this part of the green, and so many robust standard
deviations of the other steps."""
MIN_GROWTH, GROWTH_SIGMAS = 0.005, 4.0
MAX_AT_ONCE, FEW_STEPS = 0.5, 2.5
"""Part of what grew that one step may bring, and that of few steps as a multiple of an even one:
what comes at once, as a lamp is switched on, is no growth."""


@dataclass(frozen=True, eq=False)
class Growth:
    """The share of green in the photos that belong."""

    columns: Columns

    @cached_property
    def rows(self) -> Int64:
        """(M,) photos that belong and tell."""
        told = np.isfinite(np.asarray(self.columns.signals["green_share"], np.float64))
        return np.flatnonzero(PhotoCurves(self.columns).belongs & told)

    @cached_property
    def share(self) -> Float64:
        """(M,) 0..1"""
        return np.asarray(self.columns.signals["green_share"], np.float64)[self.rows]

    @cached_property
    def steps(self) -> Float64:
        """(M,) share that was gained since the photo before; 0 at the first."""
        return np.diff(self.share, prepend=self.share[:1])

    @cached_property
    def noise(self) -> float:
        """Robust standard deviation of the steps."""
        if len(self.steps) < 2:
            return 0.0
        away = self.steps[1:] - np.median(self.steps[1:])
        return SIGMA_OF_MAD * float(np.median(np.abs(away)))

    @cached_property
    def falls(self) -> Int64:
        """Places among the rows at which green is gone."""
        before = np.r_[self.share[:1], self.share[:-1]]
        least = np.maximum(max(MIN_TAKEN, TAKEN_SIGMAS * self.noise), MIN_TAKEN_PART * before)
        return np.flatnonzero(-self.steps >= least)

    @cached_property
    def grown(self) -> float:
        """Part of the photo that has become green, with what was taken away since."""
        taken = -float(self.steps[self.falls].sum())
        return middle_of(self.share, last=True) - middle_of(self.share) + taken

    @property
    def grows(self) -> bool:
        steps = self.noise * len(self.share) ** 0.5  # how far chance would carry it
        if len(self.share) <= 2 or self.grown < max(MIN_GROWTH, GROWTH_SIGMAS * steps):
            return False
        at_once = max(MAX_AT_ONCE, FEW_STEPS / (len(self.share) - 1))
        return float(self.steps.max()) < at_once * self.grown

    @property
    def half(self) -> int:
        """The row by which half of what grew was there."""
        gained = np.cumsum(np.where(np.isin(np.arange(len(self.rows)), self.falls), 0, self.steps))
        return int(self.rows[int(np.argmax(gained >= gained[-1] / 2))])

    def place(self, at: Int64) -> tuple[float, float] | None:
        """The centre, in px, of what the steps at these places gained or lost; None where that
        cannot be told.

        Shares times their centres add up as areas do.
        """
        x, y = (
            np.nan_to_num(np.asarray(self.columns.signals[name], np.float64)[self.rows])
            for name in GREEN_SIGNALS[1:]
        )
        total = float(self.steps[at].sum())
        moments = [np.diff(self.share * each, prepend=self.share[:1] * each[:1]) for each in (x, y)]
        if not total:
            return None
        found = [float(each[at].sum()) / total for each in moments]
        # Noise carries the centre of little beyond where green lies at all.
        inside = [0 <= at <= 2 * float(seen.max()) for at, seen in zip(found, (x, y), strict=True)]
        return (found[0], found[1]) if all(inside) else None

    @cached_property
    def growing(self) -> Int64:
        """Places of the steps that are no fall."""
        return np.setdiff1d(np.arange(len(self.share)), self.falls)


def detect(columns: Columns) -> list[Segment]:
    """A ``growth`` over the photos in which green grows, and a ``change`` at the first photo in
    which a part of it is gone.

    Args:
        columns: with ``photo_back`` and the :data:`GREEN_SIGNALS`.
    """
    growth = Growth(columns)
    found = [_fall(growth, int(at)) for at in growth.falls]
    return [*([_growth(growth)] if growth.grows else []), *found]


def _fall(growth: Growth, at: int) -> Segment:
    frames, row = growth.columns.frames, int(growth.rows[at])
    before = int(frames.index[growth.rows[at - 1]])
    now, then = float(growth.share[at]), float(growth.share[at - 1])
    excess = (then - now) / max(MIN_TAKEN, TAKEN_SIGMAS * growth.noise, MIN_TAKEN_PART * then)
    said = (
        f"green falls from {100 * then:.1f} % of frame {before} to {100 * now:.1f} %"
        f" of frame {frames.index[row]}{_at(growth.place(np.array([at])))}"
    )
    share = np.asarray(growth.columns.signals["green_share"], np.float64)
    return segment_of(
        *(frames, "green_share", share, -share, (row, row), excess / (1 + excess), "change"),
        evidence=said,
    )


def _growth(growth: Growth) -> Segment:
    frames, rows = growth.columns.frames, growth.rows
    first, last = (int(frames.index[rows[at]]) for at in (0, -1))
    taken = -float(growth.steps[growth.falls].sum())
    also = f", {100 * growth.grown:.1f} % in all with what was taken since" if taken else ""
    said = (
        f"green grows from {100 * middle_of(growth.share):.1f} % of frame {first} to"
        f" {100 * middle_of(growth.share, last=True):.1f} % of frame {last}{also}; half of it by"
        f" frame {frames.index[growth.half]}{_at(growth.place(growth.growing))}"
    )
    share = np.full(len(frames), np.nan)
    share[rows] = growth.share
    place = int(rows[0]), int(rows[-1])
    excess = growth.grown / MIN_GROWTH
    return segment_of(
        *(frames, "green_share", share, share, place, excess / (1 + excess), "growth"),
        evidence=said,
    )


def _at(place: tuple[float, float] | None) -> str:
    return "" if place is None else f", around ({place[0]:.0f}, {place[1]:.0f})"
