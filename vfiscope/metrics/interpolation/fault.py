"""Faults of a frame between two real ones, pixel by pixel, as a share of its content.

A pixel *moves* where the two real frames, without the frame in question, say so: content travels at
least a pixel from one to the other, and the two differ there by more than noise. For moving pixels
the question is which instant they show. A moving pixel is at fault if it is

- a repeat: one of the real frames in place explains it, and the motion between them does not;
- late or early: its content is on its track but clearly off its instant, and so is the frame as a
  whole;
- a blend of two instants (:func:`vfiscope.metrics.interpolation.ghosting.ghosts`).

Any pixel, moving or not, is at fault if it has

- broken geometry (:func:`vfiscope.metrics.interpolation.ghosting.broken`) or foreign colour
  (:func:`vfiscope.metrics.interpolation.foreign.foreign_colours`);
- the brightness or colour level of a frame that is off as a whole
  (:func:`vfiscope.metrics.interpolation.foreign.level`).

Each fault is a degree between 0 and 1, and the degree of a pixel is that of its worst fault: faults
are not weighted against each other. What the real frames cannot tell does not count as a fault:
content that is at rest or flat looks the same at every instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vfiscope.metrics.interpolation.flow import Bool, Triplet, fetch, resized
from vfiscope.metrics.interpolation.ghosting import NOISE_VARIANCE, RAMP_BLEND, ramp, variance
from vfiscope.metrics.interpolation.real_motion import Between
from vfiscope.types import Float32

__all__ = ["MIN_MOVING_PX", "Evidence", "Faults", "find"]

MIN_MOVING_PX = 1.0
"""Least motion of moving content, in pixels of the full frame from the frame before to the frame
after; never less than half a working pixel, the precision of the flow."""
MIN_CHANGE_VARIANCE = 16.0
"""Least variance of the change from before to after in a window, squared code values. The exact
middle frame differs from either side by a quarter of it, twice the noise: below that, the right
frame and a repeat look alike."""
MAX_HIDDEN_SHARE = 0.5
"""Share of a pixel hidden in one of the real frames from which on it is left out: background that
is uncovered in one half of the interval rightly equals one of them in place."""
MIN_JUDGED_SHARE = 0.25
"""Share of the moving pixels that must remain; where fewer do, the motion estimate has failed, and
no pixel is left out."""
MIN_MOVING_SHARE = 0.01
"""Least share of the frame that moving content is taken to have: a fault in less must not count as
one of the whole frame."""
RAMP_OFF_INSTANT = (0.25, 0.5)
"""Deviation from the right instant, as a share of the way to the neighbour on that side; 1 is a
repeat. Not a fault up to the first value, a full one from the second on. Real motion is seldom
even: content up to 5/3 times as fast in the second half stays within the first value."""
RAMP_OFF_PLACE = (0.5, 1.0)
"""The same in pixels of the full frame: smaller deviations are not visible."""
RAMP_OFF_LEVEL = (1.25, 3.0)
"""The same for the level, in 8-bit code values: one step of limited-range video is 1.2, no fault;
3 on a mid grey are 5 % of its light, which flickers."""
MIN_WINDOW_PX, WINDOW_SHARE = 48.0, 1 / 12
"""Least side of the window that :attr:`Faults.peak` looks through, in pixels of the full frame, and
its side in parts of the shorter side of the frame."""
TEAR_ROWS, MIN_TEAR_BAND_SHARE = 64, 0.1
"""Bins of rows in which a tear is searched, and the least share of the moving content that lies on
either side of it."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence on a frame beside its flows: planes (h, w) of 0..1 at any size, and the level in
    8-bit code values, as the functions named at the top of this file return them."""

    ghosts: Float32
    broken: Float32
    strange: Float32
    level: float


@dataclass(frozen=True, eq=False)
class Faults:
    """The faults of a frame. Shares are of the moving content, or of 1 % of the frame where less
    than that moves."""

    plane: Float32
    """(h, w) 0..1, degree of the worst fault of each pixel."""
    fault: float
    """0..1: 1 - (1 - m) (1 - r), with m the share at fault of the moving content and r that of the
    content at rest."""
    moving: float
    """Share of the frame that moves."""
    repeat: float
    """Share that shows the frame before or after in place."""
    late: float
    """Share that is behind its instant, including repeats of the frame before."""
    early: float
    """Share that is ahead of its instant, including repeats of the frame after."""
    blend: float
    """Share that is a blend of two instants."""
    torn: float
    """0..1, how purely a band of rows shows one instant and all other rows another."""
    peak: float
    """0..1, share at fault of the worst square window of the frame."""


def find(frame: Triplet, between: Between, evidence: Evidence, phase: float) -> Faults:
    """All faults of a frame.

    Args:
        frame: the frame and its flows, (h, w).
        between: the motion between the real frames around it.
        evidence: ghosts, broken geometry, foreign colours and level of the frame.
        phase: its instant, above 0 (the frame before) and below 1 (the frame after).
    """
    size = frame.test.shape
    instants = _Instants(frame, between, phase)
    moving, before, after = instants.moving, instants.repeats[0], instants.repeats[1]
    # A repeat of the frame before is as late as content can be, one of the frame after as early.
    late, early = instants.displaced
    late, early = np.maximum(late, before), np.maximum(early, after)
    # The worst fault of each pixel counts: those of moving pixels, and those of any pixel.
    blend = np.where(moving, evidence.ghosts, np.float32(0))
    wrong = np.maximum(evidence.broken, resized(evidence.strange, size))
    wrong = np.maximum(wrong, np.float32(_degree(abs(evidence.level), RAMP_OFF_LEVEL)))
    plane = np.maximum.reduce([late, early, blend, wrong])
    rest = float(plane[~moving].mean(dtype=np.float64)) if not moving.all() else 0.0
    return Faults(
        plane=plane,
        fault=1 - (1 - _share(plane, moving)) * (1 - rest),
        moving=float(moving.mean()),
        repeat=_share(np.maximum(before, after), moving),
        late=_share(late, moving),
        early=_share(early, moving),
        blend=_share(blend, moving),
        torn=_torn(moving, before, after, 1 - plane),
        peak=_peak(plane, frame.scale),
    )


def _degree(value: float, ends: tuple[float, float]) -> float:
    """0 up to the first end, 1 from the second on, linear in between."""
    low, high = ends
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _share(plane: Float32, moving: Bool) -> float:
    """The share of the moving content that a plane marks."""
    return float(plane[moving].sum(dtype=np.float64)) / max(
        float(moving.sum()), MIN_MOVING_SHARE * moving.size
    )


def _peak(plane: Float32, scale: Float32) -> float:
    """The largest mean of a plane in a square window inside of the frame.

    A fault that covers a hundredth of the frame is plain to see and vanishes in a mean over the
    frame; in the window it is large. Scattered pixels that are taken for faults are not.
    """
    full = np.array(plane.shape[::-1]) * scale
    side = max(MIN_WINDOW_PX, WINDOW_SHARE * float(full.min()))
    across, down = (
        min(length, max(1, round(side / float(one))))
        for length, one in zip(plane.shape[::-1], scale, strict=True)
    )
    means = cv2.boxFilter(plane, cv2.CV_64F, (across, down))
    top, left = down // 2, across // 2
    within = means[top : top + plane.shape[0] - down + 1, left : left + plane.shape[1] - across + 1]
    return min(max(float(within.max()), 0.0), 1.0)


@dataclass(frozen=True, eq=False)
class _Instants:
    """Which instant each moving pixel of a frame shows."""

    frame: Triplet
    between: Between
    phase: float

    @cached_property
    def moving(self) -> Bool:
        """(h, w) pixels that move, by the real frames alone."""
        frame = self.frame
        # Motion was estimated at a smaller size: bring its lengths to pixels of the full frame.
        small = self.between.forth.shape[:2]
        scale = frame.scale * np.array(
            [frame.test.shape[1] / small[1], frame.test.shape[0] / small[0]], np.float32
        )
        speed = resized(
            Between(self.between.forth * scale, self.between.back * scale).speed, frame.test.shape
        )
        # Content moves where it travels far enough and the real frames differ by more than noise.
        least = max(MIN_MOVING_PX, 0.5 * float(frame.scale.max()))
        found: Bool = (speed >= least) & (
            variance(frame.after - frame.before) >= MIN_CHANGE_VARIANCE
        )
        # Hidden content cannot be judged, unless hardly any pixel is left without it.
        judged = found & (
            resized(self.between.hidden.astype(np.float32), frame.test.shape) < MAX_HIDDEN_SHARE
        )
        return judged if judged.sum() >= MIN_JUDGED_SHARE * found.sum() else found

    @cached_property
    def repeats(self) -> tuple[Float32, Float32]:
        """Degree to which each pixel repeats the frame before, and the one after, (h, w) each.

        It is the share that the neighbour in place explains of what no expected frame explains. The
        expected frames are both neighbours moved to this instant, each by the motion that starts at
        this pixel of the one neighbour and of the other.
        """
        frame = self.frame
        # 1. The four expected frames, and the variance that the best of them leaves unexplained.
        flows = self.between.at(frame.test.shape).expected(self.phase)
        moved = [
            fetch(*each)
            for one, other in flows
            for each in ((frame.before, one), (frame.after, other))
        ]
        unexplained = np.minimum.reduce([variance(frame.test - each) for each in moved])
        # 2. The share of it that each neighbour in place explains.
        before, after = variance(frame.test - frame.before), variance(frame.test - frame.after)
        shares = [
            1 - (own + NOISE_VARIANCE) / np.maximum(unexplained, NOISE_VARIANCE)
            for own in (before, after)
        ]
        one, other = (
            np.where(self.moving, ramp(share, RAMP_BLEND), np.float32(0)) for share in shares
        )
        # 3. A pixel repeats only the neighbour that it is more like.
        return np.where(before < after, one, np.float32(0)), np.where(
            after < before, other, np.float32(0)
        )

    @cached_property
    def displaced(self) -> tuple[Float32, Float32]:
        """Degree to which each pixel is late, and early, (h, w) each; 0 everywhere unless the frame
        as a whole is late or early.

        A single object may speed up or slow down by itself, which two real frames cannot tell from
        a fault.
        """
        frame, nothing = self.frame, np.zeros_like(self.frame.test)
        # 1. Only content that moves and is visible in both real frames has a known track.
        track = frame.track
        square = np.square(track).sum(axis=-1)
        known = self.moving & frame.in_before & frame.in_after & (square >= MIN_MOVING_PX**2)
        if known.sum() < MIN_MOVING_SHARE * self.moving.sum() or not known.any():
            return nothing, nothing
        # 2. How far along its track it is, against its instant: in parts of the track, in pixels,
        # and in parts of the way to the neighbour on that side.
        passed = -(frame.to_before * frame.scale * track).sum(axis=-1)[known] / square[known]
        ahead = passed - np.float32(self.phase)
        pixels = float(np.median(ahead * np.sqrt(square[known])))
        ways = ahead / np.where(ahead < 0, np.float32(self.phase), np.float32(1 - self.phase))
        # 3. The median decides for the frame: its direction, and how much of the degrees counts.
        whole = float(np.median(ways))
        much = _degree(abs(whole), RAMP_OFF_INSTANT) * _degree(abs(pixels), RAMP_OFF_PLACE)
        plane = nothing.copy()
        plane[known] = ramp(ways if whole > 0 else -ways, RAMP_OFF_INSTANT) * np.float32(much)
        return (plane, nothing) if whole < 0 else (nothing, plane)


def _torn(moving: Bool, before: Float32, after: Float32, own: Float32) -> float:
    """How purely a band of rows shows one instant and all other rows another, 0..1.

    The instants are those of the frame before, of the one after, and the frame's own. For every
    band of rows with at least a tenth of the moving content inside and outside, and every pair of
    instants, the purity is the smaller of the share of the one instant inside the band and of the
    other outside. The best band and pair count.
    """
    # 1. Moving content, and how much of it shows each instant, by bins of rows.
    height = moving.shape[0]
    starts = np.unique(
        np.linspace(0, height, min(TEAR_ROWS, height), endpoint=False).astype(np.int64)
    )
    planes = [
        np.where(moving, plane, 0).sum(axis=1, dtype=np.float64) for plane in (before, after, own)
    ]
    rows = np.stack(
        [np.add.reduceat(each, starts) for each in (*planes, moving.sum(axis=1, dtype=np.float64))]
    )
    # 2. By cumulative sums, the same inside and outside of every band from bin i up to bin j.
    sums = np.concatenate([np.zeros((4, 1)), np.cumsum(rows, axis=1)], axis=1)
    inside = sums[:, np.newaxis, :] - sums[:, :, np.newaxis]
    outside = sums[:, -1, np.newaxis, np.newaxis] - inside
    total = sums[3, -1]
    split = (
        (inside[3] >= MIN_TEAR_BAND_SHARE * total)
        & (outside[3] >= MIN_TEAR_BAND_SHARE * total)
        & (inside[3] > 0)
        & (outside[3] > 0)
    )
    if not split.any():
        return 0.0
    # 3. The purest split into two different instants; it counts less where hardly anything moves.
    within, without = (part[:3, split] / part[3, split] for part in (inside, outside))
    pure = [np.minimum(within[i], without[j]).max() for i in range(3) for j in range(3) if i != j]
    return float(max(pure)) * min(1.0, float(total) / (MIN_MOVING_SHARE * moving.size))
