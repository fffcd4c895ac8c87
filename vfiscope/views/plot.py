"""Temporal difference curves: one panel per metric, one curve per run, the time in seconds below and in frames above.

Conventions of the figures:

- A curve joins neighbouring values. It breaks where a frame has no value; a value between two gaps is a dot.
- An infinite value (PSNR of identical frames) is a triangle at the edge of the panel, and the panel counts them. One
  such frame does not break the curve, several in a row do.
- The y axis always reaches to the identity value where that is finite (1 for SSIM, 0 for a distance), so that panels of
  two figures compare by eye, and never shows less than four times the metric's floor, so that noise looks like noise.
- Flagged ranges are shaded; with several runs they are bars at the foot of the panel in the colours of the runs.
- More points than the figure has pixels are thinned to the least and the greatest of each bin, so no spike is lost.

The files are the same, byte for byte, for the same runs and the same matplotlib.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.types import MetricSpec
from vfiscope.views.curves import Curve, extent, frame_axis
from vfiscope.views.export import replacing, suffix_of
from vfiscope.views.names import heading, labels_of, metrics_of, overlay_warnings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vfiscope.store import Run

__all__ = ["draw_metric", "overlay_warnings", "plot_run"]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's colours for every kind of colour vision (2008), without the yellow, which is lost on white."""
DASHES = ("-", "--", "-.", ":")
"""The eighth run has the first colour again, dashed."""
SHADE = "#F6D9A8"
GREY = "#555555"
WARNING = "#A00000"

DPI = 300
WIDTH_IN, PANEL_IN, EDGE_IN = 7.0, 1.5, 1.0
MARKED_FRAMES = 60
"""Up to so many frames every value has a marker."""
INFINITE = 0.05
"""Distance between the rows of infinite values of the runs, in parts of the panel."""
BAR = 0.045
"""Height of a bar of flagged ranges, in parts of the panel."""

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "figure.titlesize": 9,
    "axes.linewidth": 0.6,
    "axes.formatter.useoffset": False,
    "axes.formatter.use_mathtext": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "figure.constrained_layout.h_pad": 0.05,
    "legend.frameon": False,
    "text.parse_math": False,
    "text.usetex": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "vfiscope",
    "pdf.fonttype": 42,
}
METADATA: dict[str, dict[str, str | None]] = {
    ".png": {"Software": "vfiscope"},
    ".svg": {"Creator": "vfiscope", "Date": None},
    ".pdf": {"Creator": "vfiscope", "Producer": None, "CreationDate": None},
}

TITLES = {"psnr_y": "PSNR (luma)", "ssim_rgb": "SSIM (RGB)", "ms_ssim": "MS-SSIM", "midpoint_px": "Midpoint offset"}
ACRONYMS = frozenset({"psnr", "ssim", "mse", "gmsd"})


def plot_run(
    run_or_runs: Run | Sequence[Run],
    out: str | os.PathLike[str] | None = None,
    metrics: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
) -> Figure:
    """Temporal difference curves of one run, or of several overlaid.

    Args:
        run_or_runs: finished runs; the figure names them after their files.
        out: a path that ends in .png (300 dpi), .svg or .pdf (text stays text); None to only return the figure.
        metrics: names of scores, one panel each; all that any run has where None.
        overwrite: replace a file that exists.

    Returns:
        The figure, bound to no window and no global state.

    Raises:
        UsageError: there is no run, none of them has such a metric, or the extension is another one.
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    import matplotlib

    runs = list(run_or_runs) if isinstance(run_or_runs, Sequence) else [run_or_runs]
    names = _choose(runs, metrics)
    path = None if out is None else Path(out)
    suffix = "" if path is None else suffix_of(path, tuple(METADATA))
    with matplotlib.rc_context(STYLE):
        figure = _compose(runs, names)
        if path is not None:
            with replacing(path, overwrite=overwrite) as temporary:
                figure.savefig(temporary, format=suffix[1:], dpi=DPI, metadata=METADATA[suffix])
    return figure


def draw_metric(ax: Axes, runs: Sequence[Run], metric: str, *, labels: Sequence[str] | None = None) -> Axes:
    """Draw the curves of one metric into axes, with flagged ranges, limits, labels and notes.

    Args:
        ax: empty axes.
        runs: finished runs, in the order of their colours; those without the metric are noted.
        metric: name of a score.
        labels: names of the runs for the notes; after their files where None.

    Returns:
        ``ax``.

    Raises:
        UsageError: none of the runs has the metric.
    """
    _choose(runs, [metric])
    spec = next(run.specs[metric] for run in runs if metric in run.scores)
    labels = labels_of(runs) if labels is None else labels
    curves = {n: _curve(run, metric) for n, run in enumerate(runs) if metric in run.scores}
    _set_limits(ax, runs, list(curves.values()), spec)
    for n, run in enumerate(runs):
        _draw_segments(ax, run, metric, n if len(runs) > 1 else None)
    for n, curve in curves.items():
        _draw_curve(ax, curve, n)
    better = "0 is best" if _signed(spec) else "lower is better" if spec.lower_is_better else "higher is better"
    arrow = "" if _signed(spec) else " ↓" if spec.lower_is_better else " ↑"
    ax.set_title(f"{_title(metric)} ({better}){arrow}", loc="left")
    notes = [_note(curves[n], spec) if n in curves else "not scored" for n in range(len(runs))]
    ax.set_title(_told(notes, labels), loc="right", color=GREY, fontsize=7)
    ax.set_ylabel(_title(metric) if spec.unit == "1" else f"{_title(metric)} [{spec.unit}]")
    ax.grid(visible=True)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _curve(run: Run, metric: str) -> Curve:
    """The curve of a metric through the frames of every role that it is defined for."""
    scores, role = run.scores[metric], run.frames.role
    defined = np.isin(role, role[~np.isnan(scores)])
    rows = defined if defined.any() else np.full(len(role), True)
    return Curve.of(run.frames.time_s[rows], scores[rows])


def _choose(runs: Sequence[Run], metrics: Sequence[str] | None) -> list[str]:
    """The names of the panels."""
    if not runs:
        raise UsageError("there is no run to draw: name one or more results")
    known = metrics_of(runs)
    for name in metrics or ():
        if name not in known:
            raise UsageError(f"no run has the metric {name!r}: choose from {', '.join(known) or 'none at all'}")
    names = list(dict.fromkeys(metrics)) if metrics else known
    if not names:
        raise UsageError(f"{runs[0].path} holds no scores: make it again with some metrics")
    return names


def _compose(runs: Sequence[Run], metrics: Sequence[str]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, PANEL_IN * len(metrics) + EDGE_IN), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("\n".join(textwrap.wrap(heading(runs), 100)))
    panels: list[Axes] = list(figure.subplots(len(metrics), sharex=True, squeeze=False)[:, 0])
    labels = labels_of(runs)
    for ax, metric in zip(panels, metrics, strict=True):
        draw_metric(ax, runs, metric, labels=labels)
    _set_time_axes(panels, runs, labels)
    _add_legend(figure, runs, metrics, labels)
    warnings = overlay_warnings(runs, metrics)
    if warnings:
        note = "\n".join(line for warning in warnings for line in textwrap.wrap(warning, 125))
        panels[-1].annotate(
            note, (0.5, 0), (0, -30), "axes fraction", "offset points", ha="center", va="top", color=WARNING, fontsize=7
        )
    return figure


def _set_time_axes(panels: Sequence[Axes], runs: Sequence[Run], labels: Sequence[str]) -> None:
    """Seconds below the last panel, frame numbers above the first."""
    from matplotlib.ticker import MaxNLocator

    extents = [extent(run.frames) for run in runs]
    start, end = min(first for first, _ in extents), max(last for _, last in extents)
    last = max((float(run.frames.time_s[-1]) for run in runs if len(run.frames)), default=0.0)
    margin = 0.01 * (end - start)
    # a little short of the end of the last frame, or the axis would number a frame that is not there
    panels[0].set_xlim(start - margin, max(last + margin, end - 0.02 * (end - last)))
    panels[-1].set_xlabel("Time [s]")
    longest = max(range(len(runs)), key=lambda n: len(runs[n].frames))
    frames = runs[longest].frames
    above = panels[0].secondary_xaxis("top", functions=frame_axis(frames))
    above.xaxis.set_major_locator(MaxNLocator(integer=True))
    above.set_xlabel("Frame" if _same_times(runs, longest) else f"Frame of {labels[longest]}")
    if len(frames) == 1 and all(len(run.frames) == 1 for run in runs):
        panels[-1].set_xticks([float(frames.time_s[0])])
        above.set_xticks([int(frames.index[0])])


def _same_times(runs: Sequence[Run], longest: int) -> bool:
    """Whether one axis of frame numbers is right for every run."""
    to_frame = frame_axis(runs[longest].frames)[0]
    return all(np.allclose(to_frame(run.frames.time_s), run.frames.index, rtol=0, atol=0.01) for run in runs)


def _add_legend(figure: Figure, runs: Sequence[Run], metrics: Sequence[str], labels: Sequence[str]) -> None:
    """The runs by name where there are several, and what shading means where there is any."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], **_look(n)) for n in range(len(runs))] if len(runs) > 1 else []
    texts = list(labels) if len(runs) > 1 else []
    if any(_spans(run, metric) for run in runs for metric in metrics):
        handles.append(Patch(facecolor=SHADE if len(runs) == 1 else "#999999"))
        texts.append("flagged" if len(runs) == 1 else "flagged (by run)")
    if handles:
        longest = max(map(len, texts))
        legend = figure.legend(
            handles,
            ["" for _ in texts],
            loc="outside lower center",
            ncols=max(1, min(len(texts), 110 // (longest + 8))),
        )
        for place, text in zip(legend.get_texts(), texts, strict=True):
            place.set_text(text)  # set afterwards, as matplotlib leaves out labels that begin with an underscore


def _draw_curve(ax: Axes, curve: Curve, n: int) -> None:
    look = _look(n)
    marker = "o" if curve.frames <= MARKED_FRAMES else ""
    ax.plot(*curve.line, marker=marker, markersize=2.2, **look)
    ax.plot(*curve.dots, marker="o", markersize=2.2, linestyle="none", color=look["color"])
    for times, edge, shape in ((curve.above, 1.0, "^"), (curve.below, 0.0, "v")):
        height = abs(edge - 0.035 - INFINITE * n)
        ax.plot(
            times,
            np.full(len(times), height),
            transform=ax.get_xaxis_transform(),
            marker=shape,
            markersize=3,
            markeredgewidth=0,
            linestyle="none",
            color=look["color"],
        )


def _draw_segments(ax: Axes, run: Run, metric: str, n: int | None) -> None:
    """Shade the whole height for a single run (n is None), or draw bars at the foot, one row for each run."""
    spans = _spans(run, metric)
    if not spans:
        return
    low, height, color = (0.0, 1.0, SHADE) if n is None else (0.015 + BAR * n, 0.65 * BAR, _look(n)["color"])
    # the edge keeps a single frame of a long clip visible
    ax.broken_barh(
        spans,
        (low, height),
        transform=ax.get_xaxis_transform(),
        facecolor=color,
        edgecolor=color,
        linewidth=0.8,
        zorder=0.4 if n is None else 1.5,
    )


def _spans(run: Run, metric: str) -> list[tuple[float, float]]:
    """(start, duration) in seconds of the segments of a panel; a segment of no metric of the run is in every panel."""
    return [
        (segment.start_time_s, segment.stop_time_s - segment.start_time_s)
        for segment in run.segments
        if segment.metric == metric or segment.metric not in run.scores
    ]


def _set_limits(ax: Axes, runs: Sequence[Run], curves: Sequence[Curve], spec: MetricSpec) -> None:
    finite = np.concatenate([curve.finite for curve in curves])
    if not len(finite):
        ax.set_ylim(0, 1)
        ax.set_yticks([])
        return
    low, high = float(finite.min()), float(finite.max())
    if np.isfinite(spec.identity):
        low, high = min(low, spec.identity), max(high, spec.identity)
    least = min(4 * spec.floor, spec.high - spec.low) if spec.floor > 0 else 0.02 * max(abs(low), abs(high), 1.0)
    if high - low < least:
        if spec.lower_is_better and low == spec.identity and not _signed(spec):
            high = low + least
        elif high == spec.identity and not spec.lower_is_better:
            low = high - least
        else:
            low, high = (low + high - least) / 2, (low + high + least) / 2
    span = high - low
    flagged = len(runs) > 1 and any(_spans(run, spec.name) for run in runs)
    above = 0.06 + any(len(curve.above) for curve in curves) * (0.06 + INFINITE * len(runs))
    below = 0.06 + any(len(curve.below) for curve in curves) * (0.06 + INFINITE * len(runs)) + flagged * BAR * len(runs)
    ax.set_ylim(low - below * span, high + above * span)


def _note(curve: Curve, spec: MetricSpec) -> str:
    """How many values are not on the curve."""
    parts = []
    if curve.infinite:
        shape = "▲" if len(curve.above) else "▼"
        parts.append(f"{shape} {curve.infinite} {'identical' if np.isinf(spec.identity) else 'infinite'}")
    if curve.undefined:
        parts.append(f"{curve.undefined} without a value")
    return ", ".join(parts)


def _told(notes: Sequence[str], labels: Sequence[str]) -> str:
    """The notes of all runs, equal ones together."""
    if len(set(notes)) == 1:
        return f"{'each ' * bool(len(notes) > 1 and notes[0])}{notes[0]}"
    groups = {note: [label for each, label in zip(notes, labels, strict=True) if each == note] for note in notes}
    told = "; ".join(f"{', '.join(group)}: {note}" for note, group in groups.items() if note)
    return "\n".join(textwrap.wrap(told, 80))


def _signed(spec: MetricSpec) -> bool:
    return spec.low < spec.identity < spec.high


def _title(metric: str) -> str:
    known = metric.upper() if metric in ACRONYMS else metric.replace("_", " ").capitalize()
    return TITLES.get(metric, known)


def _look(n: int) -> dict[str, Any]:
    return {"color": PALETTE[n % len(PALETTE)], "linestyle": DASHES[n // len(PALETTE) % len(DASHES)]}
