"""When the frames of a run are shown: counted at one rate where that is exact, else by their
times.

Editors count frames from the first of a file at one rate. Which rate that is, is read from the
presentation times themselves, since what containers claim is a hint: all times, rounded to the
ticks of the container as they are, must lie on whole places of the rate, and the usual frame must
last for one place. Where frames are missing (a recorder that dropped some, a variable rate on a
fixed grid), those behind lie at later places than their ordinals say, as an editor shows them.

Images are counted at their rate (``--fps``), also those that have capture times: editors show them
one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.errors import StoreError
from vfiscope.options.reading_options import IMAGE_RATE
from vfiscope.types import Int64, Segment

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["USUAL_RATES", "FrameClock", "clock_of", "presentation_clock", "test_source"]

USUAL_RATES = tuple(
    Fraction(rate)
    for rate in (
        *("24000/1001", 24, 25, "30000/1001", 30, 48, 50, "60000/1001", 60, 100),
        *("120000/1001", 120, "15000/1001", 15, "25/2", 12, 10),
    )
)
"""Frames per second that are tried where the ticks of a container are finer than frames."""
ROUNDED_TICKS = 1.000001
"""Ticks between the earliest and the latest that rounding makes of frames at one rate."""
MOST_TICKS = 2**53
"""From one frame of a clip to another, in either direction: what doubles count exactly."""
SLOWEST, FASTEST = Fraction(1, 10**6), 100_000
"""Frames per second beyond which a claim is none."""


@dataclass(frozen=True, eq=False)
class FrameClock:
    """The places in time of the frames of a clip."""

    ordinals: Int64
    """(K,) decode ordinals whose places are known, rising."""
    places: Int64
    """(K,) units from the first presented frame of the clip to each."""
    unit: Fraction
    """Seconds: of a frame where the rate is constant, else of a tick of the container."""
    usual: int
    """Units that a frame usually lasts."""
    constant: bool
    """True if places count frames at one rate."""
    stated: bool = False
    """True if nothing but the user's ``--fps`` tells the rate."""

    @property
    def rate(self) -> Fraction:
        """Units per second: the frame rate, where it is constant."""
        return 1 / self.unit

    @property
    def end(self) -> int:
        """The place at which the last known frame ends."""
        return self.at(int(self.ordinals[-1]) + 1)

    def at(self, ordinal: int) -> int:
        """The place of a frame; of one beyond those that are known, by usual frames."""
        row = max(0, int(np.searchsorted(self.ordinals, ordinal, side="right")) - 1)
        return int(self.places[row]) + self.usual * (ordinal - int(self.ordinals[row]))

    def span(self, segment: Segment) -> tuple[int, int]:
        """(start, stop) of a segment, half-open and never empty."""
        start = self.at(segment.start)
        return start, max(self.at(segment.stop), start + 1)

    def seconds(self, place: int) -> Fraction:
        """Exact time of a place from the first presented frame."""
        return place * self.unit


def clock_of(run: Run) -> FrameClock:
    """The clock of the test of a run, as editors count it."""
    if run.names or test_source(run).get("kind") == "array":
        counted = np.array_equal(run.frames.pts, run.frames.index)
        rate = 1 / run.time_base if counted else _claimed(run.config.get("fps")) or IMAGE_RATE
        return FrameClock(run.frames.index, run.frames.index, 1 / Fraction(rate), 1, True, True)
    return presentation_clock(run)


def presentation_clock(run: Run) -> FrameClock:
    """The presentation times of the test: for images that have capture times, those."""
    ordinals, ticks = _known_ticks(run)
    claimed = _claimed(test_source(run).get("frames_per_second"))
    found = _rate_of(ordinals, ticks, run.time_base, claimed)
    if found is not None:
        return FrameClock(ordinals, _places(ticks, run.time_base * found), 1 / found, 1, True)
    steps = np.diff(ticks) / np.diff(ordinals)
    usual = max(1, round(float(np.median(steps)))) if len(steps) else 1
    return FrameClock(ordinals, ticks, run.time_base, usual, False)


def test_source(run: Run) -> dict[str, Any]:
    """What the run stores about its test."""
    return next((source for source in run.sources if source.get("role") == "test"), {})


def _claimed(rate: object) -> Fraction | None:
    """A rate as a run stores it; None where it is none."""
    try:
        found = Fraction(str(rate))
    except (ValueError, ZeroDivisionError):
        return None
    return found if SLOWEST <= found <= FASTEST else None


def _known_ticks(run: Run) -> tuple[Int64, Int64]:
    """(decode ordinals, ticks from the first presented frame): of every decoded frame where they
    are stored, else of the rows of the run.

    Raises:
        StoreError: there are more ticks than doubles count.
    """
    index, pts = run.frames.index, run.frames.pts
    first = int(pts[0]) - round(Fraction(float(run.frames.time_s[0])) / run.time_base)
    table = run.seek_tables.get("test")
    if table is not None and len(table) > index[-1] and np.array_equal(table.pts[index], pts):
        index, pts = np.arange(len(table)), table.pts
    ends = int(pts.min()) - first, int(pts.max()) - first
    if max(map(abs, ends)) > MOST_TICKS:
        raise StoreError(
            f"{run.path} has presentation times that contradict its seconds: score the clip again"
        )
    return index, pts - pts[0] + (int(pts[0]) - first)


def _rate_of(
    ordinals: Int64, ticks: Int64, time_base: Fraction, claimed: Fraction | None
) -> Fraction | None:
    """The rate at which frames follow each other; None where there is none.

    Of those that fit, one that is usual and that the container claims; the one that equal steps
    make; one that is usual, one that is claimed; and the one that fits best.
    """
    steps = np.diff(ticks)
    if not len(steps):
        return claimed if claimed is not None and ticks[0] == 0 else None
    if steps.min() <= 0:
        return None
    common = int(np.gcd.reduce(steps))
    usual = float(np.median(steps / np.diff(ordinals)))
    tick = common if common < usual else 1  # times may have been rounded to coarser ticks before
    exact = 1 / (common * time_base)
    ranked = []
    for rate in {*USUAL_RATES, exact, *([] if claimed is None else [claimed])}:
        if int(np.abs(ticks).max()) * time_base * rate > MOST_TICKS:
            continue
        places = _places(ticks, time_base * rate)
        off = ticks - places / float(time_base * rate)
        lasts = float(np.median(np.diff(places) / np.diff(ordinals)))
        rounded = ROUNDED_TICKS * tick + 4 * float(np.spacing(float(ticks[-1])))
        if np.ptp(off) <= rounded and np.diff(places).min() > 0 and lasts == 1:
            of_steps = rate == exact and common == usual
            known, said = rate in USUAL_RATES, rate == claimed
            rank = [known and said, of_steps, known, said, True].index(True)
            ranked.append((rank, float(off.std()), rate))
    return min(ranked)[-1] if ranked else None


def _places(ticks: Int64, rate: Fraction) -> Int64:
    """The nearest frames to these ticks, of which there are as many in a tick as the rate says."""
    return np.rint(np.asarray(ticks, np.float64) * float(rate)).astype(np.int64)
