"""What is wrong with a frame between two real ones, pixel by pixel, as a share of its content.

A pixel *moves* where the real frames around, asked without the frame, say so: content goes a pixel
or more from the one to the other, and the two differ there by more than noise. Of moving pixels it
is asked which instant they show. A pixel at fault is any of

- a repeat: a real frame in place explains it, and the motion between the real frames does not;
- late or early: its content is on its track, but clearly off its instant, as that of the frame on
  the whole is;
- a blend of two instants (:func:`vfiscope.metrics.interpolation.ghosting.ghosts`).

And of all pixels, moving or not, any of

- broken geometry (:func:`vfiscope.metrics.interpolation.ghosting.broken`), foreign colour
  (:func:`vfiscope.metrics.interpolation.foreign.foreign_colours`);
- a level of brightness or colour that is off in the frame as a whole
  (:func:`vfiscope.metrics.interpolation.foreign.level`).

Each is between 0 and 1, and a pixel is at fault as far as the worst of them says: nothing is
weighed against anything. What the real frames cannot tell is no fault: content that is at rest or
flat looks the same at every instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfiscope.metrics.interpolation.flow import Bool, Triplet, fetch, resized
from vfiscope.metrics.interpolation.ghosting import NOISE_VARIANCE, RAMP_BLEND, ramp, variance
from vfiscope.metrics.interpolation.real_motion import Between
from vfiscope.types import Float32

__all__ = ["MIN_MOVING_PX", "Evidence", "Faults", "find"]

MIN_MOVING_PX = 1.0
"""Pixels of the full frame from the frame before to the frame after from which content moves; half
a working pixel at least, as a flow is not known better."""
MIN_CHANGE_VARIANCE = 16.0
"""Least variance of the change from before to after in a window, squared code values. From the
exact frame it is a quarter to either side, twice the noise: below, the right frame and a repeat
look alike."""
MAX_HIDDEN_SHARE = 0.5
"""Share of a pixel that is hidden in one of the real frames from which it is left out: ground that
a thing uncovers in one half of the time rightly equals one of them in place."""
MIN_JUDGED_SHARE = 0.25
"""Share of what moves that must be left; where less is, motion is lost, and nothing is left out."""
MIN_MOVING_SHARE = 0.01
"""Share of the frame that moving content counts for at least: a fault in less is not one of the
whole frame."""
RAMP_OFF_INSTANT = (0.25, 0.5)
"""Deviation from the right instant, in parts of the way to the neighbour on that side: 1 is a
repeat. Nothing below, all from half way on. Real motion is seldom even: speed up to 5/3 times in
the second half is within the first."""
RAMP_OFF_PLACE = (0.5, 1.0)
"""The same in pixels of the full frame: less is not seen."""
RAMP_OFF_LEVEL = (1.0, 3.0)
"""8-bit code values: a step of limited-range video is 1.2, and 3 on a mid gray are 5 % of its
light, which flickers."""
TEAR_ROWS, MIN_TEAR_BAND_SHARE = 64, 0.1
"""Rows into which a frame is binned to look for a tear, and the least part of the moving content on
either side."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a frame beside its flows: planes (h, w) of 0..1, as the functions give them,
    at any size."""

    ghosts: Float32
    broken: Float32
    strange: Float32
    level: float


@dataclass(frozen=True, eq=False)
class Faults:
    """The faults of a frame. Shares are parts of the moving content, but where that is under 1 % of
    the frame, parts of 1 % of the frame."""

    plane: Float32
    """(h, w) 0..1, how far each pixel is at fault."""
    fault: float
    """0..1: 1 - (1 - m) (1 - r), with m the share of the moving content at fault and r that of what
    is at rest."""
    moving: float
    """Share of the frame that moves."""
    repeat: float
    """Share that shows the frame before or after in place."""
    late: float
    """Share that is behind its instant, repeats of the frame before included."""
    early: float
    """Share that is ahead, repeats of the frame after included."""
    blend: float
    """Share that is a blend of two instants."""
    torn: float
    """How purely a band of rows shows one instant and all other rows another."""


def find(frame: Triplet, between: Between, evidence: Evidence, phase: float) -> Faults:
    """Everything that is wrong with a frame.

    Args:
        frame: the frame and its flows, (h, w).
        between: the motion between the frames around.
        evidence: what else is known.
        phase: its instant, 0 at the frame before, 1 at the one after, neither included.
    """
    size = frame.test.shape
    instants = _Instants(frame, between, phase)
    moving, before, after = instants.moving, instants.repeats[0], instants.repeats[1]
    late, early = instants.displaced
    late, early = np.maximum(late, before), np.maximum(early, after)
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
    )


def _degree(value: float, ends: tuple[float, float]) -> float:
    """0 up to the first end, 1 from the second on."""
    low, high = ends
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _share(plane: Float32, moving: Bool) -> float:
    """The share of the moving content that a plane marks."""
    return float(plane[moving].sum(dtype=np.float64)) / max(
        float(moving.sum()), MIN_MOVING_SHARE * moving.size
    )


@dataclass(frozen=True, eq=False)
class _Instants:
    """Which instant each moving pixel of a frame shows."""

    frame: Triplet
    between: Between
    phase: float

    @cached_property
    def moving(self) -> Bool:
        frame = self.frame
        small = self.between.forth.shape[:2]
        scale = frame.scale * np.array(
            [frame.test.shape[1] / small[1], frame.test.shape[0] / small[0]], np.float32
        )
        speed = resized(
            Between(self.between.forth * scale, self.between.back * scale).speed, frame.test.shape
        )
        least = max(MIN_MOVING_PX, 0.5 * float(frame.scale.max()))
        found: Bool = (speed >= least) & (
            variance(frame.after - frame.before) >= MIN_CHANGE_VARIANCE
        )
        told = found & (
            resized(self.between.hidden.astype(np.float32), frame.test.shape) < MAX_HIDDEN_SHARE
        )
        return told if told.sum() >= MIN_JUDGED_SHARE * found.sum() else found

    @cached_property
    def repeats(self) -> tuple[Float32, Float32]:
        """How far each pixel repeats the frame before, and the one after, (h, w) each.

        It does as far as that frame in place explains what none of the expected pictures does:
        either neighbour, moved to this instant by the motion that starts at this pixel of the one,
        or of the other.
        """
        frame = self.frame
        flows = self.between.at(frame.test.shape).expected(self.phase)
        moved = [
            fetch(*each)
            for one, other in flows
            for each in ((frame.before, one), (frame.after, other))
        ]
        unexplained = np.minimum.reduce([variance(frame.test - each) for each in moved])
        before, after = variance(frame.test - frame.before), variance(frame.test - frame.after)
        shares = [
            1 - (own + NOISE_VARIANCE) / np.maximum(unexplained, NOISE_VARIANCE)
            for own in (before, after)
        ]
        one, other = (
            np.where(self.moving, ramp(share, RAMP_BLEND), np.float32(0)) for share in shares
        )
        return np.where(before < after, one, np.float32(0)), np.where(
            after < before, other, np.float32(0)
        )

    @cached_property
    def displaced(self) -> tuple[Float32, Float32]:
        """How far each pixel is late, and early, (h, w) each; 0 everywhere unless the frame is so
        on the whole.

        Single things speed up and slow down by themselves, and nothing but the real frames around
        is known.
        """
        frame, nothing = self.frame, np.zeros_like(self.frame.test)
        track = frame.track
        square = np.square(track).sum(axis=-1)
        known = self.moving & frame.in_before & frame.in_after & (square >= MIN_MOVING_PX**2)
        if known.sum() < MIN_MOVING_SHARE * self.moving.sum() or not known.any():
            return nothing, nothing
        passed = -(frame.to_before * frame.scale * track).sum(axis=-1)[known] / square[known]
        ahead = passed - np.float32(self.phase)
        pixels = float(np.median(ahead * np.sqrt(square[known])))
        ways = ahead / np.where(ahead < 0, np.float32(self.phase), np.float32(1 - self.phase))
        whole = float(np.median(ways))
        much = _degree(abs(whole), RAMP_OFF_INSTANT) * _degree(abs(pixels), RAMP_OFF_PLACE)
        plane = nothing.copy()
        plane[known] = ramp(ways if whole > 0 else -ways, RAMP_OFF_INSTANT) * np.float32(much)
        return (plane, nothing) if whole < 0 else (nothing, plane)


def _torn(moving: Bool, before: Float32, after: Float32, own: Float32) -> float:
    """How purely a band of rows shows one instant and all other rows another, 0..1.

    The instants are those of the frame before, of the one after, and the frame's own. Of every band
    of rows that has at least a tenth of the moving content, and leaves as much: the smaller of the
    share of the one instant in it, and of the other outside. The band that splits the frame best
    counts.
    """
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
    within, without = (part[:3, split] / part[3, split] for part in (inside, outside))
    pure = [np.minimum(within[i], without[j]).max() for i in range(3) for j in range(3) if i != j]
    return float(max(pure)) * min(1.0, float(total) / (MIN_MOVING_SHARE * moving.size))
