"""The curves of a time-lapse: what grows, the light, and how much has changed and how fast."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors.growth import Growth
from vfiscope.segments.photo_change import Changes
from vfiscope.segments.photo_curves import PhotoCurves
from vfiscope.types import Float64
from vfiscope.views.curves import Curve
from vfiscope.views.dates import date_of_zero, pauses_of, taken_words
from vfiscope.views.drawn import drawn
from vfiscope.views.lapse_answer import LAPSE_SIGNALS
from vfiscope.views.naming import heading
from vfiscope.views.style import CUTS, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vfiscope.store import Run

__all__ = ["check_lapse", "plot_lapse"]

LAPSE_SIZE_IN = (7.0, 6.2)


def check_lapse(run: Run) -> None:
    """Refuse a run that is no time-lapse.

    Raises:
        UsageError: its photos have no times, or it lacks the signals of a time-lapse.
    """
    if run.time_lapse is None:
        raise UsageError(
            f"{run.path} is no time-lapse: its frames do not tell when they were taken; scan a"
            " folder of photos that do, by their names or their EXIF"
        )
    if missing := [name for name in LAPSE_SIGNALS if name not in run.signals]:
        raise UsageError(
            f"{run.path} lacks the signal {missing[0]}: scan the photos again without --signals"
        )


def plot_lapse(run: Run, out: str | Path | None = None, *, overwrite: bool = False) -> Figure:
    """Four panels over the dates: the share of green, the light with its trend, the cumulative
    change, and the change per hour.

    Args:
        run: a finished scan of photos with known times.
        out: a .png, .svg or .pdf file; None to only return the figure.
        overwrite: replace a file that exists.

    Raises:
        UsageError: the run is no time-lapse, or the extension is not supported.
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    check_lapse(run)
    return drawn(lambda: _compose(run), out, overwrite=overwrite)


def _compose(run: Run) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=LAPSE_SIZE_IN, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("\n".join([heading([run]), *taken_words([run])[:1]]))
    columns = Columns.of(run)
    panels = figure.subplots(4, 1, sharex=True)
    curves, changes = PhotoCurves(columns), Changes(columns)
    share = np.where(curves.belongs, np.asarray(run.signals["green_share"], np.float64), np.nan)
    light = curves.brightness
    trend = np.exp(light.trend + light.day)
    _draw(panels[0], run, "Green, % of the photo", 100 * share)
    growth = Growth(columns)
    for row in growth.rows[growth.falls]:
        panels[0].axvline(float(run.frames.time_s[row]), **CUTS)
    _draw(panels[1], run, "Light, % of the first photo's; orange: its trend", 100 * trend, 1)
    _draw(panels[1], run, "", 100 * trend * np.exp(light.rest))
    _draw(panels[2], run, "Cumulative change, photos", changes.cumulative)
    _draw(panels[3], run, "Change per hour, % of the photo", 100 * changes.rate)
    for row in np.flatnonzero(curves.read & ~curves.belongs):
        for ax in panels:
            ax.axvline(float(run.frames.time_s[row]), color="#A00000", linewidth=0.7)
    zero = date_of_zero([run])
    if zero is not None:
        _dates(panels[-1], zero)
    return figure


def _draw(ax: Axes, run: Run, title: str, values: Float64, style: int = 0) -> None:
    curve = Curve.of(run.frames.time_s, values.astype(np.float32), pauses_of(run))
    ax.plot(*curve.line, **look(style))
    ax.plot(*curve.dots, marker=".", markersize=3, linestyle="none", color=look(style)["color"])
    ax.grid(visible=True)
    if title:
        ax.set_title(title, loc="left")


def _dates(ax: Axes, zero: datetime) -> None:
    from vfiscope.views.dates import dated_locator

    locator: Any = dated_locator(zero)
    ax.xaxis.set_major_locator(locator)

    def said(seconds: float, _place: float = 0.0) -> str:
        moment = datetime.fromtimestamp(zero.timestamp() + seconds, zero.tzinfo)
        return moment.strftime("%b %d" if moment.hour == 0 else "%b %d %H:%M")

    ax.xaxis.set_major_formatter(said)
