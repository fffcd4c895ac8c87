"""The worst frames of a run, spread over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.registry import suggest
from vfiscope.store import headline_role, rows_of
from vfiscope.types import Float32, Float64, Int64, MetricSpec

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["ChosenFrames", "chosen_frames", "worst_frames"]

APART_S = 0.5
"""Seconds between two worst frames of a video, while there are others; in a short one less, so that
no good frame is among them for its place alone."""


BY_FAR = 0.1
"""A frame that departs by less than this part of what a skipped one does is not shown instead."""


@dataclass(frozen=True)
class ChosenFrames:
    """Rows of a run, and by what they were chosen."""

    rows: tuple[int, ...]
    metric: str | None
    """The metric that they are headed by; None where no score has a value."""
    role: str
    """"synthesised" or "all": which frames the worst are the worst of; "" where frames were asked
    for by number."""
    among: int
    """How many of these have a value."""
    apart_s: float = 0.0
    """Seconds that were kept between them as long as there was a choice."""
    spread: bool = False
    """True if frames were skipped that are worse than some of these."""
    floor: float = 0.0
    """Frames that depart from a perfect one by less were left out, and so there are fewer than were
    asked for; 0 where none was."""
    unscored: int = 0
    """How many of the rows, at the end, are those of flagged segments without a score."""


def chosen_frames(run: Run, ordinals: Sequence[int], by: str | None) -> ChosenFrames:
    """The rows of decode ordinals, in the order given.

    Raises:
        UsageError: none is passed, or the run holds no such frame or metric.
    """
    if not ordinals:
        raise UsageError("no frame is chosen: pass one or more by number, or ask for the worst")
    rows = {int(index): row for row, index in enumerate(run.frames.index)}
    for ordinal in ordinals:
        if ordinal not in rows:
            held = (
                f"it holds {len(rows)}, from {min(rows)} to {max(rows)}"
                if rows
                else "it holds none"
            )
            raise UsageError(f"{run.path} has no frame {ordinal}: {held}")
    metric = None if by is None else _known(run, by)
    found = tuple(dict.fromkeys(rows[ordinal] for ordinal in ordinals))
    return ChosenFrames(found, metric or _telling(run), "", len(found))


def worst_frames(run: Run, count: int, by: str | None) -> ChosenFrames:
    """The worst frames by a metric, the worst first.

    At first the worst one of each flagged segment of whatever kind; then, in videos, the worst that
    are in none and not within half a second of another (in one shorter than ``count`` seconds,
    within half of its share), then those of the
    segments so far apart, as long as they are not better by far than one that is skipped; then
    the skipped ones. Fewer come back where fewer have a value, or depart by the metric's floor; at
    least one of those with a value does.

    Args:
        run: where frames are told apart, its synthesised frames are looked at, else all.
        count: 1 or more.
        by: a metric; None for the first that ranks and has values.

    Raises:
        UsageError: the count is below 1, or the run has no such metric or no value of it.
    """
    if count < 1:
        raise UsageError(f"worst is {count}: pass 1 or more")
    role = headline_role(run.frames)
    metric = _telling(run) if by is None else _known(run, by)
    bad = (
        badness(run.scores[metric], run.specs[metric])
        if metric is not None
        else np.full(len(run), np.nan)
    )
    bad = np.where(rows_of(run.frames, role), bad, np.nan)
    known = np.flatnonzero(np.isfinite(bad))
    if not len(known):
        what = "any score" if metric is None else metric
        raise UsageError(
            f"no frame of {run.path} has a finite value of {what}: choose frames by number"
        )
    order = known[np.argsort(-bad[known], kind="stable")]
    apart = 0.0 if run.names else min(APART_S, float(np.ptp(run.frames.time_s)) / (2 * count))
    departs, floor = _departures(bad, None if metric is None else run.specs[metric])
    found = _spread(run, order, departs, floor, count, apart)
    unscored = [row for row in found if not np.isfinite(bad[row])]
    scored = order[np.isin(order, found)].tolist()
    rows = (*scored, *unscored)
    spread = scored != order[: len(scored)].tolist()
    fewer = len(rows) < min(count, len(known))
    return ChosenFrames(
        rows, metric, role, len(known), apart, spread, floor if fewer else 0.0, len(unscored)
    )


def _departures(bad: Float64, spec: MetricSpec | None) -> tuple[Float64, float]:
    """How far frames are from a perfect one, and the least that counts; where a perfect one has an
    infinite score, how far from the median, and any counts."""
    if spec is None or not np.isfinite(spec.identity):
        return bad - np.nanmedian(bad), -np.inf
    signed = spec.low < spec.identity < spec.high
    perfect = 0.0 if signed else spec.identity if spec.lower_is_better else -spec.identity
    return bad - perfect, spec.floor


def _spread(
    run: Run, order: Int64, departs: Float64, floor: float, count: int, apart_s: float
) -> list[int]:
    """The rows of an order that :func:`worst_frames` shows.

    Photos may be of one scene each, whatever their times.
    """
    times = run.frames.time_s
    chosen, event = _of_segments(run, order, count)
    near = np.zeros(len(run), np.bool_)
    for row in np.flatnonzero(chosen):
        near |= np.abs(times - times[row]) < apart_s
    for left_out in ((event, near), (near,), ()):
        while chosen.sum() < count:
            free = order[~np.logical_or.reduce((chosen, *left_out))[order]]
            if not len(free):
                break
            row, worst = free[0], order[~chosen[order]][0]
            better_by_far = row != worst and departs[row] < BY_FAR * departs[worst]
            if better_by_far or (chosen[order].any() and departs[row] < floor):
                break
            chosen[row] = True
            near |= np.abs(times - times[row]) < apart_s
    return [int(row) for row in np.flatnonzero(chosen)]


def _of_segments(run: Run, order: Int64, count: int) -> tuple[NDArray[np.bool_], ...]:
    """(N,) the worst row of each flagged segment that holds none yet, up to a count, those of the
    worst segments first; and (N,) all rows of these segments.

    Of a segment without a row in the order, its peak, last: a duplicate may pass for an original.
    """
    chosen, inside = (np.zeros(len(run), np.bool_) for _ in range(2))
    index = run.frames.index[order]
    rank = np.full(len(run), len(run))
    rank[order] = np.arange(len(order))
    events = []
    for each in run.segments:
        if each.kind != "cut" and each.role != "passed":
            rows = order[(each.start <= index) & (index < each.stop)]
            events.append(
                rows if len(rows) else np.flatnonzero(run.frames.index == each.peak_index)
            )
    for rows in sorted((each for each in events if len(each)), key=lambda each: int(rank[each[0]])):
        room = count if rank[rows[0]] < len(order) else count - 1
        if chosen.sum() < room and not chosen[rows].any():
            chosen[rows[0]] = True
        inside[rows] = True
    return chosen, inside


def badness(values: Float32, spec: MetricSpec) -> Float64:
    """(N,) more where worse; NaN where a value is not finite."""
    array = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    if spec.low < spec.identity < spec.high:
        return np.abs(array - spec.identity)
    return array if spec.lower_is_better else -array


def _known(run: Run, name: str) -> str:
    if name not in run.scores:
        raise UsageError(f"{run.path} has no metric {name!r}: {suggest(name, run.scores)}")
    return name


def _telling(run: Run) -> str | None:
    """The first metric that ranks and has values; where none ranks, the one that departs most, in
    its own floors."""
    rows = rows_of(run.frames, headline_role(run.frames))
    known = [name for name, values in run.scores.items() if np.isfinite(values[rows]).any()]
    for name in known:
        if run.specs[name].ranks:
            return name
    faults = [
        name for name in known if np.isfinite(run.specs[name].identity) and name in run.maps
    ] or known

    def most(name: str) -> float:
        return float(
            np.nanmax(np.abs(run.scores[name][rows] - run.specs[name].identity))
            / (run.specs[name].floor or 1.0)
        )

    return max(faults, key=most, default=None)
