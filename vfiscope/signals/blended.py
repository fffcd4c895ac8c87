"""Blends: frames that are a mixture of two instants, as ghosting is."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import REORDERED, compiled
from vfiscope.signals.fetching import fetched_along
from vfiscope.signals.frame_flow import MIN_FLOW_PX, flow_between, tiny_scale
from vfiscope.signals.frame_views import scaled_down
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import TINY_WIDTH, Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float32, SignalSpec

__all__ = ["BLEND_SIGNALS", "Blend", "Passage", "blend", "brought", "halfway", "passage"]

MIN_MOVED_CODES = 14
"""Difference of the frames before and after, in code values, where a blend shows."""
MIN_MOVED_PX = 40
"""Tiny pixels that must differ so much."""
BLEND_WEIGHTS = (0.2, 0.8)
"""Part of the frame before in a blend; beyond, it is a repeat."""
MIN_CARRIED_CODES = 1.0
"""Least residual of motion that the one of a blend is divided by."""
BLEND_MOTION_SHARE = 0.8
NOTHING_LEFT, HALF_WAY = np.float32(0), np.float32(0.5)


class Passage(NamedTuple):
    """How content goes from the frame before to the frame after; tiny frames."""

    flow: Float32
    """(h, w, 2) px: content at (x, y) of the one is at (x + dx, y + dy) of the other."""
    moved: NDArray[np.bool_]
    """(h, w) where they differ by more than 14 code values: where a blend shows."""


class Blend(NamedTuple):
    """How well a mixture of two instants explains a frame."""

    residual: float
    """Mean difference to the mixture of its neighbours, as a multiple of that to them along their
    motion."""
    others: float
    """The least of the same for mixtures of other instants."""
    gradient: float
    """Mean slope of the frame as a part of that of its neighbours."""
    motion: float
    """Pixels of the frame that content moves from the frame before to the one after (80th
    percentile)."""


def passage(frame: SignalFrame) -> Passage | None:
    """That around a frame; None where there are no frames around it, or hardly anything moves."""

    before, after = frame.before, frame.after
    if before is None or after is None:
        return None

    def compute() -> Passage | None:
        past, coming = before.tiny, after.tiny
        if min(past.shape) < MIN_FLOW_PX:
            return None
        moved = cv2.absdiff(past, coming) > MIN_MOVED_CODES
        if np.count_nonzero(moved) < MIN_MOVED_PX:
            return None
        return Passage(flow_between(past, coming), moved)

    return frame.share("passage", compute)


def halfway(frame: SignalFrame, found: Passage) -> tuple[Float32, Float32]:
    """(h, w) tiny planes: the frames before and after, each brought half of the way to the other
    one."""
    return frame.share("halfway", lambda: brought(frame, found.flow))


def brought(
    frame: SignalFrame, flow: Float32, off: Float32 | None = None
) -> tuple[Float32, Float32]:
    """(h, w) tiny planes: the frames before and after, brought along half of the flow between them,
    and both ``off`` further, (2,) px."""
    before, after = frame.before, frame.after
    if before is None or after is None:
        raise ValueError("a frame without neighbours has nothing to bring")
    return fetched_along(before.tiny, flow, -0.5, off), fetched_along(after.tiny, flow, 0.5, off)


def blend(frame: SignalFrame) -> Blend | None:
    """The frame against mixtures of those around it, at the places where they differ by more than
    14 code values; None where there are none around it or too few such places.

    With p and n the frames before and after, the mixture is a p + (1 - a) n with the a of 0.2 to
    0.8 that fits best. A ghost is close to it, and a moving edge far from it; slow motion is close
    to both, and therefore divided by the least of |f - p|, |f - n| and |f - (p + n) / 2| with p and
    n brought half of the way along the flow between them. Tiny frames, at most 240 px wide.

    The other mixtures are of the instants 0 and 1, -1 and 0, -2 and 1, -1 and 2, -2 and 2 frames
    on: 0 is the mean of p and n, both brought half of the way, and -2 the frame before p.
    """
    found = passage(frame)
    if found is None:
        return None
    return frame.share("blend", lambda: _blend(frame, found))


def _blend(frame: SignalFrame, found: Passage) -> Blend | None:
    before, after = frame.before, frame.after
    if before is None or after is None:
        return None
    past, coming, moved = before.tiny, after.tiny, found.moved
    count, along, length = mixed(frame.tiny, past, coming)
    part = min(max(along / length, BLEND_WEIGHTS[0]), BLEND_WEIGHTS[1])
    old, new = halfway(frame, found)
    left, least = residuals(frame.tiny, past, coming, part, old, new)
    known = len(frame.past) > 1, len(frame.coming) > 1
    earlier = scaled_down(frame.past[1], TINY_WIDTH) if known[0] else past
    later = scaled_down(frame.coming[1], TINY_WIDTH) if known[1] else coming
    others = least_unmixed(frame.tiny, moved, old, new, past, coming, earlier, later, *known)
    slopes, squares = np.zeros(3), np.empty(moved.size, np.float32)
    of_moved(frame.slopes, before.slopes, after.slopes, found.flow, moved, slopes, squares)
    usual = (slopes[1] + slopes[2]) / 2
    explained = max(MIN_CARRIED_CODES * count, least)
    return Blend(
        left / explained,
        others / explained,
        slopes[0] / usual if usual else math.nan,
        math.sqrt(ranked(squares[:count], BLEND_MOTION_SHARE)[0]) * tiny_scale(frame),
    )


@compiled()
def of_moved(
    here: Any, before: Any, after: Any, flow: Any, moved: Any, slopes: Any, squares: Any
) -> None:
    """Where a mask is set: add the slopes (h, w) of three frames to (3,) float64, and fill the
    first of (h * w,) float32 with the squared lengths of a flow (h, w, 2)."""
    count = 0
    for y in range(moved.shape[0]):
        for x in range(moved.shape[1]):
            if moved[y, x]:
                slopes[0] += here[y, x]
                slopes[1] += before[y, x]
                slopes[2] += after[y, x]
                across, down = flow[y, x, 0], flow[y, x, 1]
                squares[count] = across * across + down * down
                count += 1


@compiled()
def mixed(now: Any, past: Any, coming: Any) -> tuple[int, float, float]:
    """Over the pixels of (h, w) uint8 planes where past and coming differ: their number, and the
    products of (now - coming) and of (past - coming) with (past - coming)."""
    count: Any = 0
    along, length = 0.0, 0.0
    for y in range(now.shape[0]):
        row_count, row_along, row_length = np.int32(0), np.int32(0), np.int32(0)
        for x in range(now.shape[1]):
            apart = np.int32(past[y, x]) - np.int32(coming[y, x])
            step = np.int32(apart if abs(apart) > MIN_MOVED_CODES else 0)
            row_count += np.int32(step != 0)
            row_along += np.int32(step * (np.int32(now[y, x]) - np.int32(coming[y, x])))
            row_length += np.int32(step * step)
        count += row_count
        along += row_along
        length += row_length
    return count, along, length


@compiled(REORDERED)
def residuals(
    now: Any, past: Any, coming: Any, part: float, old: Any, new: Any
) -> tuple[float, float]:
    """Over the same pixels: sums of the differences to the mixture, and of the least of those to
    ``old``, ``new`` (h, w) float32 and their mean; rows in float32, and their sums in float64."""
    left, least, share = 0.0, 0.0, np.float32(part)
    for y in range(now.shape[0]):
        row_left, row_least = NOTHING_LEFT, NOTHING_LEFT
        for x in range(now.shape[1]):
            here, then, later = np.float32(now[y, x]), np.float32(past[y, x]), coming[y, x]
            step = then - np.float32(later)
            moved = abs(step) > MIN_MOVED_CODES
            a, b = here - old[y, x], here - new[y, x]
            nearest = min(abs(a), abs(b), abs((a + b) * HALF_WAY))
            row_left += abs(here - np.float32(later) - share * step) if moved else NOTHING_LEFT
            row_least += nearest if moved else NOTHING_LEFT
        left += np.float64(row_left)
        least += np.float64(row_least)
    return left, least


@compiled()
def least_unmixed(
    now: Any,
    moved: Any,
    old: Any,
    new: Any,
    past: Any,
    coming: Any,
    earlier: Any,
    later: Any,
    has_earlier: bool,
    has_later: bool,
) -> Any:
    """The least of what other mixtures of two instants leave, of tiny planes (h, w): of the mean of
    ``old`` and ``new``, of those beside, and of those beyond where there are such."""
    own = np.empty_like(old)
    for y in range(own.shape[0]):
        for x in range(own.shape[1]):
            own[y, x] = (old[y, x] + new[y, x]) * HALF_WAY
    least = min(unmixed(now, moved, own, coming), unmixed(now, moved, past, own))
    if has_earlier:
        least = min(least, unmixed(now, moved, earlier, coming))
    if has_later:
        least = min(least, unmixed(now, moved, past, later))
    if has_earlier and has_later:
        least = min(least, unmixed(now, moved, earlier, later))
    return least


@compiled(REORDERED, inner=True)
def unmixed(now: Any, moved: Any, one: Any, other: Any) -> Any:
    """Sum of the differences of ``now`` (h, w) uint8 to the best mixture of two planes, where
    ``moved``; rows in float32, and their sums in float64."""
    along, length, left = 0.0, 0.0, 0.0
    for y in range(now.shape[0]):
        row_along, row_length = NOTHING_LEFT, NOTHING_LEFT
        for x in range(now.shape[1]):
            there = np.float32(other[y, x])
            step = np.float32(one[y, x]) - there if moved[y, x] else NOTHING_LEFT
            row_along += step * (np.float32(now[y, x]) - there)
            row_length += step * step
        along += np.float64(row_along)
        length += np.float64(row_length)
    low, high = BLEND_WEIGHTS
    part = np.float32(low if length == 0 else min(max(along / length, low), high))
    for y in range(now.shape[0]):
        row_left = NOTHING_LEFT
        for x in range(now.shape[1]):
            there = np.float32(other[y, x])
            apart = np.float32(now[y, x]) - there - part * (np.float32(one[y, x]) - there)
            row_left += abs(apart) if moved[y, x] else NOTHING_LEFT
        left += np.float64(row_left)
    return left


BLEND_SIGNALS = tuple(
    Signal(
        SignalSpec(f"blend_{name}", unit, text),
        part_of(blend, name),
        Sight.BEFORE | Sight.AFTER | Sight.PAST | Sight.COMING,
        usual=True,
    )
    for name, unit, text in (
        (
            "residual",
            "1",
            "Difference to a mixture of the frames before and after, as a multiple of that to them"
            " along their motion; near 0 for a blend.",
        ),
        (
            "others",
            "1",
            "The least of the same for mixtures of other instants: the frame itself along the"
            " motion, two before or after.",
        ),
        (
            "gradient",
            "1",
            "Slope of luma where the frames before and after differ, as a part of theirs.",
        ),
        ("motion", "px", "How far content moves from the frame before to the frame after."),
    )
)
