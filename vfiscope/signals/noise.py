"""Noise: the standard deviation of what is random from pixel to pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.ranks import ranked
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
    bends = np.empty(high * wide, np.int32)
    count = noise_blocks(frame.luma, every, bends)
    if not count:
        return math.nan
    quiet = ranked(bends[:count], QUIET_QUARTILE)[0] / NOISE_BLOCK_PX**2
    return math.sqrt(math.pi / 2) / GAIN_OF_BENDS * quiet


@compiled()
def noise_blocks(luma: Any, every: int, bends: Any) -> int:
    """Sums over blocks of the absolute answer of the filter, where noise is not clipped; returns
    how many blocks these are.

    An answer is 2040 at most, so that 16 of them are no more than int16 holds.

    Args:
        luma: (H, W) uint8.
        every: n, where every n-th row of blocks is looked at.
        bends: (N,) int32, the first of them filled.
    """
    count, area = 0, NOISE_BLOCK_PX**2
    wide = max(0, luma.shape[1] - 2) // NOISE_BLOCK_PX
    width = 2 + wide * NOISE_BLOCK_PX
    upright, answers, sums = np.zeros((3, width), np.int16)
    for first in range(1, luma.shape[0] - NOISE_BLOCK_PX, every * NOISE_BLOCK_PX):
        answers[:] = 0
        sums[:] = 0
        for y in range(first, first + NOISE_BLOCK_PX):
            above, here, below = luma[y - 1], luma[y], luma[y + 1]
            for x in range(width):
                upright[x] = np.int16(above[x]) + np.int16(below[x]) - 2 * np.int16(here[x])
                sums[x] += np.int16(here[x])
            for x in range(1, width - 1):
                bend = np.int16(upright[x - 1] + upright[x + 1] - 2 * upright[x])
                answers[x] += max(bend, np.int16(-bend))
        for j in range(wide):
            answer, total = np.int32(0), np.int32(0)
            for x in range(1 + j * NOISE_BLOCK_PX, 1 + (j + 1) * NOISE_BLOCK_PX):
                answer += np.int32(answers[x])
                total += np.int32(sums[x])
            if NOISY_CODES[0] * area <= total <= NOISY_CODES[1] * area:
                bends[count] = answer
                count += 1
    return count


NOISE = Signal(
    SignalSpec("noise", "code", "Standard deviation of the noise of luma."), noise, usual=True
)
