"""Dates on the axes of a figure: for runs whose images tell when they were taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from vfiscope.segments.detectors.odd_exposure import EXPOSURE_KINDS
from vfiscope.types import UNIX_EPOCH, Code, Float64, Int64, Note
from vfiscope.views.places import frame_place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

    from vfiscope.store import Run

__all__ = ["date_of_zero", "dated_axis", "dated_locator", "frame_ticks", "pauses_of", "taken_words"]

SECONDS_OF_DAY = 86400.0
MAX_TICKS = 9
MIN_TICK_SHARE = 0.06
"""Of the width of a figure, between the numbers of two frames."""


def date_of_zero(runs: Sequence[Run]) -> datetime | None:
    """The date at 0 seconds, where it is known and the same for all runs."""
    found = set()
    for run in runs:
        moment = run.moment(0) if len(run.frames) else None
        if moment is None:
            return None
        found.add(datetime.fromisoformat(moment).timestamp() - float(run.frames.time_s[0]))
    first = min(found, default=None)
    if first is None or max(found) - first > 1e-3:
        return None
    return datetime.fromtimestamp(first, UNIX_EPOCH.tzinfo)


def taken_words(runs: Sequence[Run]) -> list[str]:
    """When the images of a single run were taken, and which of them are not exposed as the others;
    empty where that is unknown."""
    lapse = runs[0].time_lapse if len(runs) == 1 else None
    if lapse is None:
        return []
    found: dict[str, list[str]] = {}
    for segment in runs[0].segments:
        if segment.kind in EXPOSURE_KINDS:
            row = int(np.searchsorted(runs[0].frames.index, segment.peak_index))
            found.setdefault(segment.kind, []).append(frame_place(runs[0], row))
    odd = [
        f"{kind}: {places[0]}{f' and {len(places) - 1} more' if len(places) > 1 else ''}"
        for kind, places in found.items()
    ]
    return [str(Note(Code.TAKEN, lapse.to_dict())), *odd]


def pauses_of(run: Run) -> Float64:
    """Seconds at which a pause between images ends: where curves break."""
    return np.asarray(run.frames.time_s[_rows_after_pauses(run)], np.float64)


def frame_ticks(run: Run) -> list[int] | None:
    """Frames to number where pauses crowd the others together: those that follow a pause, as far as
    there is room; None where there is no pause."""
    rows, times = _rows_after_pauses(run), run.frames.time_s
    if not len(rows):
        return None
    room = MIN_TICK_SHARE * float(times[-1] - times[0])
    found, last = [], -np.inf
    for row in (0, *rows.tolist()):
        if times[row] - last >= room:
            found.append(int(run.frames.index[row]))
            last = float(times[row])
    return found


def _rows_after_pauses(run: Run) -> Int64:
    lapse = run.time_lapse
    if lapse is None or not lapse.pauses:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.diff(run.frames.time_s) >= lapse.shortest_s * (1 - 1e-9)) + 1


def dated_locator(zero: datetime) -> Locator:
    """Ticks at round dates for an axis in seconds."""
    from matplotlib.ticker import Locator

    class Dated(Locator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            dates, start = _dates(), _dates().date2num(zero)
            ends = (dates.num2date(start + each / SECONDS_OF_DAY) for each in (vmin, vmax))
            found = dates.AutoDateLocator(maxticks=MAX_TICKS).tick_values(*ends)
            return (np.asarray(found) - start) * SECONDS_OF_DAY

        def __call__(self) -> Any:
            axis: Any = self.axis
            low, high = axis.get_view_interval()
            return self.tick_values(float(low), float(high))

    return Dated()


def dated_axis(ax: Axes, zero: datetime) -> Any:
    """An axis of dates below axes in seconds."""
    dates, start = _dates(), _dates().date2num(zero)

    def day_of(time_s: ArrayLike) -> Any:
        return start + np.asarray(time_s, np.float64) / SECONDS_OF_DAY

    def time_of(day: ArrayLike) -> Any:
        return (np.asarray(day, np.float64) - start) * SECONDS_OF_DAY

    axis = ax.secondary_xaxis("bottom", functions=(day_of, time_of))
    locator = dates.AutoDateLocator(maxticks=MAX_TICKS)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axis.set_xlabel("Date", labelpad=2)
    return axis


def _dates() -> Any:
    """The module of matplotlib, which has no types."""
    from matplotlib import dates

    return dates
