"""One metric in one panel: its curves, flagged ranges, cuts, thresholds, damaged frames and
range."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.segments import Columns, Rule, limits_of, parse_rule
from vfiscope.store import headline_role, rows_of, worst_row
from vfiscope.types import Float64, MetricSpec, Role, Segment, Status, date
from vfiscope.views.curves import QUIET, Curve, curves_of, headline, limits, merged, shade, thin
from vfiscope.views.image_axis import image_name
from vfiscope.views.naming import choose, informative, labels_of, of_passed, title
from vfiscope.views.style import CUTS, DAMAGE_MARKER, GREY, SHADE, THRESHOLDS, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vfiscope.store import Run

__all__ = ["cut_times", "damaged_times", "draw_metric", "flagged", "thresholds"]

MARKED_FRAMES = 60
"""Every value has a marker if the longest run has at most this many frames."""
PANEL_MARGIN_SHARE = 0.06
"""Of the panel, above and below the values."""
INFINITE_ROW_SPACING, FLAG_BAR_SPACING, MAX_ROWS_SHARE = 0.05, 0.045, 0.3
"""Of the panel: distance between the rows of infinite values of the runs, and between their bars of
flagged ranges; and what the rows of all runs may take."""
TITLE_CHARACTERS, NOTE_CHARACTERS = 16, 18
"""To the inch."""
NOTE_LINES = 3
"""Runs are noted together where their own notes take more."""


def draw_metric(
    ax: Axes, runs: Sequence[Run], metric: str, *, labels: Sequence[str] | None = None
) -> Axes:
    """Draw the curves of one metric into axes, with flagged ranges, cuts, thresholds, limits, title
    and notes.

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
    choose(runs, [metric])
    spec = next(run.specs[metric] for run in runs if metric in run.scores)
    curves = {n: curves_of(run, metric) for n, run in enumerate(runs) if metric in run.scores}
    _set_limits(ax, runs, list(curves.values()), spec)
    for value in thresholds(runs, metric):
        ax.axhline(value, **THRESHOLDS)
    ax.vlines(cut_times(runs), 0, 1, transform=ax.get_xaxis_transform(), zorder=1.2, **CUTS)
    for n, run in enumerate(runs):
        _draw_flagged(
            ax,
            run,
            metric,
            n if len(runs) > 1 else None,
            min(FLAG_BAR_SPACING, MAX_ROWS_SHARE / len(runs)),
        )
        _draw_damage(ax, run, n)
    marker = "o" if max(len(run.frames) for run in runs) <= MARKED_FRAMES else ""
    for n, each in curves.items():
        for role, curve in each.items():
            _draw_curve(ax, curve, {"marker": marker, "markersize": 2.2, **look(n, role)})
            _draw_infinite(ax, curve, n, min(INFINITE_ROW_SPACING, MAX_ROWS_SHARE / len(runs)))
    if len(runs) == 1 and len(runs[0].frames) > 1 and not informative(spec):
        _mark_worst(ax, runs[0], metric)
    noted = [list(curves.get(n, {}).values()) for n in range(len(runs))]
    _set_titles(ax, spec, noted, labels or labels_of(runs), _passed_note(ax, list(curves.values())))
    ax.grid(visible=True)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def flagged(run: Run, metric: str) -> list[Segment]:
    """The segments to shade in a panel; one of no metric of the run is in every panel, a cut in
    none.

    Those of frames that were passed through are in the panels that show these alone.
    """
    found = [
        segment
        for segment in run.segments
        if segment.metric == metric or segment.metric not in run.scores
    ]
    passed = metric in run.scores and of_passed(run, metric)
    return [
        segment
        for segment in found
        if segment.kind != "cut" and (passed or segment.role != "passed")
    ]


def cut_times(runs: Sequence[Run]) -> Float64:
    """Seconds of the cuts of all runs, each in the middle of the frames that lie across it;
    thinned."""
    found = []
    for run in runs:
        cuts = [(each.start, each.stop) for each in run.segments if each.kind == "cut"]
        first, end = np.searchsorted(run.frames.index, np.array(cuts, np.int64).reshape(-1, 2).T)
        found.append((run.frames.time_s[first] + run.frames.time_s[end - 1]) / 2)
    return thin(np.unique(np.concatenate(found)))[0]


def damaged_times(run: Run) -> Float64:
    """Seconds of corrupt and unreadable frames; thinned."""
    return thin(run.frames.time_s[np.isin(run.frames.status, (Status.CORRUPT, Status.UNREADABLE))])[
        0
    ]


def thresholds(runs: Sequence[Run], metric: str) -> list[float]:
    """The values of the rules by which the runs were flagged that are about single frames of a
    metric."""
    asked = [(parse_rule(text), run) for run in runs for text in run.rules]
    mine = [
        limits_of(rule, Columns.of(run))
        for rule, run in asked
        if isinstance(rule, Rule) and rule.name == metric.lower() and not rule.function
    ]
    return sorted({limit for found in mine for limit in found})


def _set_titles(
    ax: Axes,
    spec: MetricSpec,
    curves: Sequence[Sequence[Curve]],
    labels: Sequence[str],
    passed: str,
) -> None:
    """The name at the left and, in what is left of the width, what is not on the curves: run by
    run, or in all; and what is to be said of passed frames."""
    name = title(spec)
    width = ax.bbox.width / ax.figure.dpi - len(name) / TITLE_CHARACTERS
    characters = max(20, int(NOTE_CHARACTERS * width))
    told = _told([_note(each, spec) for each in curves], labels)
    lines = textwrap.wrap("; ".join(filter(None, (told, passed))), characters)
    if len(lines) > NOTE_LINES:
        unscored = sum(not each for each in curves)
        together = _note([curve for each in curves for curve in each], spec)
        counts = [f"{together} in all"] * bool(together) + [f"{unscored} runs not scored"] * bool(
            unscored
        )
        lines = textwrap.wrap("; ".join(filter(None, (", ".join(counts), passed))), characters)
    ax.set_title(name, loc="left")
    ax.set_title("\n".join(lines), loc="right", color=GREY, fontsize=7)


def _draw_curve(ax: Axes, curve: Curve, style: dict[str, Any]) -> None:
    ax.plot(*curve.line, **style)
    ax.plot(*curve.dots, **{**style, "linestyle": "none", "marker": style["marker"] or "o"})


def _mark_worst(ax: Axes, run: Run, metric: str) -> None:
    """A ring around the worst value, and which frame it is; of the synthesised ones where those are
    known.

    None around what is as good as perfect.
    """
    spec = run.specs[metric]
    scores = np.where(rows_of(run.frames, headline_role(run.frames)), run.scores[metric], np.nan)
    row = worst_row(scores, spec)
    if row is None or abs(scores[row] - spec.identity) < QUIET * spec.floor:
        return
    at = float(run.frames.time_s[row]), float(scores[row])
    ax.scatter(*at, s=14, facecolors="none", edgecolors=GREY, linewidths=0.7, zorder=3)
    right, top = (ax.transData.transform(at) - ax.bbox.min) / ax.bbox.size > 0.5
    moment = run.moment(row)
    text = image_name(run, row) if run.names else f"{int(run.frames.index[row])}"
    text += "" if moment is None else f", {date(moment)}"
    ax.annotate(
        text,
        at,
        (-4 if right else 4, -3 if top else 3),
        textcoords="offset points",
        ha="right" if right else "left",
        va="top" if top else "bottom",
        fontsize=6,
        color=GREY,
        zorder=3,
    )


def _draw_infinite(ax: Axes, curve: Curve, n: int, row: float) -> None:
    """Triangles at the edges, in the n-th of rows that are so high in parts of the panel."""
    for times, edge, shape in ((curve.above, 1.0, "^"), (curve.below, 0.0, "v")):
        ax.plot(
            times,
            np.full(len(times), abs(edge - 0.035 - row * n)),
            transform=ax.get_xaxis_transform(),
            marker=shape,
            markersize=3.2,
            markeredgewidth=0,
            linestyle="none",
            color=look(n)["color"],
        )


def _draw_flagged(ax: Axes, run: Run, metric: str, n: int | None, row: float) -> None:
    """Shade the whole height for a single run (n is None), or draw bars at the foot, in the n-th of
    rows so high."""
    found = flagged(run, metric)
    if not found:
        return
    starts, stops = [each.start for each in found], [each.stop for each in found]
    spans = [(a, b - a) for a, b in zip(*merged(*shade(run.frames, starts, stops)), strict=True)]
    low, height, color = (
        (0.0, 1.0, SHADE) if n is None else (0.015 + row * n, 0.65 * row, look(n)["color"])
    )
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


def _draw_damage(ax: Axes, run: Run, n: int) -> None:
    times = damaged_times(run)
    if len(times):  # an empty line that is not clipped would upset the layout
        foot = np.zeros(len(times))
        ax.plot(
            times,
            foot,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            color=look(n)["color"],
            **DAMAGE_MARKER,
        )


def _set_limits(
    ax: Axes, runs: Sequence[Run], curves: Sequence[Mapping[Role, Curve]], spec: MetricSpec
) -> None:
    """The values that headline numbers are about fill the panel; those of passed frames may lie
    beyond it."""
    drawn = [curve for each in curves for curve in each.values()]
    finite = np.concatenate([curve.finite for each in curves for curve in headline(each)])
    if not len(finite):
        ax.set_ylim(0, 1)
        ax.set_yticks([])
        return
    low, high = limits(
        finite, spec, thresholds(runs, spec.name), np.concatenate([curve.finite for curve in drawn])
    )
    bars = len(runs) > 1 and any(flagged(run, spec.name) for run in runs)
    rows = PANEL_MARGIN_SHARE + min(INFINITE_ROW_SPACING * len(runs), MAX_ROWS_SHARE)
    above = PANEL_MARGIN_SHARE + rows * any(len(curve.above) for curve in drawn)
    below = (
        PANEL_MARGIN_SHARE
        + rows * any(len(curve.below) for curve in drawn)
        + bars * min(FLAG_BAR_SPACING * len(runs), MAX_ROWS_SHARE)
    )
    ax.set_ylim(low - below * (high - low), high + above * (high - low))


def _passed_note(ax: Axes, curves: Sequence[Mapping[Role, Curve]]) -> str:
    """A note if a panel shows only passed frames, or not all of them."""
    if curves and all(list(each) == [Role.PASSED] for each in curves):
        return "passed frames only"
    low, high = ax.get_ylim()
    finite = [
        curve.finite for each in curves for role, curve in each.items() if role == Role.PASSED
    ]
    beyond = any((values < low).any() or (values > high).any() for values in finite)
    return "passed frames beyond the panel" if beyond else ""


def _note(curves: Sequence[Curve], spec: MetricSpec) -> str:
    """How many values are not on the curves of a run; of a run of one frame, its value."""
    if not curves:
        return "not scored"
    infinite, undefined = (
        sum(curve.infinite for curve in curves),
        sum(curve.undefined for curve in curves),
    )
    alone = curves[0].finite if sum(curve.frames for curve in curves) == 1 else ()
    parts = [f"{value:.5g}" for value in alone]
    if infinite:
        shape = "▲" if any(len(curve.above) for curve in curves) else "▼"
        parts.append(
            f"{shape}\u00a0{infinite} {'identical' if np.isinf(spec.identity) else 'infinite'}"
        )
    if undefined:
        parts.append(f"{undefined} without a value")
    return ", ".join(parts)


def _told(notes: Sequence[str], labels: Sequence[str]) -> str:
    """The notes of all runs, equal ones together."""
    if len(set(notes)) == 1:
        return f"{'each ' * bool(len(notes) > 1 and notes[0])}{notes[0]}"
    groups = {
        note: [label for each, label in zip(notes, labels, strict=True) if each == note]
        for note in notes
    }
    return "; ".join(f"{', '.join(group)}: {note}" for note, group in groups.items() if note)
