"""Noise: the standard deviation of what is random from pixel to pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_views import ranked
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["NOISE", "noise"]

NOISE_BLOCK_PX = 16
QUIET_QUARTILE = 0.25
"""Part of the blocks that show noise and little else."""
MAX_BLOCK_STEP = 2
"""Of frames wider than 480 px, every second row of blocks counts."""
NOISY_CODES = (6, 249)
"""Mean code values of a block between which noise is not clipped."""
GAIN_OF_BENDS = 6.0
"""Standard deviation of the filter's answer to white noise of deviation 1."""


def noise(frame: SignalFrame) -> float:
    """Standard deviation of the noise of luma, in 8-bit code values; NaN where all is clipped.

    Immerkaer (1996): the difference of two Laplacians, [1 -2 1] along both axes, sees neither
    slopes nor straight edges along them; its mean absolute answer times sqrt(pi / 2) / 6 is the
    deviation of white noise. It is the lower quartile over blocks of 16 x 16 instead of the mean
    over the frame, because texture answers too.
    """
    high, wide = (max(0, side - 2) // NOISE_BLOCK_PX for side in frame.luma.shape)
    every = min(frame.row_step, MAX_BLOCK_STEP)
    high = -(-high // every)
    bends, totals = np.zeros((2, high, wide), np.int32)
    noise_blocks(frame.luma, every, bends, totals)
    area = NOISE_BLOCK_PX**2
    low, top = NOISY_CODES
    seen = bends[(totals >= low * area) & (totals <= top * area)]
    if not seen.size:
        return math.nan
    quiet = ranked(seen, QUIET_QUARTILE)[0] / area
    return math.sqrt(math.pi / 2) / GAIN_OF_BENDS * quiet


@compiled()
def noise_blocks(luma: Any, every: int, bends: Any, totals: Any) -> None:
    """Sums over blocks of the absolute answer of the filter, and of luma.

    An answer is 2040 at most, so that 16 of them are no more than int16 holds.

    Args:
        luma: (H, W) uint8.
        every: n, where every n-th row of blocks is looked at.
        bends: (h, w) int32, filled.
        totals: (h, w) int32, filled.
    """
    width = 2 + bends.shape[1] * NOISE_BLOCK_PX
    upright, answers, sums = np.zeros((3, width), np.int16)
    for i in range(bends.shape[0]):
        answers[:] = 0
        sums[:] = 0
        first = 1 + i * every * NOISE_BLOCK_PX
        for y in range(first, first + NOISE_BLOCK_PX):
            above, here, below = luma[y - 1], luma[y], luma[y + 1]
            for x in range(width):
                upright[x] = np.int16(above[x]) + np.int16(below[x]) - 2 * np.int16(here[x])
                sums[x] += np.int16(here[x])
            for x in range(1, width - 1):
                bend = np.int16(upright[x - 1] + upright[x + 1] - 2 * upright[x])
                answers[x] += max(bend, np.int16(-bend))
        for j in range(bends.shape[1]):
            answer, total = np.int32(0), np.int32(0)
            for x in range(1 + j * NOISE_BLOCK_PX, 1 + (j + 1) * NOISE_BLOCK_PX):
                answer += np.int32(answers[x])
                total += np.int32(sums[x])
            bends[i, j], totals[i, j] = answer, total


NOISE = Signal(
    SignalSpec("noise", "code", "Standard deviation of the noise of luma."), noise, usual=True
)
