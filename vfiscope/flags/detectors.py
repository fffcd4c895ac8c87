"""The default rule: frames that are clearly worse than the clip's own usual level.

Work is done on *badness*: the score turned so that more is worse (``-ssim``, ``cosine``), or the distance from identity
where identity lies inside the range (a signed displacement is bad on both sides).

**Level and scale.** With w the badness of the worst frame in each cycle::

    level = median(w)        scale = 1.4826 * median |w - level|        enter = max(floor, FLAG_ENTER * scale)

1.4826 turns the median absolute deviation of Gaussian noise into its standard deviation (Rousseeuw and Croux 1993);
both statistics hold until half of the clip is bad. A segment opens where badness is ``enter`` or more above the level
and reaches as far as it stays above ``FLAG_LEAVE / FLAG_ENTER`` of that. Nothing on the good side is ever flagged, and
an infinite PSNR (a frame passed through untouched) takes no part in the level.

**Neighbourhood.** PSNR follows the motion, and in a clip that wanders by 3 dB the scale of the whole is too coarse to
see a hole of 10 dB. So the same rule is asked a second time with the level and scale of the 49 rows around each row,
and the greater of the two departures, in parts of its ``enter``, counts. The scale is then the greater of the
neighbourhood's own and of the deviation of all rows from their neighbourhoods' levels, so that a calm spell does not
make the rule touchy; and a row must be worse than the level of the clip too, so that a fall from an unusual height is
none.

**Cycles.** An interpolated clip alternates between passed frames (good) and synthesised ones (worse), and within a
cycle of 4 the middle frame is often the worst. The plain median of such a clip lies between its populations, and its
deviation measures the alternation. So a cycle of P frames is looked for, and w is the worst of every P neighbouring
frames (all N - P + 1 windows): every window holds one frame of each phase, wherever the cycle starts and even after a
dropped frame has shifted it. In an even clip P is 1 and w is the badness itself. The level is then that of the worst
phase, so the alternation stays below it; and bad frames fewer than P + 1 rows apart are one segment, so that the good
frames between the bad ones of a damaged part do not cut it into pieces.

P comes from the frames' roles where they are known (the usual distance between passed frames). Otherwise it is the
smallest lag of 2 to 8 at which a frame resembles the one before it at least twice as well as at lag 1, by the median
absolute difference over the busier half of the rows, so that a still half does not hide the alternation of the other.

False alarms, measured with a floor of 1 dB: none in 150,000 frames of Gaussian noise of 1 dB in clips of 500 frames and
more, one in 1 to 3 % of clips of 8 to 24 frames; one in 1000 frames of Laplacian noise; none in PSNR that wanders by
3 dB (a sine of 190 frames) in clips of 9 frames and more. Where about half of a clip is calm and half restless, single
frames of the restless half can be flagged.

What it does not see, by design: a clip that is bad for half of its length or more, a slow drift (both raise the scale),
and a clip of fewer than 8 finite values, which has no level of its own. A user's rule finds those.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vfiscope.config import FLAG_ENTER, FLAG_LEAVE, FLAG_MIN_FRAMES
from vfiscope.flags.rules import Column, ignored_rows, segment_of, spans
from vfiscope.types import FrameTable, MetricSpec, Role, Segment

__all__ = ["cuts", "low_scores"]

Float64 = NDArray[np.float64]

MIN_FRAMES = 8
"""Finite values without which a clip has no level of its own."""
MAX_CYCLE = 8
"""Longest cycle looked for: interpolation by up to 8."""
BUSY = 1 / 8
"""Part of the rows that must change from one to the next: a few bad frames in a still clip are no alternation."""
ALIKE = 0.5
"""How much closer, at most, a frame is to the one a cycle before than to its neighbour."""
NEIGHBOURS = 49
"""Rows in a neighbourhood: damage of up to 24 rows stands out from it."""
CHUNK = 1 << 16
"""Neighbourhoods in memory at a time."""
MAD_TO_SIGMA = 1.4826


def low_scores(frames: FrameTable, column: Column, spec: MetricSpec) -> list[Segment]:
    """The segments of one metric by the default rule, in order.

    Confidence is ``d / (d + enter)`` with d the distance of the peak from the level: 0.5 at the threshold, towards 1
    far beyond it.

    Args:
        frames: one row per test frame.
        column: (N,) scores, NaN where not defined. A row without a value ends a segment, except where it is a passed
            frame for which the metric is not defined.
        spec: gives the direction, and the floor below which no departure is flagged.
    """
    scores = np.asarray(column, dtype=np.float64)
    badness = _badness(scores, spec)
    if np.isfinite(badness).sum() < MIN_FRAMES:
        return []
    cycle = _cycle(frames, badness)
    excess = _excess(badness, cycle, spec.floor)
    ignored = ignored_rows(frames, scores)
    found = []
    for first, last in spans(excess >= FLAG_LEAVE / FLAG_ENTER, ignored, np.isnan(scores) & ~ignored, reach=cycle):
        most = float(np.nanmax(excess[first : last + 1]))
        if most >= 1 and last - first + 1 >= FLAG_MIN_FRAMES:
            confidence = most / (1 + most) if np.isfinite(most) else 1.0
            found.append(segment_of(frames, spec.name, scores, badness, (first, last), confidence))
    return found


def cuts(frames: FrameTable, column: Column, spec: MetricSpec) -> list[Segment]:
    """The runs of frames that lie across a cut, in order.

    Args:
        frames: one row per test frame.
        column: (N,) 1 at a cut, 0 elsewhere, NaN where not defined.
        spec: names the metric.
    """
    scores = np.asarray(column, dtype=np.float64)
    found = spans(scores == 1, np.zeros(len(scores), bool))
    return [segment_of(frames, spec.name, scores, scores, rows, 1.0, "cut") for rows in found]


def _excess(badness: Float64, cycle: int, floor: float) -> Float64:
    """(N,) departure from the level in parts of ``enter``, the greater of clip and neighbourhood; NaN stays NaN."""
    finite = np.where(np.isfinite(badness), badness, -np.inf)
    worst = sliding_window_view(finite, cycle).max(axis=1)
    known = np.flatnonzero(np.isfinite(worst))
    worst = worst[known]
    level, scale = _levels(worst[np.newaxis])
    excess = _ratio(badness - level, np.maximum(floor, FLAG_ENTER * scale))
    if len(worst) <= NEIGHBOURS:
        return excess
    windows = sliding_window_view(worst, NEIGHBOURS)
    chunks = [_levels(windows[start : start + CHUNK]) for start in range(0, len(windows), CHUNK)]
    # each row's window is centred on it where the clip's ends allow
    near, spread = (np.pad(np.concatenate(part), NEIGHBOURS // 2, mode="edge") for part in zip(*chunks, strict=True))
    rest = MAD_TO_SIGMA * np.median(np.abs(worst - near))
    place = np.searchsorted(known, np.arange(len(badness)) - cycle // 2).clip(0, len(worst) - 1)
    beyond = _ratio(badness - near[place], np.maximum(floor, FLAG_ENTER * np.maximum(spread[place], rest)))
    return np.where(badness > level, np.maximum(excess, beyond), excess)


def _levels(windows: Float64) -> tuple[Float64, Float64]:
    """(M, W) -> level and scale of each window, (M,)."""
    level = np.median(windows, axis=1)
    return level, MAD_TO_SIGMA * np.median(np.abs(windows - level[:, np.newaxis]), axis=1)


def _ratio(departure: Float64, enter: Float64) -> Float64:
    """departure / enter; any departure is infinitely beyond a threshold of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(departure == 0, 0.0, departure / enter)


def _badness(scores: Float64, spec: MetricSpec) -> Float64:
    """(N,) the scores turned so that more is worse; NaN stays NaN."""
    if spec.low < spec.identity < spec.high:
        return np.abs(scores - spec.identity)
    return scores if spec.lower_is_better else np.negative(scores)


def _cycle(frames: FrameTable, badness: Float64) -> int:
    """Rows after which the clip repeats its alternation, 1 where it has none."""
    passed = np.flatnonzero(frames.role == Role.PASSED)
    if len(passed) > 1 and (frames.role == Role.SYNTHESISED).any():
        return min(MAX_CYCLE, int(np.median(np.diff(passed))))
    longest = min(MAX_CYCLE, len(badness) // 3)
    steps = {lag: _steps(badness, lag)[longest - lag :] for lag in range(1, longest + 1)}
    valued = ~np.isnan(steps[1])
    if not valued.any():
        return 1
    busy = valued & (steps[1] > 0) & (steps[1] >= np.median(steps[1][valued]))
    if busy.sum() < max(1.0, BUSY * valued.sum()):
        return 1
    spread = {lag: _median(step[busy]) for lag, step in steps.items()}
    closest = min(spread.values())
    if not closest < ALIKE * spread[1]:
        return 1
    return min(lag for lag, value in spread.items() if value <= 1.25 * closest)


def _median(steps: Float64) -> float:
    """Over the known steps; infinite where there are none."""
    known = steps[~np.isnan(steps)]
    return float(np.median(known)) if len(known) else np.inf


def _steps(badness: Float64, lag: int) -> Float64:
    """(N - lag,) absolute difference of each row to the one ``lag`` before; two equal infinities do not differ."""
    later, earlier = badness[lag:], badness[:-lag]
    with np.errstate(invalid="ignore"):
        return np.where(later == earlier, 0.0, np.abs(later - earlier))
