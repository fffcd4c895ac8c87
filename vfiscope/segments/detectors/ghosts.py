"""Ghosting: frames that are a blend of two instants."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.shift import bumped_rows
from vfiscope.segments.detectors.torn import tears
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import Context, context_of, medians, shifted
from vfiscope.segments.evidence.damaged_rows import damaged_rows
from vfiscope.segments.evidence.echoes import (
    ECHO_NEAR,
    ECHOES,
    departures,
    echo_rises,
    evidence,
    lost_detail,
    seen_twice,
    surely_twice,
)
from vfiscope.segments.evidence.repeats import repeated_rows, rows_in_cadence
from vfiscope.segments.evidence.stand_out import beside, relit
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.spans import Mask
from vfiscope.segments.wording import told
from vfiscope.types import Float64, Segment, counted

__all__ = ["GHOSTING_SIGNALS", "MAX_GHOST_ROWS", "detect", "ghost_rows"]

SIDES = (ECHO_NEAR[:5], ECHO_NEAR[5:])
MIXTURES = ("blend_residual", "blend_others")
GHOSTING_SIGNALS = (
    *(*MIXTURES, "blend_gradient", "blend_motion", *ECHOES),
    *("moving_detail", "difference_p99", "luma_mean"),
)
LEAST_KNOWN = 2
"""Of these before and behind, in which something moves too."""
MIN_BLEND_PX = 2.0
"""Motion between the neighbours below which a ghost cannot be told."""
MAX_GHOST_ROWS = 6
"""More in a row are a dissolve."""
MIN_LEFT, MIN_EXPLAINED = 0.05, 1.2
"""Least residual of a blend that counts, and fall of its logarithm in a ghost."""
USUAL_SLOPES, LEAST_SLOPE_OFF = 2.5, 0.03
"""By how many usual departures the logarithm of the slope of what moves falls in a ghost, and what
is added to these, as there are few rows to know them from."""
MIN_EACH_FLATTER = 0.1
"""What weaker detail and flatter slopes count for at least, each by itself: a frame that is torn or
repeats another one lies beside others than usual, and has all of its detail."""
MIN_SHOWN, MIN_FLATTER = 0.8, 0.4
"""What evidence of two instants, and of a flatter frame, counts for at least."""
MIN_OF_TWO, MIN_MIXED = 0.3, 0.15
"""What an echo and uneven steps count for together at least, as blur has a share in mixtures but
neither of these; and what mixtures do, as motion blur is seen again along its way but is no mixture
of two instants."""
LEAST_STEP, SMALLER_STEP, TWO_STEPS = 0.3, 0.92, 2.2
"""Change to a ghost and from it in terms of the usual: no frame is repeated; in a blend of the
neighbours, or with one of them, one is smaller, and other blends are explained by a mixture; and
together they are hardly more than the two steps from the frame before to the one after. They are
more where frames are missing or the camera jumps."""
FLAT_BESIDE = 0.7
"""Margin of weaker detail that frames right beside a stretch of ghosts do not reach."""
LEAST_STEP_OFF, USUAL_STEPS_OFF, MAX_OFF_ROWS = 0.1, 2.5, 3
"""Departures of the logarithm of the changes at both ends of a stretch of so many frames that are
off their time: what is added to the usual, and how many are enough in the mean of the two."""
MIN_KEPT, LEAST_KEPT, SURELY_MIXED = 0.3, 0.2, 1.0
"""Least part of the power of detail that a blend leaves, as half of it would be usual: blur leaves
less. The lower one is for a frame that mixtures of the neighbours and of other instants both
explain so clearly; it needs no echo and no uneven steps."""
WEAK_GHOST, GHOST_REACH = 0.5, 3
"""Least margin of the other rows of a stretch, and rows from one to the next."""


def detect(columns: Columns) -> list[Segment]:
    """The ghosts.

    What moves is flatter, both in fine detail and in its slopes, and of three things some tell that
    it is of two instants: it is seen twice, which nothing around is; a mixture explains the frame
    better than usual; and the frames from where detail is weaker to where it is back are nearer to
    the one side than to the other. Each counts as far as it is clear.

    Args:
        columns: with the signals ``GHOSTING_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    margins = columns.share("ghost_margins", lambda: _margins(context))
    none = np.zeros(len(margins), bool)
    return [
        _segment(context, margins, rows)
        for rows in spans(margins >= WEAK_GHOST, none, reach=GHOST_REACH)
        if rows[1] - rows[0] < MAX_GHOST_ROWS and margins[rows[0] : rows[1] + 1].max() >= 1
    ]


def ghost_rows(context: Context) -> Mask:
    """(N,) True for rows that a segment of this kind covers: of runs that hold all signals, else
    nowhere."""

    def compute() -> Mask:
        rows, index = np.zeros(len(context.columns.frames), bool), context.columns.frames.index
        if all(name in context.columns.signals for name in GHOSTING_SIGNALS):
            for segment in detect(context.columns):
                rows |= (index >= segment.start) & (index < segment.stop)
        return rows

    return context.columns.share("ghost_rows", compute)


def _margins(context: Context) -> Float64:
    """(N,) margins of blends of any two instants."""
    flatter, kept, twice = _flatter(context), lost_detail(context)[1], seen_twice(context)
    falls = [_fall(context, name) for name in MIXTURES]
    (first, behind), off_time = _changes(context), _off_time(context)
    mixed = np.fmax(*falls)
    shown = np.hypot(twice, mixed)
    # Motion that is not steady is off its time as well.
    shown = np.hypot(shown, np.fmin(off_time, shown))
    with np.errstate(invalid="ignore"):
        met = (kept >= MIN_KEPT) & (np.hypot(twice, off_time) >= MIN_OF_TWO) & (mixed >= MIN_MIXED)
        met |= (kept >= LEAST_KEPT) & (np.fmin(*falls) >= SURELY_MIXED)
        met &= (context.signal("blend_motion") >= MIN_BLEND_PX) & (first + behind <= TWO_STEPS)
        least = np.fmin(first, behind)
        met &= (least >= LEAST_STEP) & ((least <= SMALLER_STEP) | (mixed >= 1))
        for side in SIDES:
            met &= sum(shifted(np.isfinite(kept), by) for by in side) >= LEAST_KNOWN
    met &= (shown >= MIN_SHOWN) & (flatter >= MIN_FLATTER) & ~_others(context)
    return np.where(met, np.sqrt(shown * flatter), 0.0)


def _flatter(context: Context) -> Float64:
    """(N,) margins of flatter slopes and weaker detail in what moves, where it has both. Detail
    counts for half: it varies more, and a codec takes it from all frames but leaves slopes."""
    weaker = lost_detail(context)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.log(context.signal("blend_gradient"))
    flatter = evidence(departures(-slope, LEAST_SLOPE_OFF) / USUAL_SLOPES)
    has_both = np.fmin(weaker, flatter) >= MIN_EACH_FLATTER
    return np.where(has_both, np.sqrt(flatter**2 + weaker**2 / 2), 0.0)


def _step(context: Context) -> Float64:
    """(N,) logarithm of the change to each frame."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(context.signal("difference_p99"))


def _changes(context: Context) -> tuple[Float64, Float64]:
    """(N,) change to each frame and from it, in terms of the usual."""

    def compute() -> tuple[Float64, Float64]:
        step = _step(context)
        with np.errstate(invalid="ignore"):
            change = np.exp(step - medians(step, ECHO_NEAR))
        return change, np.append(change[1:], np.nan)

    return context.columns.share("changes beside ghosts", compute)


def _fall(context: Context, name: str) -> Float64:
    """(N,) margins of how much better than before and than behind a mixture explains the frame, 0
    where that is unknown."""
    left = np.log(np.maximum(context.signal(name), MIN_LEFT))
    usual = np.fmin(*(medians(left, side) for side in SIDES))
    return evidence((usual - left) / MIN_EXPLAINED)


def _others(context: Context) -> Mask:
    """(N,) rows of what blends frames in the eyes of their neighbours, and those beside them; and
    where a cadence says how many instants a frame shows."""
    other = beside(damaged_rows(context) | bumped_rows(context)) & ~surely_twice(context)
    blended = relit(context)
    for tear in tears(context):
        blended[tear.first : tear.stop] = True
    # In a cadence of fields, frames of two instants are usual; a repeat is of one.
    other |= rows_in_cadence(context, of_fields=True) | repeated_rows(context)
    return np.asarray(other | beside(blended))


def _off_time(context: Context) -> Float64:
    """(N,) how clearly frames are nearer to what follows than to what was before, or the other way:
    how much larger the step to the first one is than that behind the last, or smaller. A stretch
    begins where detail is weaker and ends where it is back, and is no longer than it should be."""
    steps = np.nan_to_num(departures(_step(context), LEAST_STEP_OFF))
    change, sharp = _changes(context)[0], lost_detail(context)[0] < FLAT_BESIDE
    found = np.zeros(len(steps))
    for rows in range(1, MAX_OFF_ROWS + 1):
        with np.errstate(invalid="ignore"):
            met = (change + shifted(change, rows) <= TWO_STEPS) & (shifted(sharp, -1) > 0)
        apart = np.abs(steps - shifted(steps, rows)) / (2 * USUAL_STEPS_OFF)
        apart = np.where(met & (shifted(sharp, rows) > 0), apart, 0.0)
        for row in range(rows):
            found = np.fmax(found, shifted(apart, -row))
    return evidence(found)


def _segment(context: Context, margins: Float64, rows: tuple[int, int]) -> Segment:
    columns, (first, last) = context.columns, rows
    row = first + int(margins[first : last + 1].argmax())
    return segment_of(
        *(columns.frames, "blend_residual", columns.signals["blend_residual"], margins, rows),
        *(confidence("ghosting", float(margins[row])), "ghosting"),
        evidence=f"frame {int(columns.frames.index[row])} {_words(context, row)}",
    )


def _words(context: Context, row: int) -> str:
    rises = {name: np.nan_to_num(each[row]) for name, (_, each) in echo_rises(context).items()}
    name = max(rises, key=rises.__getitem__)
    lag = counted(ECHOES.index(name) + 1, "frame")
    left = min(MIXTURES, key=lambda each: float(context.signal(each)[row]))
    first, behind = (told(float(each[row])) for each in _changes(context))
    return (
        f"is of two instants: the detail of what moves is"
        f" {told(context.signal('moving_detail')[row])} code values, around it"
        f" {_around(context, 'moving_detail', row)}, and its slopes are"
        f" {told(context.signal('blend_gradient')[row])} times those of the neighbours, around it"
        f" {_around(context, 'blend_gradient', row)}; seen again {lag} of motion apart, with a"
        f" correlation of {told(context.signal(name)[row])}, around it"
        f" {_around(context, name, row)}; of mixtures the best leaves"
        f" {told(context.signal(left)[row])} times what motion leaves, around it"
        f" {_around(context, left, row)}; the steps to it and from it are {first} and {behind}"
        " times as large as usual"
    )


def _around(context: Context, name: str, row: int) -> str:
    return told(float(medians(context.signal(name), ECHO_NEAR, np.array([row]))[0]))
