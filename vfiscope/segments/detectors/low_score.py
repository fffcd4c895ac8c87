"""The default rule: frames that are clearly worse than the clip's own usual level.

The detector works on *badness*: the score with its sign chosen so that more is worse (``-ssim``,
``cosine``), or the distance from identity where identity lies inside the range (a signed
displacement is bad on both sides).

**Level and scale.** With w the badness of the worst frame in each cycle::

    level = median(w)
    scale = 1.4826 * median |w - level|
    enter = max(floor, FLAG_ENTER * scale)

1.4826 turns the median absolute deviation of Gaussian noise into its standard deviation (Rousseeuw
and Croux 1993); both statistics are robust until half of the clip is bad. A segment opens where
badness is ``enter`` or more above the level, and extends while it stays above ``FLAG_LEAVE /
FLAG_ENTER`` of that. Frames better than the level are never flagged, and an infinite PSNR (a frame
passed through untouched) is left out of the level.

**Neighbourhood and sides.** PSNR follows the motion, and in a clip whose PSNR wanders by 3 dB the
scale of the whole clip is too coarse to detect a drop of 10 dB. So the same rule is applied twice
more: with the level and scale of the 49 rows around each row, against which damage of up to 24 rows
stands out; and with those of the 8 rows before or the 8 rows after, whichever level is worse. The
latter finds a cut or a glitch of up to 4 frames between two shots of different levels, but does not
flag the first frame of a worse shot. The largest of the three departures counts, each in parts of
its own ``enter``. For the two local views the scale is at least the deviation of all rows from
their local levels, so that a calm passage does not make the rule oversensitive; and a row must also
be worse than the level of the clip, so that a return from an unusually good passage is not flagged.

**Cycles.** An interpolated clip alternates between passed frames (good) and synthesised ones
(worse), and within a cycle of 4 the middle frame is often the worst. The plain median of such a
clip lies between the two populations, and its deviation measures the alternation. So the detector
looks for a cycle of P frames, and w is the maximum over every P neighbouring frames (all N - P + 1
windows): every window holds one frame of each phase, wherever the cycle starts and even after a
dropped frame has shifted it. Without alternation P is 1 and w is the badness itself. The level is
then that of the worst phase, so the alternation stays below it; and where P is above 1, bad frames
with one good frame between them form one segment, so that good phases do not split it.

**Roles.** Where the roles of frames are known, synthesised and passed frames are judged separately,
each against their own level, and a segment names its role: a damaged original is worth knowing
about, but says nothing about the method. Frames of the other role in between neither count nor end
a segment. P is then the number of synthesised frames between two originals, and 1 for passed ones.

Where roles are unknown, P is the smallest lag of 2 to 8 rows at which the clip repeats: more than
two thirds of all pairs of neighbouring cycles, not counting those in which nothing happens, must be
alike. Two cycles are alike when their rows differ by less than 0.6 of the change from row to row
within them (in noise, and around a single bad frame, the ratio is about 1 or more). So isolated bad
frames do not make a cycle: their cycles differ from those before and after, even where a few happen
to be equally spaced. Steps are clipped at their 80 % quantile, so that a few large events cannot
decide the outcome. A clip must hold 6 cycles (8 rows for a cycle of 2). A fault that recurs in
every cycle cannot be distinguished from the alternation and is not flagged. Where frames are
compared with those before them and repeat in a pattern, P is at least the longest time for which
one is shown: what moves unevenly, or is held for differing times, makes no such cycle.

False alarms are rare in Gaussian noise and less rare in long-tailed noise. Where about half of a
clip is calm and half is noisy, single frames of the noisy half can be flagged.

Not detected, by design: a clip that is bad for half of its length or more, a slow drift (both raise
the scale), and a clip of fewer than 8 finite values, which has no level of its own. Use a rule for
those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.config import FLAG_ENTER, FLAG_LEAVE, FLAG_MIN_FRAMES
from vfiscope.jit import compiled, map_rows
from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.segments.causes import explained
from vfiscope.segments.departures import departures
from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors import duplicate
from vfiscope.segments.evidence.context import BAND_ROWS
from vfiscope.segments.evidence.held import patterns_of
from vfiscope.segments.evidence.repeats import REPEAT_SIGNALS
from vfiscope.segments.rules import Column, segment_of, spans, stepped_over
from vfiscope.segments.spans import Mask
from vfiscope.segments.wording import departed, told
from vfiscope.store import headline_role, rows_of
from vfiscope.types import FrameTable, MetricSpec, Role, Segment

__all__ = ["detect", "low_scores"]

Float64 = NDArray[np.float64]

MIN_FRAMES = 8
"""Fewest finite values from which a level is computed."""
MAX_CYCLE = 8
"""Longest cycle searched: interpolation by up to 8."""
MIN_ALTERNATION_CYCLES = 6
"""Cycles that a clip must hold; in fewer, equally spaced bad frames would look like one."""
FULL_STEP_QUANTILE = 0.8
"""Quantile of the steps from row to row at which larger ones are clipped."""
MAX_CHANGE_BETWEEN_CYCLES = 0.6
"""Largest difference between two alike cycles, as a part of the change within them."""
MIN_ALIKE_SHARE = 2 / 3
"""Part of the pairs of neighbouring cycles that must be alike."""
MARKS = frozenset({"cut", *LEVEL_METRICS})
"""Scores that are not judged by the clip's own level; each has a detector of its own."""


def detect(columns: Columns) -> list[Segment]:
    """The segments of every metric that has a spec, metric by metric, with their cause where the
    real frames around tell it."""
    held, frames = _longest_hold(columns), columns.frames
    judged = [
        (column, columns.specs[name])
        for name, column in columns.scores.items()
        if name in columns.specs and name not in MARKS
    ]
    each = map_rows(lambda n: low_scores(frames, *judged[n], held=held), len(judged))
    found = [segment for segments in each for segment in segments]
    return explained(found, columns, _repeated(columns)) if found else found


def _repeated(columns: Columns) -> Mask | None:
    """(N,) rows that repeat the row before; None where the run does not tell."""
    if not set(REPEAT_SIGNALS) <= set(columns.signals):
        return None
    rows, index = np.zeros(len(columns.frames), bool), columns.frames.index
    for each in duplicate.detect(columns):
        rows |= (index >= each.start) & (index < each.stop)
    return rows


def _longest_hold(columns: Columns) -> int:
    """Rows for which a frame is shown at most, where frames are compared with those before them
    and repeat in a pattern; 1 elsewhere."""
    if not columns.looks_back or not set(REPEAT_SIGNALS) <= set(columns.signals):
        return 1
    return max((each.longest_hold for each in patterns_of(columns)), default=1)


def low_scores(
    frames: FrameTable,
    column: Column,
    spec: MetricSpec,
    say: Callable[[float, int], str] | None = None,
    *,
    held: int = 1,
) -> list[Segment]:
    """The segments of one metric by the default rule, per role where roles are known.

    Confidence is ``d / (d + enter)`` with d the distance of the peak from the level: 0.5 at the
    threshold, towards 1 far beyond it.

    Args:
        frames: one row per test frame.
        column: (N,) scores, NaN where not defined. A row without a value ends a segment, except
            where it is a passed frame for which the metric is not defined.
        spec: the metric, for its direction and the floor below which no departure is flagged.
        say: (score, frame) -> how the evidence begins; "psnr is 20 dB at frame 7" where None.
        held: rows of a cycle at least.
    """
    scores = np.asarray(column, dtype=np.float64)
    roles = ("all",) if headline_role(frames) == "all" else ("synthesised", "passed", "held")
    say = say or (lambda score, frame: f"{spec.name} is {told(score, spec.unit)} at frame {frame}")
    return [
        segment
        for role in roles
        for segment in _low_scores_of(role, frames, scores, spec, say, held)
    ]


def _low_scores_of(
    role: str,
    frames: FrameTable,
    scores: Float64,
    spec: MetricSpec,
    say: Callable[[float, int], str],
    held: int,
) -> list[Segment]:
    """The segments of the frames of a role, judged among themselves."""
    rows = rows_of(frames, role)
    badness = np.where(rows, _badness(scores, spec), np.nan)
    if np.isfinite(badness).sum() < MIN_FRAMES:
        return []
    # The other role is left out before the level is computed, so it cannot shift it.
    cycle = max(held, _cycle(frames, badness[rows], role))
    found = departures(badness[rows], cycle, spec.floor)
    excess = np.full(len(frames), np.nan)
    excess[rows] = found.excess
    among = np.cumsum(rows) - 1
    ignored = stepped_over(frames, scores, role)
    segments = []
    # Hysteresis: spans are grown at the lower threshold and kept if they reach the upper one.
    enough = excess >= FLAG_LEAVE / FLAG_ENTER
    broken = np.isnan(badness) & ~ignored
    for first, last in spans(enough, ignored, broken, reach=min(cycle, 2)):
        most = float(np.nanmax(excess[first : last + 1]))
        if most >= 1 and enough[first : last + 1].sum() >= FLAG_MIN_FRAMES:
            confidence = most / (1 + most) if np.isfinite(most) else 1.0
            at = first + int(np.nanargmax(excess[first : last + 1]))
            score = float(scores[at])
            began = say(score, int(frames.index[at]))
            said = departed(spec, score, began, found, int(among[at]), role)
            place = (first, last)
            segments.append(
                segment_of(
                    *(frames, spec.name, scores, badness, place, confidence),
                    role=role,
                    evidence=said,
                )
            )
    return segments


def _badness(scores: Float64, spec: MetricSpec) -> Float64:
    """(N,) the scores with their sign chosen so that more is worse; NaN stays NaN."""
    if spec.low < spec.identity < spec.high:
        return np.abs(scores - spec.identity)
    return scores if spec.lower_is_better else np.negative(scores)


def _cycle(frames: FrameTable, badness: Float64, role: str) -> int:
    """Length in rows of the alternation among frames of a role, 1 where there is none."""
    passed = np.flatnonzero(frames.role == Role.PASSED)
    if role == "passed":
        return 1
    if role == "synthesised" and len(passed) > 1:
        return max(1, min(MAX_CYCLE, int(np.median(np.diff(passed))) - 1))
    finite = badness[np.isfinite(badness)]
    # Untouched originals have infinite PSNR. They are part of the alternation, so they get a finite
    # badness that is clearly better than any other.
    untouched = finite.min() - max(1.0, float(np.ptp(finite)))
    known = np.where(np.isinf(badness), untouched, badness)
    longest = min(MAX_CYCLE, max(2, len(known) // MIN_ALTERNATION_CYCLES))
    steps = np.abs(known[1:] - known[:-1])
    # Clipped, so that one large event does not outweigh the rest of the clip.
    usual = float(np.quantile(np.nan_to_num(steps), FULL_STEP_QUANTILE))
    steps = np.minimum(steps, usual)
    return next((lag for lag in range(2, longest + 1) if _repeats(known, lag, steps, usual)), 1)


def _repeats(badness: Float64, lag: int, steps: Float64, usual: float) -> bool:
    """Whether most pairs of neighbouring cycles of ``lag`` rows are alike; pairs with an unknown
    row do not count.

    Args:
        badness: (N,)
        lag: rows of a cycle.
        steps: (N - 1,) how much changes from row to row, at most ``usual``.
        usual: the change at which larger ones are clipped.
    """
    counts = np.zeros(2, np.int64)
    count_alike(badness, steps, (lag, usual, MAX_CHANGE_BETWEEN_CYCLES), counts)
    busy, alike = counts.tolist()
    return bool(busy and alike / busy > MIN_ALIKE_SHARE)


@compiled()
def count_alike(badness: Any, steps: Any, limits: tuple[int, float, float], counts: Any) -> None:
    """Count the pairs of neighbouring cycles in which something changes, and those that are alike.

    Args:
        badness: (N,) float64, may hold NaN.
        steps: (N - 1,) float64, how much changes from row to row.
        limits: rows of a cycle; the change at which larger ones are clipped; the largest difference
            of alike cycles as a part of the change within them.
        counts: (2,) int64, filled: the pairs that vote, and those of them that are alike.
    """
    lag, usual, most = limits
    inside, between = np.empty(BAND_ROWS), np.empty(BAND_ROWS)
    rows = badness.shape[0] - 2 * lag + 1
    for start in range(0, rows, BAND_ROWS):
        count = min(BAND_ROWS, rows - start)
        for x in range(count):
            inside[x] = between[x] = 0.0
        for i in range(start, start + 2 * lag - 1):
            for x in range(count):
                inside[x] += steps[i + x]
        for i in range(start, start + lag):
            for x in range(count):
                apart = abs(badness[i + lag + x] - badness[i + x])
                between[x] += usual if apart > usual else apart
        for x in range(count):
            # Where nothing changes every lag would fit, so calm stretches have no vote.
            if inside[x] / 2 > usual / 4:
                counts[0] += 1
                counts[1] += between[x] < most * (inside[x] / 2)
