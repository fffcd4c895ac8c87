"""Where in the frame most of what is wrong lies, against a reference or between real frames."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import cv2
import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_views import BLOCK_PX
from vfiscope.signals.signal import Partner, Sight, Signal, SignalFrame
from vfiscope.types import Box, CellGrid, Float32, SignalSpec

__all__ = ["WORST_PART", "worst_part"]

CODE_NOISE, SHARE_NOISE = 1.0, 0.05
"""Differences in code values, and shares at fault, that are nothing."""
GREEN, BLUE = np.uint64(1), np.uint64(2)
SAMPLED = 8
"""Pixels of a block that are looked at, each way."""
MIN_WORST_BLOCK = 3.0
"""Value of the worst block in terms of the usual block (or of noise), below which nothing is wrong
in one place more than elsewhere."""
MIN_PART = 0.5
"""Part of all that stands out which one patch must hold to stand for it."""


def worst_part(frame: SignalFrame) -> Box | None:
    """The box that holds most of what is wrong, in pixels of the frame as scored.

    What is wrong is the share at fault in each cell of the maps of faults, where the frame was
    judged between real frames, else the mean absolute difference to the partner in blocks. Blocks
    stand out that lie above the geometric mean of the usual block and of the worst one. The box is
    that of the patch of them with the most in it, if that holds half of it, else that of all; and
    the whole frame where no block is three times as wrong as the usual one.

    None where nothing is wrong, and where nothing is known: a frame without partner, or one that
    was registered, so that its own pixels do not lie on those of the partner.
    """

    def compute() -> Box | None:
        size = frame.pixels.shape[:2]
        if frame.faults is not None and np.isfinite(frame.faults).any():
            wrong, noise = np.nan_to_num(frame.faults), SHARE_NOISE
            cells = CellGrid.over(size, wrong.shape)
        elif frame.partner is not None and frame.matrix is None:
            wrong, side = _differences(frame, frame.partner)
            noise = CODE_NOISE
            cells = CellGrid(wrong.shape[0], wrong.shape[1], 0.0, 0.0, float(side), float(side))
        else:
            return None
        return _box(wrong, noise, cells, size)

    return frame.share("worst_part", compute)


def _differences(frame: SignalFrame, partner: Partner) -> tuple[Float32, int]:
    """(h, w) mean absolute differences in blocks, in 8-bit code values over the three channels, and
    the side of a block in pixels. Of each block 8 x 8 pixels are looked at."""
    step = BLOCK_PX // SAMPLED * frame.row_step
    side = SAMPLED * step
    high, wide = (max(1, length // side) for length in frame.pixels.shape[:2])
    one, two = (np.float32(255 / (2**each.bit_depth - 1)) for each in (frame, partner))
    means = np.empty((high, wide), np.float32)
    test, other = (each.pixels.reshape(len(each.pixels), -1) for each in (frame, partner))
    mean_differences(test, one, other, two, step, means)
    return means, side


@compiled()
def mean_differences(
    test: Any, test_code: Any, other: Any, other_code: Any, step: int, made: Any
) -> None:
    """Fill (h, w) float32 with the mean absolute differences of two frames in square blocks of
    8 x 8 pixels that lie ``step`` apart; each frame is given as its rows (H, 3 W) and with the
    value of its code."""
    across, pixel = min(SAMPLED, -(-test.shape[1] // (3 * step))), np.uint64(3 * step)
    sums = np.empty((3, made.shape[1]), np.float32)
    for i in range(made.shape[0]):
        sums[:] = 0
        first = i * SAMPLED * step
        rows = range(first, min(first + SAMPLED * step, test.shape[0]), step)
        for y in rows:
            one, two, at = test[y], other[y], np.uint64(0)
            for j in range(made.shape[1]):
                red, green, blue = sums[0, j], sums[1, j], sums[2, j]
                for _ in range(across):
                    red += abs(test_code * one[at] - other_code * two[at])
                    green += abs(test_code * one[at + GREEN] - other_code * two[at + GREEN])
                    blue += abs(test_code * one[at + BLUE] - other_code * two[at + BLUE])
                    at += pixel
                sums[0, j], sums[1, j], sums[2, j] = red, green, blue
        for j in range(made.shape[1]):
            total = sums[0, j] + sums[1, j] + sums[2, j]
            made[i, j] = total / np.float32(3 * across * len(rows))


def _box(wrong: Float32, noise: float, cells: CellGrid, size: tuple[int, int]) -> Box | None:
    peak = float(wrong.max())
    if peak < MIN_WORST_BLOCK * noise:
        return None
    usual = max(float(np.median(wrong)), noise)
    if peak < MIN_WORST_BLOCK * usual:
        return Box(0, 0, size[1], size[0])
    out = (wrong >= math.sqrt(usual * peak)).astype(np.uint8)
    # Blocks with one between them belong to the same patch.
    joined = cv2.dilate(out, np.ones((3, 3), np.uint8))
    count, patches = cv2.connectedComponents(joined, connectivity=8)
    held = [float(wrong[(patches == each) & (out > 0)].sum()) for each in range(1, count)]
    most = int(np.argmax(held))
    alone = held[most] >= MIN_PART * sum(held)
    rows, columns = np.nonzero((out > 0) & ((patches == most + 1) | (not alone)))
    box = cells.around(
        slice(int(rows.min()), int(rows.max()) + 1),
        slice(int(columns.min()), int(columns.max()) + 1),
    )
    # What fills no block belongs to the last one.
    right = size[1] if columns.max() == cells.columns - 1 else box.x + box.w
    bottom = size[0] if rows.max() == cells.rows - 1 else box.y + box.h
    return Box(box.x, box.y, min(right, size[1]) - box.x, min(bottom, size[0]) - box.y)


def _edge(frame: SignalFrame, which: int) -> float:
    box = worst_part(frame)
    if box is None:
        return math.nan
    return float((box.x, box.y, box.x + box.w, box.y + box.h)[which])


WORST_PART = tuple(
    Signal(
        SignalSpec(
            f"worst_{name}",
            "px",
            f"{text} of the box with most of what is wrong against the reference, or between the"
            " real frames.",
        ),
        partial(_edge, which=which),
        Sight.FAULTS,
        usual=True,
    )
    for which, (name, text) in enumerate(
        (
            ("left", "First column"),
            ("top", "First row"),
            ("right", "Column behind the last one"),
            ("bottom", "Row behind the last one"),
        )
    )
)
