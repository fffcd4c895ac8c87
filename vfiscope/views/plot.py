"""Temporal difference curves: one panel per metric, one curve per run, below them the time and the
frames.

Conventions of the figures:

- A panel is headed by the metric, its unit and an arrow, up where more is better, down where less
  is; a metric that tells about the material and not about its quality has no arrow.
- A curve joins neighbouring values. It breaks where a frame has no value; a value between two gaps
  is a dot. Where the roles of frames are known, passed and synthesised frames have a curve each,
  and those passed the thin pale one.
- An infinite value (PSNR of identical frames) is a triangle at the edge of the panel, and the panel
  counts them. One such frame does not break the curve, several in a row do.
- The y axis fits the values that headline numbers are about: where roles are known, those of
  synthesised frames. It reaches to the identity value (1 for SSIM, 0 for a distance) and to the
  values of passed frames where that at most doubles it, and passed frames beyond are noted; always
  to the thresholds of the rules that the run was flagged by, and never shows less than a quarter of
  the metric's floor, so that noise looks like noise.
- Flagged ranges are shaded from midway to the frame before them to midway to the one after, and
  never over a gap in the times; with several runs they are bars at the foot of the panel in the
  colours of the runs.
- The worst frame of a single run has a ring and its number, or the file's name; of the synthesised
  ones where known.
- A cut is a dotted line through all panels, a damaged frame a cross at the foot of all panels.
- Independent images are dots that nothing joins, over their names where these fit.
- More points than the figure has pixels are thinned to the least and the greatest of each bin, so
  no spike is lost.
- Times are in seconds, from three hours on in hours, from four days on in days. Images that tell
  when they were taken have dates instead, and their curves break at pauses, as over night. Images
  without times, and without a rate that somebody stated, have numbers alone.
- More than six panels are drawn in two columns.

The files are the same, byte for byte, for the same runs and the same matplotlib.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.views.curves import extent, frame_axis
from vfiscope.views.dates import date_of_zero, dated_axis, dated_locator, frame_ticks, taken_words
from vfiscope.views.drawn import drawn
from vfiscope.views.image_axis import (
    are_independent,
    are_undated,
    check_dates,
    image_axis,
    names_room_in,
)
from vfiscope.views.legend import Legend
from vfiscope.views.naming import choose, heading, labels_for, overlay_warnings
from vfiscope.views.panel import draw_metric
from vfiscope.views.style import clean_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

    from vfiscope.store import Run

__all__ = ["draw_metric", "overlay_warnings", "plot_run"]

FIGURE_WIDTH_IN, PANEL_IN, FIGURE_EDGE_IN = 7.0, 1.35, 0.9
FRAMES_BELOW_PT = 30
"""Distance of the axis of frame numbers from the panel: the axis of seconds fits between."""
MOST_PANELS = 64
ONE_COLUMN = 6
"""More panels than these are drawn in two columns."""
TIME_UNITS = (("d", 86400.0, 4.0), ("h", 3600.0, 3.0), ("s", 1.0, 0.0))
"""(unit, its seconds, how many of it a figure spans at least), for time-lapses of days."""


def plot_run(
    run_or_runs: Run | Sequence[Run],
    out: str | os.PathLike[str] | None = None,
    metrics: Sequence[str] | None = None,
    *,
    labels: Sequence[str] | None = None,
    overwrite: bool = False,
) -> Figure:
    """Temporal difference curves of one run, or of several overlaid.

    Args:
        run_or_runs: finished runs.
        out: a path that ends in .png (300 dpi), .svg or .pdf (text stays text); None to only return
            the figure.
        metrics: names of scores, one panel each; where None all that any run has, but ``cut``,
            which is drawn as lines.
        labels: what the runs are called, one for each; where None the names of their files.
        overwrite: replace a file that exists.

    Returns:
        The figure, bound to no window and no global state.

    Raises:
        UsageError: there is no run, none of them has such a metric, there are too many, the labels
            are not one name for each, one has dates and another no times, or the extension is not
            supported.
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    runs = list(run_or_runs) if isinstance(run_or_runs, Sequence) else [run_or_runs]
    names, called = choose(runs, metrics), labels_for(runs, labels)
    if len(names) > MOST_PANELS:
        raise UsageError(
            f"{len(names)} metrics are too many for one figure: choose up to {MOST_PANELS} with"
            " metrics"
        )
    check_dates(runs, called)
    return drawn(lambda: _compose(runs, names, called), out, overwrite=overwrite)


def _compose(runs: Sequence[Run], metrics: Sequence[str], labels: Sequence[str]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 1 if len(metrics) <= ONE_COLUMN else 2
    rows = -(-len(metrics) // columns)
    legend = Legend.of(runs, metrics, labels)
    below = names_room_in(runs) if are_independent(runs) else 0.0
    height = PANEL_IN * rows + FIGURE_EDGE_IN + legend.height_in + below
    figure = Figure(figsize=(FIGURE_WIDTH_IN, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    texts = [heading(runs), *taken_words(runs)]
    titles = [line for text in texts for line in textwrap.wrap(text, 100)]
    figure.suptitle("\n".join(titles))
    panels: list[Axes] = []
    for place, metric in enumerate(metrics, start=1):
        ax = figure.add_subplot(rows, columns, place, sharex=panels[0] if panels else None)
        panels.append(draw_metric(ax, runs, metric, labels=labels))
        ax.tick_params(labelbottom=False)
    _set_time_axes(panels[0], panels[-columns:], runs, labels)
    legend.add_to(figure)
    return clean_texts(figure)


def _locator(length: float) -> Locator:
    """Ticks for an axis in seconds at the ticks of an axis in a longer unit."""
    from matplotlib.ticker import AutoLocator

    class Scaled(AutoLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            return length * np.asarray(super().tick_values(vmin / length, vmax / length))

    return Scaled()


def _numbered(run: Run) -> Locator:
    """Ticks for an axis in seconds at whole frames."""
    from matplotlib.ticker import MaxNLocator

    to_frame, to_time = frame_axis(run.frames)

    class Numbered(MaxNLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            return to_time(super().tick_values(float(to_frame(vmin)), float(to_frame(vmax))))

    return Numbered(integer=True)


def _set_time_axes(
    first: Axes, lowest: Sequence[Axes], runs: Sequence[Run], labels: Sequence[str]
) -> None:
    """The time below the lowest panels, and frame numbers below that."""
    extents = [extent(run.frames) for run in runs]
    start, end = min(opening for opening, _ in extents), max(closing for _, closing in extents)
    last = max((float(run.frames.time_s.max()) for run in runs if len(run.frames)), default=0.0)
    margin = 0.01 * (end - start)
    # a little short of the end of the last frame, or the axis would number a frame that is not
    # there
    first.set_xlim(start - margin, max(last + margin, end - 0.02 * (end - last)))
    unit, length = next(
        (name, size) for name, size, least in TIME_UNITS if end - start >= least * size
    )
    zero = date_of_zero(runs)
    longest = max(range(len(runs)), key=lambda n: extents[n][1])
    undated = are_undated(runs)
    timed = _locator(length) if zero is None else dated_locator(zero)
    first.xaxis.set_major_locator(_numbered(runs[longest]) if undated else timed)
    frames = runs[longest].frames
    single = len(frames) == 1 and all(len(run.frames) == 1 for run in runs)
    for ax in lowest:
        if are_independent(runs):
            image_axis(ax, runs)
            continue
        axes = []
        if not undated:
            axes.append(_times(ax, unit, length) if zero is None else dated_axis(ax, zero))
        axes.append(_frame_numbers(ax, runs, longest, labels))
        if not undated:
            axes[-1].spines["bottom"].set_position(("outward", FRAMES_BELOW_PT))
        place = ax.get_subplotspec()
        for each in axes:
            # elsewhere there is an empty panel's room for it
            each.set_in_layout(place is None or place.is_last_row())
        if single:
            ax.set_xticks([float(frames.time_s[0])])
            for each, at in zip(reversed(axes), (frames.index, frames.time_s), strict=False):
                each.set_xticks([at[0].item()])


def _times(ax: Axes, unit: str, length: float) -> Any:
    """The axis of times that are no dates."""
    scale = (lambda time_s: time_s / length, lambda time: time * length)
    times = ax.secondary_xaxis("bottom", functions=scale)
    times.set_xlabel(f"Time [{unit}]", labelpad=2)
    return times


def _frame_numbers(ax: Axes, runs: Sequence[Run], longest: int, labels: Sequence[str]) -> Any:
    """The axis of frame numbers, those of the longest run."""
    from matplotlib.ticker import MaxNLocator

    numbers = ax.secondary_xaxis("bottom", functions=frame_axis(runs[longest].frames))
    numbers.set_xlabel(
        "Frame" if _same_times(runs, longest) else f"Frame of {labels[longest]}", labelpad=2
    )
    numbers.xaxis.set_major_locator(MaxNLocator(integer=True))
    if (ticks := frame_ticks(runs[longest])) is not None:
        numbers.set_xticks(ticks)
    return numbers


def _same_times(runs: Sequence[Run], longest: int) -> bool:
    """True if one axis of frame numbers is right for every run."""
    to_frame = frame_axis(runs[longest].frames)[0]
    return all(
        np.allclose(to_frame(run.frames.time_s), run.frames.index, rtol=0, atol=0.01)
        for run in runs
    )
