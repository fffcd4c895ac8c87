"""Echoes: detail that a frame shows twice, a multiple of its motion apart, as ghosts do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import compiled
from vfiscope.signals.blended import passage
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import SignalSpec

__all__ = ["ECHO_SIGNALS", "Echo", "echo"]

ECHO_LAGS = 3
"""How many frames apart the two instants of a ghost are at most."""
MIN_ECHO_PX = 0.5
"""Motion from frame to frame, in tiny pixels, below which both instants are the same."""
MIN_ECHO_SHARE = 0.003
"""Least part of the frame that must move."""
FINE_REACH_PX, COARSE_REACH_PX = 1, 3
"""Detail is the difference of the means over squares that reach so far each way."""
FINE_AREA, COARSE_AREA = (
    np.uint16((2 * FINE_REACH_PX + 1) ** 2),
    np.uint16((2 * COARSE_REACH_PX + 1) ** 2),
)
FINE_HALF, COARSE_HALF = FINE_AREA // np.uint16(2), COARSE_AREA // np.uint16(2)
NEXT = np.uint64(1)
COLUMN_STEP, ENOUGH_PIXELS = 2, 6000
"""Every second column is looked at, and as few rows as have so many pixels."""


class Echo(NamedTuple):
    """The detail of what moves in a frame."""

    alike: tuple[float, ...]
    """Its correlation with what lies 1, 2, 3 frames of motion further on, minus the mean of those
    with what lies as far across the motion."""
    detail: float
    """Its root mean square, in code values."""


def echo(frame: SignalFrame) -> Echo | None:
    """The echoes in a frame; None where there are no frames around it, or too little moves.

    A ghost is a f(x) + (1 - a) f(x + k v): whatever f is, its correlation with itself at k v rises
    by a (1 - a) / (a^2 + (1 - a)^2), 1/2 for equal parts and 0.36 for 0.3 and 0.7, and its detail
    is weaker by the root of that divisor. v is half the motion from the frame before to the one
    after, so that the ghost itself has no part in it. Blur along no direction raises the
    correlation across the motion as well. Detail is that of frames of at most 480 px of width, in
    every second column and enough of the rows, where the frames around differ by more than 14 code
    values.
    """
    found = passage(frame)
    if found is None:
        return None

    def compute() -> Echo | None:
        sums = np.zeros((2, 2, ECHO_LAGS))
        ratio = frame.small.shape[1] // frame.tiny.shape[1]
        pixels = np.count_nonzero(found.moved) * ratio**2 // COLUMN_STEP
        every = -(-pixels // ENOUGH_PIXELS)
        count, power = echo_sums(_detail(frame), found.flow, found.moved, (ratio, every), sums)
        if count * every * COLUMN_STEP < MIN_ECHO_SHARE * frame.small.size or power == 0:
            return None
        products, powers = sums
        alike = products / np.sqrt(power * np.maximum(powers, 1.0))
        along, across = alike.tolist()
        usual = sum(across) / ECHO_LAGS
        return Echo(tuple(each - usual for each in along), math.sqrt(power / count))

    return frame.share("echo", compute)


def _detail(frame: SignalFrame) -> NDArray[np.int16]:
    """(h, w) detail of the small frame: the means over smaller squares less those over larger ones,
    both rounded."""
    made = np.empty(frame.small.shape, np.int16)
    fine_detail(frame.small, made)
    return made


@compiled()
def fine_detail(plane: Any, made: Any) -> None:
    """Fill (h, w) int16 with the detail of (h, w) uint8, at least 4 x 4; the border is mirrored.

    The sums of columns go on from row to row. All sums are below 2^16, in which they are computed.
    """
    height, width = plane.shape
    few, many = np.zeros((2, width + 2 * COARSE_REACH_PX), np.uint16)
    for k in range(-COARSE_REACH_PX, COARSE_REACH_PX):
        add_row(mirrored(plane, k), many)
    for k in range(-FINE_REACH_PX, FINE_REACH_PX):
        add_row(mirrored(plane, k), few)
    for y in range(height):
        add_row(mirrored(plane, y + COARSE_REACH_PX), many)
        add_row(mirrored(plane, y + FINE_REACH_PX), few)
        mirror_ends(few, width)
        mirror_ends(many, width)
        filled = made[y]
        for x in range(width):
            fine, coarse = FINE_HALF, COARSE_HALF
            for k in range(COARSE_REACH_PX - FINE_REACH_PX, COARSE_REACH_PX + FINE_REACH_PX + 1):
                fine = np.uint16(fine + few[x + k])
            for k in range(2 * COARSE_REACH_PX + 1):
                coarse = np.uint16(coarse + many[x + k])
            filled[x] = np.int16(np.int16(fine // FINE_AREA) - np.int16(coarse // COARSE_AREA))
        take_row(mirrored(plane, y - COARSE_REACH_PX), many)
        take_row(mirrored(plane, y - FINE_REACH_PX), few)


@compiled(inner=True)
def mirrored(plane: Any, y: int) -> Any:
    """A row of a plane; beyond its first and last one, those before them."""
    last = plane.shape[0] - 1
    return plane[last - abs(last - abs(y))]


@compiled(inner=True)
def add_row(row: Any, sums: Any) -> None:
    for x in range(row.shape[0]):
        sums[x + COARSE_REACH_PX] += row[x]


@compiled(inner=True)
def take_row(row: Any, sums: Any) -> None:
    for x in range(row.shape[0]):
        sums[x + COARSE_REACH_PX] -= row[x]


@compiled(inner=True)
def mirror_ends(sums: Any, width: int) -> None:
    """Fill the places beyond both ends of the sums of columns with those within."""
    for k in range(COARSE_REACH_PX):
        sums[k] = sums[2 * COARSE_REACH_PX - k]
        sums[width + COARSE_REACH_PX + k] = sums[width + COARSE_REACH_PX - 2 - k]


@compiled()
def echo_sums(detail: Any, flow: Any, moved: Any, steps: Any, sums: Any) -> tuple[int, float]:
    """Number and summed squares of the pixels that count, of (h, w) int16; fills ``sums`` (2, 2,
    lags): the products with what lies along and across a motion, and the squares of that. The flow
    (h, w, 2) is of two frames and of tiny pixels; ``steps`` are the pixels along one of these and
    from row to row."""
    ratio, every = steps
    (height, width), plane = detail.shape, detail.reshape(-1)
    lags, count, power, last, found = sums.shape[2], 0, 0.0, -1, 0
    cells = np.minimum(np.arange(width) // ratio, moved.shape[1] - 1)
    columns = np.empty_like(cells)
    for y in range(0, height, every):
        i = min(y // ratio, moved.shape[0] - 1)
        if i != last:
            last, found = i, 0
            for x in range(0, width, COLUMN_STEP):
                columns[found] = x
                found += moved[i, cells[x]]
        for k in range(found):
            x = columns[k]
            dx, dy = float(flow[i, cells[x], 0]) / 2, float(flow[i, cells[x], 1]) / 2
            if dx * dx + dy * dy < MIN_ECHO_PX * MIN_ECHO_PX:
                continue
            dx, dy = dx * ratio, dy * ratio
            reach = lags * max(abs(dx), abs(dy))
            if min(x, y) < reach or x + reach >= width - 1 or y + reach >= height - 1:
                continue
            here = float(detail[y, x])
            count += 1
            power += here * here
            for lag in range(lags):
                across, down = (lag + 1) * dx, (lag + 1) * dy
                along = fetched_at(plane, width, x + across, y + down)
                aside = fetched_at(plane, width, x - down, y + across)
                sums[0, 0, lag] += here * along
                sums[0, 1, lag] += here * aside
                sums[1, 0, lag] += along * along
                sums[1, 1, lag] += aside * aside
    return count, power


@compiled(inner=True)
def fetched_at(plane: Any, width: int, x: float, y: float) -> Any:
    """A plane, given as one row after the other, sampled at a place: bilinear."""
    column, row = np.int64(x), np.int64(y)
    right, down = x - column, y - row
    at = np.uint64(row * width + column)
    under = at + np.uint64(width)
    above = plane[at] * (1 - right) + plane[at + NEXT] * right
    below = plane[under] * (1 - right) + plane[under + NEXT] * right
    return above * (1 - down) + below * down


def _alike(lag: int) -> Callable[[SignalFrame], float]:
    def compute(frame: SignalFrame) -> float:
        found = echo(frame)
        return math.nan if found is None else found.alike[lag - 1]

    return compute


ECHO_SIGNALS = (
    *(
        Signal(
            SignalSpec(
                f"echo_{lag}",
                "1",
                f"Correlation of what moves with what lies {lag} frames of its motion further on,"
                " less that across the motion: higher in a ghost.",
            ),
            _alike(lag),
            Sight.BEFORE | Sight.AFTER,
            usual=True,
        )
        for lag in range(1, ECHO_LAGS + 1)
    ),
    Signal(
        SignalSpec(
            "moving_detail",
            "code",
            "Root mean square of the detail of what moves: weaker in a ghost.",
        ),
        part_of(echo, "detail"),
        Sight.BEFORE | Sight.AFTER,
        usual=True,
    ),
)
