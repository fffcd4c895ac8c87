"""Tears in terms of motion: one part of a frame falls behind the other, and catches up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import block_flow, from_before
from vfiscope.signals.pace import MIN_PACE_BLOCKS, MIN_PACE_PX
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float32, SignalSpec

__all__ = ["TEAR_PACES", "TearPace", "tear_pace"]

MOST_TORN_ROWS = 4
"""Longest tear that is looked for."""
LEAST_STEPS = 3
"""The one before the shortest tear, the one where it begins, and the one behind it."""
LEAST_PART, LEAST_COLUMNS = 0.1, 0.3
"""Least part of what moves, and of the width in which it moves, on both sides of a split."""


class TearPace(NamedTuple):
    """The tear that is most likely to have ended in the row before."""

    ahead: float
    """How many usual steps the content above the split went less than that below it where the tear
    began, and more where it ended: the mean of both."""
    rows: float
    """Number of torn rows."""
    split: float
    """Part of the frame, 0..1, that lies above the split."""
    explained: float
    """Part of all differences between the paces of blocks that such a tear explains."""
    agreed: float
    """Part of the blocks whose pace is that of their side of the split: off by less than half a
    step, and than half of what the sides differ by."""


def tear_pace(frame: SignalFrame) -> TearPace | None:
    """The tear; None at the start, and where too little moves.

    If the rows t .. t + n - 1 are torn, content goes as far from row t - 1 to row t + n on both
    sides of the split. Let u be the (n + 1)-th part of that, by block: the usual step, whatever the
    tear did. The pace of a block in a row is v . u / |u|^2 with its motion v since the row before.
    Where a part shows an instant that is k frames older, it is less by k in row t and more by k in
    row t + n, and equal in between and in the row before; where it shows a newer one, the other way
    round. A camera that is held by hand changes the paces of both sides alike.

    Of the tears of 1 to 4 rows that end before this row, that which explains most, where it is
    small in proportion to its size below a step. Blocks are 8 x 8 of frames scaled down to at most
    240 px of width, and |u| above 0.25 of their pixels; weighed by |u|^2.
    """
    steps = _steps(frame)
    if steps is None or len(steps) < LEAST_STEPS:
        return None
    found = np.zeros(len(TearPace._fields))
    score = likeliest_tear(np.array(steps), found)
    return TearPace(*found.tolist()) if score > 0 else None


def _steps(frame: SignalFrame) -> tuple[Float32, ...] | None:
    """Those of the blocks since the frame before, and of the rows before, the latest first."""
    own = block_flow(from_before(frame))
    if own is None:
        return None

    def compute() -> tuple[Float32, ...]:
        before = frame.before
        known = () if before is None else before.shared.get("block_steps", ())
        return (own, *known[: MOST_TORN_ROWS + 1])

    return frame.share("block_steps", compute)


@compiled()
def likeliest_tear(steps: Any, found: Any) -> float:
    """Fill (5,) float64 with the fields of a :class:`TearPace`, and return its score, 0 where there
    is none.

    Args:
        steps: (R, h, w, 2) float32 px, the latest first.
        found: filled.
    """
    high, wide = steps.shape[1], steps.shape[2]
    paces, weights = np.zeros((steps.shape[0], high, wide)), np.zeros((high, wide))
    best = 0.0
    for rows in range(1, steps.shape[0] - 1):
        if paces_of(steps, rows, paces, weights) < MIN_PACE_BLOCKS:
            continue
        split, ahead = widest_split(paces, weights, rows)
        if split == 0:
            continue
        explained = explained_by(paces, weights, rows, split, ahead)
        score = explained * min(abs(ahead), 1.0)
        if score > best:
            best = score
            found[0], found[1], found[2], found[3] = ahead, rows, split / high, explained
            found[4] = agreed_with(paces, weights, rows, split, ahead)
    return best


@compiled(inner=True)
def paces_of(steps: Any, rows: int, paces: Any, weights: Any) -> int:
    """Fill the first ``rows + 2`` of (R, h, w) with the paces, the earliest first, which is that
    before the tear, and (h, w) with the weights, 0 for what stands; the number of blocks that
    move."""
    count = 0
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            across, down = 0.0, 0.0
            for row in range(rows + 1):
                across += steps[row, i, j, 0] / (rows + 1)
                down += steps[row, i, j, 1] / (rows + 1)
            square = across * across + down * down
            moves = square > MIN_PACE_PX * MIN_PACE_PX
            weights[i, j] = square if moves else 0.0
            count += moves
            for row in range(rows + 2):
                step = steps[rows + 1 - row, i, j]
                along = step[0] * across + step[1] * down
                paces[row, i, j] = along / square if moves else 0.0
    return count


@compiled(inner=True)
def widest_split(paces: Any, weights: Any, rows: int) -> tuple[int, float]:
    """Number of rows of blocks above the split where both sides differ most, 0 where none is fair,
    and by how much the upper one catches up."""
    high, wide = weights.shape
    blocks, sums, masses = np.zeros(high), np.zeros(high), np.zeros(high)
    first, last = np.full(wide, high), np.full(wide, -1)
    for i in range(high):
        for j in range(wide):
            if weights[i, j] > 0:
                blocks[i] += 1
                masses[i] += weights[i, j]
                sums[i] += weights[i, j] * (paces[rows + 1, i, j] - paces[1, i, j]) / 2
                first[j], last[j] = min(first[j], i), i
    best, split, ahead = 0.0, 0, 0.0
    count, total, mass = 0.0, 0.0, 0.0
    for i in range(high - 1):
        count, total, mass = count + blocks[i], total + sums[i], mass + masses[i]
        rest = masses.sum() - mass
        broad = min((first <= i).sum(), (last > i).sum()) >= LEAST_COLUMNS * wide
        fair = min(count, blocks.sum() - count) >= LEAST_PART * blocks.sum()
        if not (broad and fair):
            continue
        apart = total / mass - (sums.sum() - total) / rest
        if apart * apart * mass * rest > best:
            best, split, ahead = apart * apart * mass * rest, i + 1, apart
    return split, ahead


@compiled(inner=True)
def explained_by(paces: Any, weights: Any, rows: int, split: int, ahead: float) -> float:
    """The part of the variance of the paces within rows that the pattern of a tear explains."""
    whole, left = 0.0, 0.0
    for row in range(rows + 2):
        shift = -ahead if row == 1 else (ahead if row == rows + 1 else 0.0)
        mass, mean, square, mean_left, square_left = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(weights.shape[0]):
            for j in range(weights.shape[1]):
                weight, pace = weights[i, j], paces[row, i, j]
                rest = pace - shift if i < split else pace
                mass += weight
                mean += weight * pace
                square += weight * pace * pace
                mean_left += weight * rest
                square_left += weight * rest * rest
        whole += square - mean * mean / mass
        left += square_left - mean_left * mean_left / mass
    return 1 - left / whole if whole > 0 else 0.0


@compiled(inner=True)
def agreed_with(paces: Any, weights: Any, rows: int, split: int, ahead: float) -> float:
    """The part of the moving blocks that are near the mean of their side."""
    level, mass = 0.0, 0.0
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            catch_up = (paces[rows + 1, i, j] - paces[1, i, j]) / 2
            level += weights[i, j] * (catch_up - ahead if i < split else catch_up)
            mass += weights[i, j]
    level /= mass
    near, count = 0, 0
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            if weights[i, j] > 0:
                catch_up = (paces[rows + 1, i, j] - paces[1, i, j]) / 2
                usual = level + ahead if i < split else level
                near += abs(catch_up - usual) < min(abs(ahead), 1.0) / 2
                count += 1
    return near / count


TEAR_PACES = tuple(
    Signal(
        SignalSpec(f"tear_{name}", unit, text),
        part_of(tear_pace, name),
        Sight.BEFORE | Sight.PAST,
        usual=True,
    )
    for name, unit, text in (
        (
            "ahead",
            "steps",
            "How many usual steps the upper part of the frame went less than the lower one when a"
            " tear began, and goes more in this frame, behind it.",
        ),
        ("rows", "frames", "How many frames it lasted."),
        ("split", "1", "Part of the frame that lies above its split."),
        (
            "explained",
            "1",
            "Part of the differences between the paces of the blocks of those frames that such a"
            " tear explains.",
        ),
        ("agreed", "1", "Part of the blocks whose pace is that of their side of the split."),
    )
)
