"""Cadence: where each frame of an interpolated video lies among the frames of its lower-rate
source.

Interpolation by a multiplier of ``b / a`` (2 for 30 to 60 fps, 5/2 for 24 to 60) puts test frame i
at source position ``j0 + (i - i0) a / b``. Where that is a whole number, an original frame was
passed through; elsewhere the frame was synthesised, and the fraction is its phase between the two
originals around it.

Both sides are decoded once and reduced to signatures (:mod:`vfiscope.alignment.signature`). A few
test frames (:mod:`vfiscope.alignment.anchors`) that resemble one source frame far more than all
distant ones give a rough slope and offset. Among the multipliers and offsets near that line, the
one whose predicted originals are most like their source frames wins. Where several fit equally
well, because frames were only repeated or nothing moves, the multiplier that the rates of the two
files give wins, and the offset that puts the first test frame on the first source frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from vfiscope.alignment.anchors import Anchors, Line, find_anchors
from vfiscope.alignment.drawings import Drawings, find_drawings
from vfiscope.alignment.lattice import Lattice, Side, follow, read_side
from vfiscope.alignment.monotone_path import (
    MIN_NOISE_MSE,
    MSE_ALWAYS_ALIKE,
    MSE_UNRELATED,
)
from vfiscope.alignment.slips import MIN_WRONG, Followed
from vfiscope.errors import PairingError
from vfiscope.types import Cadence, Frames, Int64, Role, Slip

__all__ = ["find_cadence"]

KNOWN_MULTIPLIERS = tuple(
    Fraction(*pair)
    for pair in (
        *(
            (1, 1),
            (2, 1),
            (3, 1),
            (4, 1),
            (5, 1),
            (6, 1),
            (7, 1),
            (8, 1),
            (10, 1),
            (12, 1),
            (16, 1),
        ),
        *(
            (5, 2),
            (3, 2),
            (4, 3),
            (5, 3),
            (5, 4),
            (6, 5),
            (12, 5),
            (10, 3),
            (25, 24),
            (24, 5),
            (25, 12),
            (20, 3),
        ),
    )
)
"""Multipliers of common interpolation jobs: whole numbers, 24 to 60 fps, 25 to 60, 24 to 25 and the
like."""
MAX_ROUNDED_SHARE = 0.015
"""Largest deviation of the ratio of two intervals from a known multiplier, which timestamps in
milliseconds cause; 25/24 is 4 % from 1."""
MAX_FLOAT_ERROR = 1e-6
"""By which the slope of a multiplier may miss a line that has no error."""
MIN_WORSE_FACTOR = 1.3
"""Factor by which a fit must be worse than the best one to be ruled out."""
MIN_ORIGINALS = 4
"""Originals that a multiplier other than the claimed one must predict: fewer may be alike by
chance."""
MAX_COST = 0.5
"""Cost per original (:class:`vfiscope.alignment.slips.Followed`) from which on a cadence
may be a coincidence: half of the originals are unlike their source frames, or slip after slip."""
CLEARLY_WORSE = 0.15
"""Cost up to which a cadence is taken at once, and the least by which another must be cheaper."""


MAX_AWAY_FRAMES, MAX_AWAY_SHARE = 4, 0.25
"""Source frames by which a frame whose place is certain may lie off the cadence, and the part of
those that may lie farther: frames at fault show other instants."""


class _Tried(NamedTuple):
    """A lattice and how well it fits without slips."""

    lattice: Lattice
    originals: int
    cost: float
    """Mean squared difference of its originals from their source frames."""


class _Found(NamedTuple):
    """A cadence in the frames, or in the drawings, of a source."""

    lattice: Lattice
    followed: Followed
    source: Side


def find_cadence(
    test: Iterable[Frames], source: Iterable[Frames], *, multiplier: Fraction | None = None
) -> Cadence:
    """Find where each test frame lies among the frames of the source that it was made from.

    Args:
        test: batches of the interpolated video.
        source: batches of the lower-rate video, of the same scene and any size.
        multiplier: test frames per source frame; None detects it.

    Raises:
        PairingError: the test has no more frames per second than the source, no test frame
            resembles a source frame, or no steady cadence fits the two.
    """
    one, other = read_side(test), read_side(source)
    if len(other.index) < 2:
        raise PairingError(
            "the source has one frame, and interpolation needs two or more: pass the whole source"
        )
    drawings, problem, found = find_drawings(other), None, None
    try:
        found = _find(one, other, multiplier)
    except PairingError as error:
        problem = error
    if drawings is not None and (found is None or found.followed.cost > CLEARLY_WORSE):
        # Repeats of a drawing may have been removed before interpolation, which a stated
        # multiplier does not count: it is of the frames as they are shown.
        with suppress(PairingError):
            asked = None if multiplier is None else multiplier * drawings.usual
            drawn = _find(one, other.take(drawings.first), asked)
            if found is None or drawn.followed.cost + CLEARLY_WORSE < found.followed.cost:
                return _cadence(one, drawn, drawings, multiplier)
    if found is None:
        raise problem or PairingError("no cadence")
    return _cadence(one, found, drawings, multiplier)


def _find(one: Side, other: Side, multiplier: Fraction | None) -> _Found:
    """The cadence of a test among the frames of a source, which may be its drawings."""
    claimed = _claimed(one, other)
    if claimed is not None and claimed < 1 and multiplier is None:
        raise PairingError(
            f"the test has {claimed} frames per source frame, and interpolation adds frames:"
            " swap the two, or pass --multiplier"
        )
    anchors = find_anchors(one, other)
    if anchors is None:
        raise PairingError(
            f"none of {len(one.index)} test frames resembles any of {len(other.index)} source"
            " frames: check --source"
        )
    expected = multiplier or claimed or Fraction(1)
    tried = _tried(one, other, anchors, claimed, multiplier)
    chosen = _choose(tried, expected, one)
    if multiplier is not None and chosen.originals < 2:
        raise PairingError(
            f"a multiplier of {multiplier} predicts one original, too few to be sure: pass a"
            " smaller one"
        )
    found = _follow_best(one, other, tried, chosen, expected)
    if multiplier is None and found.lattice.multiplier == 1:
        raise PairingError(f"{_one_to_one(one, other)}: check --source or pass --multiplier")
    if found.followed.cost < MAX_COST:  # else it is none
        _check_order(one, found, anchors)
    return found


def _check_order(test: Side, found: _Found, anchors: Anchors) -> None:
    """Refuse a test that shows the frames of the source in another order.

    A strict order is what a source has; a cadence that fits some of the frames may lead the others
    out of the source, where none is compared.
    """
    steps = found.followed.steps[anchors.rows] / found.lattice.multiplier.numerator
    off = np.flatnonzero(np.abs(steps - anchors.places) > MAX_AWAY_FRAMES)
    if len(off) > MAX_AWAY_SHARE * len(anchors.rows):
        row, place = int(anchors.rows[off[0]]), int(anchors.places[off[0]])
        raise PairingError(
            f"the test is not in the order of the source: frame {int(test.index[row])} shows source"
            f" frame {int(found.source.index[place])}, and {len(off)} of the {len(anchors.rows)}"
            " frames whose place is certain lie off any steady cadence: check --source"
        )


def _one_to_one(test: Side, source: Side) -> str:
    """What is wrong where one test frame per source frame fits best."""
    more = len(test.index) - len(source.index)
    if more <= 0:
        return "the test has one frame per source frame, nothing was interpolated"
    return f"one test frame per source frame fits best, though the test has {more} more"


def _claimed(test: Side, source: Side) -> Fraction | None:
    """Test frames per source frame, from the median intervals of their times."""
    if len(test.time_s) < 2:
        return None
    intervals = [float(np.median(np.diff(side.time_s))) for side in (source, test)]
    if min(intervals) <= 0:
        return None
    ratio = intervals[0] / intervals[1]
    near = min(KNOWN_MULTIPLIERS, key=lambda each: abs(float(each) - ratio))
    if abs(float(near) - ratio) <= MAX_ROUNDED_SHARE * ratio:
        return near
    return Fraction(ratio).limit_denominator(24)


def _tried(
    test: Side, source: Side, anchors: Anchors, claimed: Fraction | None, asked: Fraction | None
) -> list[_Tried]:
    """The lattices near the lines of some anchors, with what they cost.

    Raises:
        PairingError: none has enough originals.
    """
    expected = asked or claimed or Fraction(1)
    n, m = len(test.index), len(source.index)
    found = []
    for multiplier, line in _lines(anchors, int(test.index[0]), claimed, asked):
        # A lattice with few originals may fit by chance.
        least = 1 if multiplier == expected else MIN_ORIGINALS
        enough = max(least, floor(line.overlap(n, m) / multiplier.numerator) // 2)
        for lattice in _lattices(line, multiplier):
            residual = lattice.differences(test, source)
            if len(residual) >= enough:
                cost = float(np.minimum(residual, MSE_UNRELATED).mean())
                found.append(_Tried(lattice, len(residual), cost))
    if not found:
        raise PairingError(
            f"no steady cadence fits {n} test frames to {m} source frames: {_remedy(asked)}"
        )
    return found


def _choose(tried: list[_Tried], expected: Fraction, test: Side) -> _Tried:
    """The lattice that fits best, of equals the one nearest to the times of the files."""
    # The expected multiplier wins unless another one fits clearly better.
    best = min(each.cost for each in tried)
    plain = [each for each in tried if each.lattice.multiplier == expected]
    if plain and min(each.cost for each in plain) <= MIN_WORSE_FACTOR * best + MSE_ALWAYS_ALIKE:
        tried = plain
    limit = MIN_WORSE_FACTOR * min(each.cost for each in tried) + MIN_NOISE_MSE
    fitting = [each for each in tried if each.cost <= limit]
    return min(fitting, key=lambda each: _strangeness(each.lattice, test))


def _follow_best(
    test: Side, source: Side, tried: list[_Tried], chosen: _Tried, expected: Fraction
) -> _Found:
    """The chosen lattice with its slips; where it does not hold even so, that multiplier whose
    lattice needs the least, the expected one first.

    Few originals may be alike by chance where repeats and losses happen to lie between them. So the
    expected multiplier wins where it holds with its slips: it is known of the files, and few slips
    leave most of its originals where it has them.
    """
    if chosen.lattice.multiplier != expected > 1:
        plain = [each for each in tried if each.lattice.multiplier == expected]
        if plain:
            lattice = _choose(plain, expected, test).lattice
            followed = follow(test, source, lattice)
            if followed.cost <= CLEARLY_WORSE:
                return _Found(lattice, followed, source)
    found = _Found(chosen.lattice, follow(test, source, chosen.lattice), source)
    if found.followed.cost <= CLEARLY_WORSE:
        return found
    others = {each.lattice.multiplier for each in tried} - {chosen.lattice.multiplier}
    for multiplier in sorted(others, key=lambda each: each != expected):
        mine = [each for each in tried if each.lattice.multiplier == multiplier]
        lattice = _choose(mine, multiplier, test).lattice
        followed = follow(test, source, lattice)
        needed = 0.0 if multiplier == expected else CLEARLY_WORSE
        if followed.cost + needed < found.followed.cost:
            found = _Found(lattice, followed, source)
    return found


def _strangeness(lattice: Lattice, test: Side) -> tuple[float, Fraction]:
    """Distance of a lattice from putting the first test frame on the first source frame."""
    began = int(test.index[0]) / float(lattice.multiplier)
    return abs(float(lattice.start) - began), lattice.multiplier


def _lines(
    anchors: Anchors, first: int, claimed: Fraction | None, asked: Fraction | None
) -> Iterator[tuple[Fraction, Line]]:
    """The multipliers that may be, each with a line along which its places lie.

    Frames that are missing, or that are shown for long, bend the line of all anchors. So the
    multiplier that is asked for, or that the rates of the two files give, is always tried, along a
    line of its own.
    """
    expected = asked or claimed or Fraction(1)
    steady = anchors.line()
    if steady is None:  # no content tells frames apart: the times alone decide
        steady = Line(1 / float(expected), first / float(expected), 0.0, 0.5)
    known = {*KNOWN_MULTIPLIERS, *([] if claimed is None or claimed <= 0 else [claimed])}
    for multiplier in sorted(known) if asked is None else [asked]:
        if abs(1 / float(multiplier) - steady.slope) <= steady.slope_error + MAX_FLOAT_ERROR:
            yield multiplier, steady
        elif multiplier == expected:
            yield multiplier, anchors.through(1 / float(multiplier))


def _lattices(line: Line, multiplier: Fraction) -> Iterator[Lattice]:
    """Every lattice of a multiplier near a line."""
    for row in range(multiplier.numerator):
        place = line.start + line.slope * row
        for column in range(floor(place - line.start_error), ceil(place + line.start_error) + 1):
            yield Lattice(multiplier, row, column)


def _remedy(asked: Fraction | None) -> str:
    """What to do where no cadence fits."""
    if asked is None:
        return "check --source, or pass --multiplier"
    return f"check --source, or leave out --multiplier {asked}, and it is looked for"


def _cadence(
    test: Side, found: _Found, drawings: Drawings | None, asked: Fraction | None
) -> Cadence:
    lattice, followed, source = found
    if followed.cost >= MAX_COST:
        raise PairingError(
            f"no steady cadence: of the originals that a multiplier of {lattice.multiplier}"
            f" predicts, {max(0.0, 1 - followed.cost):.0%} are like their source frames:"
            f" {_remedy(asked)}"
        )
    b = lattice.multiplier.numerator
    steps, last = followed.steps, (len(source.index) - 1) * b
    inside = (steps >= 0) & (steps <= last)
    before = np.clip(steps // b, 0, len(source.index) - 1)
    role = np.where(steps % b == 0, Role.PASSED, Role.SYNTHESISED)
    of_drawings = drawings is not None and len(source.index) == len(drawings.first)
    if drawings is not None and of_drawings:
        # Between two drawings: from the last frame of the one to the first of the other.
        before = np.where(role == Role.PASSED, drawings.first[before], drawings.last[before])
    elif drawings is not None:
        role[(role == Role.SYNTHESISED) & drawings.held[before]] = Role.HELD
    known = np.isfinite(followed.wrong)
    unlike = followed.wrong[known] >= MIN_WRONG
    return Cadence(
        multiplier=lattice.multiplier,
        before=np.where(inside, before, -1),
        phase=np.where(inside, steps % b / b, np.nan),
        role=np.where(inside, role, Role.UNKNOWN).astype(np.uint8),
        start=Fraction(int(steps[0]), b),
        share=1.0 - float(unlike.mean()) if known.any() else 0.0,
        unlike=tuple(test.index[known][unlike].tolist()),
        slips=tuple(_slips(test.index, followed.late)),
        outside=int(((steps <= -b) | (steps >= last + b)).sum()),
        drawings=len(source.index) if of_drawings else 0,
        held_for=1 if drawings is None else drawings.usual,
    )


def _slips(index: Int64, late: Int64) -> Iterator[Slip]:
    """The slips of a path; frames in a row that repeat the same one are one slip."""
    change = np.diff(late)
    rows = np.flatnonzero(change) + 1
    row = 0
    while row < len(rows):
        first, count = rows[row], int(change[rows[row] - 1])
        while count > 0 and row + 1 < len(rows) and rows[row + 1] == rows[row] + 1:
            if change[rows[row + 1] - 1] < 0:
                break
            row, count = row + 1, count + 1
        yield Slip(int(index[first]), count)
        row += 1
