"""Where something can be seen.

``act(t)`` is the median of the 95th percentile of the differences of 16 x 16 blocks between
neighbouring frames, in code values of luma at most 480 px wide, over six frames before or after
``t``, whichever is less. A fault of time can be seen where ``act >= 3`` (and a freeze where as much
goes on in the frames that it hides); a ghost and a tear also need 1.5 px of motion from frame to
frame (the 80th percentile of dense flow); all others a standard deviation of luma above 6. And the
frame must differ from what it was, in at least one block of a hundred, by 2 code values where only
the light differs and by 6 otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from faults_truth import Edit, Pixels, Shots
from faults_variant import Variant

LEAST_ACT, STRONG_ACT = 3.0, 6.0
LEAST_SPEED = 1.5
LEAST_STD = 6.0
LEAST_APART, LEAST_LIT = 6.0, 2.0
LIT = ("exposure", "flicker", "flash", "fade", "black")
OF_TIME = ("duplicate", "freeze", "drop", "cadence")
APART = 16
"""Frames between two faults: more than what a detector compares with."""
OWN_APART = 10
ALL_ALONG = 48
"""Frames of a trifle beyond which it goes on all along, and a fault may lie in it."""
NAIVE_SHARE = 0.15
"""Of the faults are put anywhere."""
BLOCK_SIDE = 16


def luma(frame: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def block_differences(one: Pixels, other: Pixels) -> np.ndarray:
    """(h, w) means over 16 x 16 blocks of the difference of two luma frames."""
    apart = cv2.absdiff(one, other).astype(np.float32)
    rows, columns = (max(1, side // BLOCK_SIDE) for side in apart.shape)
    whole = apart[: rows * BLOCK_SIDE, : columns * BLOCK_SIDE]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True, eq=False)
class Sights:
    """What can be seen in a clip, frame by frame."""

    shots: Shots

    @cached_property
    def grey(self) -> list[Pixels]:
        return [luma(frame) for frame in self.shots.frames]

    @cached_property
    def steps(self) -> np.ndarray:
        """(N,) H95 of each frame to the one before; 0 for the first."""
        pairs = zip(self.grey, self.grey[1:], strict=False)
        found = [float(np.percentile(block_differences(a, b), 95)) for a, b in pairs]
        return np.array([0.0, *found])

    @cached_property
    def spread(self) -> np.ndarray:
        """(N,) standard deviation of luma."""
        return np.array([float(frame.std()) for frame in self.grey])

    def act(self, at: int, stop: int) -> float:
        """What goes on around frames [at, stop)."""
        before, after = self.steps[max(1, at - 6) : at], self.steps[stop : stop + 6]
        if not len(before) or not len(after):
            return 0.0
        sides = [float(np.median(before)), float(np.median(after))]
        return min(*sides, float(np.median(self.steps[at : max(stop, at + 1)])))

    def speed(self, at: int) -> float:
        """Px from the frame before, the 80th percentile."""
        size = (240, max(16, round(self.grey[at].shape[0] * 240 / self.grey[at].shape[1])))
        two = [cv2.resize(self.grey[i], size, interpolation=cv2.INTER_AREA) for i in (at - 1, at)]
        dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        flow = dis.calc(two[0], two[1], None)
        scale = self.grey[at].shape[1] / size[0]
        return scale * float(np.percentile(np.hypot(flow[..., 0], flow[..., 1]), 80))

    def can_be_seen(self, variant: Variant, level: int, at: int, least: float = LEAST_ACT) -> bool:
        """Whether such a fault can be seen at a place, by what is there."""
        stop = at + variant.length(level)
        if variant.needs == "texture":
            return bool(self.spread[at:stop].min() > LEAST_STD)
        if variant.kind == "drop":
            stop = at + variant.levels[level]["count"]
        if self.act(at, stop) < least:
            return False
        return variant.needs == "change" or self.speed(at) >= LEAST_SPEED


def shows(edit: Edit, frames: Sequence[Pixels], kind: str) -> bool:
    """Whether an edit of pixels changed enough to be seen."""
    if kind in OF_TIME or not edit.last > edit.first:
        return True
    pairs = zip(edit.frames[:4], frames[edit.first : edit.last], strict=False)
    apart = [np.percentile(block_differences(luma(a), luma(b)), 99) for a, b in pairs]
    return max(apart) >= (LEAST_LIT if kind in LIT else LEAST_APART)


def free_places(shots: Shots, taken: Sequence[tuple[int, int]], length: int) -> list[int]:
    """Starts that keep away from the ends, from other faults, and from what the clip has itself."""
    count = len(shots.frames)
    blocked = np.zeros(count + 1, bool)
    for start, stop in taken:
        blocked[max(0, start - APART) : stop + APART] = True
    for truth in shots.truths:
        if truth.kind == "cadence" or (truth.optional and truth.stop - truth.start > ALL_ALONG):
            continue
        away = 4 if truth.kind in ("duplicate", "drop") else OWN_APART
        blocked[max(0, truth.start - away) : truth.stop + away] = True
    ends = range(12, count - length - 12)
    return [at for at in ends if not blocked[at : at + length + 1].any()]


def place(
    sights: Sights,
    variant: Variant,
    level: int,
    taken: Sequence[tuple[int, int]],
    random: np.random.Generator,
    naive: bool = False,
) -> tuple[int, bool] | None:
    """A place for a fault, any one if ``naive``, and whether it can be seen there; None where there
    is no good one."""
    places = free_places(sights.shots, taken, variant.length(level))
    if not places:
        return None
    random.shuffle(places)
    if naive:
        return places[0], sights.can_be_seen(variant, level, places[0])
    # What makes a repeat a strong one is that much moves.
    least = STRONG_ACT if level == 2 and variant.kind == "duplicate" else LEAST_ACT
    for at in places[:24]:
        if sights.can_be_seen(variant, level, at, least):
            return at, True
    return None
