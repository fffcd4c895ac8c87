"""The worst frames of a run, spread over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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

    At first one for each flagged segment, and in videos none within half a second of another (in
    one shorter than ``count`` seconds, within half of its share); where that leaves places, the
    next worst so far apart, then any. Fewer come back where fewer have a value.

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
    rows = order[np.isin(order, _spread(run, order, count, apart))]
    return ChosenFrames(tuple(rows.tolist()), metric, role, len(known), apart)


def _spread(run: Run, order: Int64, count: int, apart_s: float) -> list[int]:
    """The first rows of an order that are of different segments and far apart, then those far
    apart, then any.

    Photos may be of one scene each, whatever their times.
    """
    index, times = run.frames.index, run.frames.time_s
    starts, stops = (
        np.array([(each.start, each.stop) for each in run.segments], np.int64).reshape(-1, 2).T
    )
    rows: list[int] = []
    event, near, chosen = (np.zeros(len(run), np.bool_) for _ in range(3))
    for taken in (event, near, chosen):
        while len(rows) < count and len(free := order[~taken[order]]):
            row = int(free[0])
            rows.append(row)
            chosen[row] = True
            near |= chosen | (np.abs(times - times[row]) < apart_s)
            event |= near
            for segment in np.flatnonzero((starts <= index[row]) & (index[row] < stops)):
                event |= (starts[segment] <= index) & (index < stops[segment])
    return rows


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
