"""The times of a time-lapse in a few numbers, and times in words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from vfiscope.types.arrays import Float64
from vfiscope.types.specs import UNIX_EPOCH

__all__ = ["TimeLapse", "date", "duration", "moment_of"]

PAUSE = 3.0
"""Least length of a pause in usual steps: at twice a step a single image is missing."""
DAY_S = 86400.0
DAILY_S = 2 * 3600.0
"""Daily pauses begin at the same hour, give or take this: dusk moves within weeks."""
TIME_STEPS = (("d", DAY_S), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


@dataclass(frozen=True)
class TimeLapse:
    """When the images of a sequence were taken."""

    first: str
    """ISO 8601, UTC; times without a zone are taken as UTC."""
    last: str
    step_s: float
    """The median time from one image to the next; 0 of a single image."""
    pauses: int
    """Steps of three usual ones or more."""
    shortest_s: float
    """The shortest pause; 0 where there is none."""
    longest_s: float
    daily: bool
    """True if there are two pauses or more, each shorter than a day, that begin at the same time of
    the day: nights."""

    @classmethod
    def of(cls, moments: Sequence[int] | Float64) -> TimeLapse | None:
        """The time-lapse of some moments, in microseconds since 1970, in order; None where they lie
        outside of the calendar."""
        seconds = np.asarray(moments, np.float64) / 1e6
        steps = np.diff(seconds)
        usual = float(np.median(steps)) if len(steps) else 0.0
        long = (steps >= PAUSE * usual) & (usual > 0)
        pauses, begins = steps[long], seconds[:-1][long]
        ends = moment_of(int(moments[0])), moment_of(int(moments[-1]))
        if ends[0] is None or ends[1] is None:
            return None
        return cls(
            first=ends[0],
            last=ends[1],
            step_s=usual,
            pauses=len(pauses),
            shortest_s=float(pauses.min(initial=DAY_S * 1e6)) if len(pauses) else 0.0,
            longest_s=float(pauses.max(initial=0.0)),
            daily=_daily(pauses, begins),
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values: the values of a note."""
        return asdict(self)


def _daily(pauses: Float64, begins: Float64) -> bool:
    if len(pauses) < 2 or pauses.max() >= DAY_S:
        return False
    apart = np.diff(begins)
    off = (apart + DAY_S / 2) % DAY_S - DAY_S / 2
    return bool((apart > DAY_S / 2).all() and (np.abs(off) <= DAILY_S).all())


def moment_of(microseconds: int) -> str | None:
    """ISO 8601 of microseconds since 1970; None outside of the calendar."""
    try:
        return (UNIX_EPOCH + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return None


def date(moment: str) -> str:
    """``2020-04-10 16:00`` of an ISO 8601 text; seconds where they are not 0."""
    taken = datetime.fromisoformat(moment)
    return taken.strftime(
        "%Y-%m-%d %H:%M:%S" if taken.second or taken.microsecond else "%Y-%m-%d %H:%M"
    )


def duration(seconds: float) -> str:
    """``18 h``, ``2 d 14 h``, ``1 min 30 s``, ``0.25 s``: the two largest units, rounded."""
    if seconds < 10:
        return f"{seconds:.3g} s"
    for (name, size), (smaller, part) in itertools.pairwise(TIME_STEPS):
        whole = round(seconds / part) * part  # 17 h 59 min 59 s are 18 h
        if whole >= size:
            rest = round((whole % size) / part)
            return f"{int(whole // size)} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{round(seconds)} s"
