"""The contents of a panel for a column of scores: lines, dots, infinite values, range; and the map
from seconds to frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vfiscope.types import Float64, FrameTable, MetricSpec, Role
from vfiscope.views.dates import pauses_of
from vfiscope.views.naming import informative

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = [
    "Curve",
    "curves_of",
    "extent",
    "frame_axis",
    "headline",
    "limits",
    "merged",
    "roles_of",
    "shade",
    "thin",
]

Mapped = Callable[[ArrayLike], Float64]

FIGURE_BINS = 2000
"""Bins across a figure: about one per dot of a figure of 7 inches at 300 dots per inch."""
QUIET = 0.25
"""Least range of a panel, in multiples of the metric's floor: what fills it is at least a quarter
of what is flagged."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One run's scores of one metric, ready to be drawn. Times are in seconds."""

    line: tuple[Float64, Float64]
    """(M,) times and values, NaN where the line breaks; thinned."""
    dots: tuple[Float64, Float64]
    """Values with no neighbour to be joined to; thinned."""
    above: Float64
    """Times of +inf; thinned."""
    below: Float64
    """Times of -inf; thinned."""
    frames: int
    infinite: int
    undefined: int

    @classmethod
    def of(
        cls, times: Float64, scores: NDArray[np.float32], breaks: Float64 | None = None
    ) -> Curve:
        """Prepare (N,) times and (N,) scores; the line also breaks before the times of ``breaks``.

        A single infinite value between finite ones is left out of the line, which goes straight on:
        every second frame of an interpolated clip is such a one. Several in a row break it, as NaN
        does.
        """
        values = np.asarray(scores, dtype=np.float64)
        infinite = np.isinf(values)
        near = np.r_[False, infinite[:-1]] | np.r_[infinite[1:], False]
        kept = ~infinite | near
        line_times, line = times[kept], np.where(infinite[kept], np.nan, values[kept])
        if breaks is not None and len(breaks):
            places = np.searchsorted(line_times, breaks)
            line_times = np.insert(line_times, places, breaks)
            line = np.insert(line, places, np.nan)
        known = np.isfinite(line)
        alone = known & ~np.r_[False, known[:-1]] & ~np.r_[known[1:], False]
        return cls(
            line=thin(line_times, line),
            dots=thin(line_times[alone], line[alone]),
            above=thin(times[values == np.inf])[0],
            below=thin(times[values == -np.inf])[0],
            frames=len(values),
            infinite=int(infinite.sum()),
            undefined=int(np.isnan(values).sum()),
        )

    @property
    def finite(self) -> Float64:
        """The finite values that are drawn; the least and the greatest of all are among them."""
        return self.line[1][np.isfinite(self.line[1])]


def roles_of(run: Run, metric: str) -> list[Role]:
    """The roles of the frames that a metric is defined for, in order; all where it is nowhere
    defined."""
    scores, role = run.scores[metric], run.frames.role
    defined = role[~np.isnan(scores)]
    return [Role(int(value)) for value in np.unique(defined if len(defined) else role)]


def curves_of(run: Run, metric: str) -> dict[Role, Curve]:
    """A curve for each role: passed and synthesised frames alternate, and one line through both is
    a saw. Independent images are dots."""
    rows = {role: run.frames.role == role for role in roles_of(run, metric)}
    alone = bool(run.config.get("independent"))
    breaks = run.frames.time_s if alone else pauses_of(run)
    return {
        role: Curve.of(run.frames.time_s[mine], run.scores[metric][mine], breaks)
        for role, mine in rows.items()
    }


def headline(curves: Mapping[Role, Curve]) -> list[Curve]:
    """The curves of a run that its headline numbers are about: not that of passed frames, where
    others have values."""
    return [curve for role, curve in curves.items() if role != Role.PASSED] or list(curves.values())


def limits(
    finite: Float64,
    spec: MetricSpec,
    thresholds: Sequence[float] = (),
    passed: Float64 | None = None,
) -> tuple[float, float]:
    """(least, greatest) value that a panel must show.

    Args:
        finite: (N,) values to be drawn, one or more.
        spec: the range reaches to its identity where that at most doubles it; it is never less than
            a quarter of its floor, or than a hundredth of the greatest value where it has none, so
            that noise looks like noise.
        thresholds: further values that must be seen.
        passed: further values, of frames that were passed through, to which the range reaches as to
        the identity.
    """
    low, high = float(finite.min()), float(finite.max())
    least = 0.01 * max(abs(low), abs(high)) or 1.0
    if spec.floor > 0 and not informative(spec):
        least = QUIET * spec.floor
    lacking = max(0.0, least - (high - low)) / 2
    low, high = low - lacking, high + lacking
    shift = min(lacking, max(0.0, spec.low - low)) - min(lacking, max(0.0, high - spec.high))
    low, high = low + shift, high + shift
    inside = (2 * low - high, 2 * high - low)
    for value in (
        spec.identity,
        *(() if passed is None or not len(passed) else (passed.min(), passed.max())),
    ):
        if inside[0] <= value <= inside[1]:
            low, high = min(low, float(value)), max(high, float(value))
    return min(low, *thresholds, high), max(low, *thresholds, high)


def thin(
    times: Float64, values: Float64 | None = None, bins: int = FIGURE_BINS
) -> tuple[Float64, Float64]:
    """Of every bin of rows keep the first, the last, the least, the greatest and the ends of its
    gaps, in order.

    Args:
        times: (N,).
        values: (N,), NaN in gaps; zeros where None.
        bins: at most five rows are kept for each; up to ``5 * bins`` rows come back unchanged.
    """
    values = np.zeros(len(times)) if values is None else values
    if len(times) <= 5 * bins:
        return times, values
    size = -(-len(times) // bins)
    rows = np.minimum(np.arange(size * -(-len(times) // size)), len(times) - 1).reshape(-1, size)
    binned = values[rows]
    gaps = np.isnan(binned)
    picks = [
        np.zeros(len(rows), np.int64),
        np.full(len(rows), size - 1),
        np.where(gaps, np.inf, binned).argmin(axis=1),
        np.where(gaps, -np.inf, binned).argmax(axis=1),
        gaps.argmax(axis=1),
        size - 1 - gaps[:, ::-1].argmax(axis=1),
    ]
    kept = np.unique(np.concatenate([rows[np.arange(len(rows)), pick] for pick in picks]))
    return times[kept], values[kept]


def extent(frames: FrameTable) -> tuple[float, float]:
    """(start, end) in seconds; the last frame lasts the median interval, a single frame half a
    second to both sides."""
    times = frames.time_s
    if len(times) < 2 or not times.max() > times.min():
        centre = float(times[0]) if len(times) else 0.0
        return centre - 0.5, centre + 0.5
    # times may go back, as those of joined videos
    return float(times.min()), float(times.max() + max(0.0, np.median(np.diff(times))))


def shade(frames: FrameTable, start: ArrayLike, stop: ArrayLike) -> tuple[Float64, Float64]:
    """(left, right) in seconds of half-open ranges of frames: from midway to the one before to
    midway to the next.

    Never further than half the median interval: what lies in a gap, as a night, was not looked at.
    """
    times = frames.time_s
    first, end = (np.searchsorted(frames.index, each) for each in (start, stop))
    last = np.maximum(first, end - 1)
    opening, closing = extent(frames)
    half = (closing - float(times.max())) / 2 if len(times) > 1 else (closing - opening) / 2
    before = np.where(first > 0, (times[first] - times[first - 1]) / 2, half)
    following = np.minimum(last + 1, len(times) - 1)
    after = np.where(last < following, (times[following] - times[last]) / 2, half)
    left = times[first] - np.minimum(half, np.maximum(0.0, before))
    return left, times[last] + np.minimum(half, np.maximum(0.0, after))


def merged(left: Float64, right: Float64, bins: int = FIGURE_BINS) -> tuple[Float64, Float64]:
    """Ranges, those closer than a bin as one; up to ``bins`` of them come back unchanged."""
    if len(left) <= bins:
        return left, right
    order = np.argsort(left, kind="stable")
    left, right = left[order], np.maximum.accumulate(right[order])
    apart = left[1:] > right[:-1] + (right[-1] - left[0]) / bins
    return left[np.r_[True, apart]], right[np.r_[apart, True]]


def frame_axis(frames: FrameTable) -> tuple[Mapped, Mapped]:
    """(seconds -> ordinal, ordinal -> seconds), exact at every frame, linear between and beyond.

    Frames whose time does not advance are left out of the map; a single frame counts one ordinal to
    the second.
    """
    times, ordinals = frames.time_s, frames.index.astype(np.float64)
    if len(times) > 1:
        advances = np.r_[True, times[1:] > np.maximum.accumulate(times)[:-1]]
        times, ordinals = times[advances], ordinals[advances]
    if len(times) < 2:
        start, first = (times[0], ordinals[0]) if len(times) else (0.0, 0.0)
        times, ordinals = np.array([start, start + 1]), np.array([first, first + 1])
    return _interpolate(times, ordinals), _interpolate(ordinals, times)


def _interpolate(known: Float64, image: Float64) -> Mapped:
    first = (image[1] - image[0]) / (known[1] - known[0])
    last = (image[-1] - image[-2]) / (known[-1] - known[-2])

    def apply(x: ArrayLike) -> Float64:
        x = np.asarray(x, dtype=np.float64)
        before, after = np.minimum(x - known[0], 0) * first, np.maximum(x - known[-1], 0) * last
        return np.asarray(np.interp(x, known, image) + before + after, dtype=np.float64)

    return apply
