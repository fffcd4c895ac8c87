"""Histogram step: how much the colours of a frame differ from those of the frame before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Int64, SignalSpec

__all__ = ["HISTOGRAM_STEP", "colour_counts", "histogram_step"]

TABLES_OF_COUNTS = 4
BITS_OF_BYTE, BIN_BITS = 8, 3
"""Eight bins for each of R, G and B."""
TOP_BITS = np.uint16(0b11100000)
RED_SHIFT, GREEN_SHIFT, BLUE_SHIFT = np.uint16(1), np.uint16(2), np.uint16(5)
"""From the top of 8 bits, 5 to 7, to the places 6 to 8, 3 to 5 and 0 to 2 in the number of a
bin."""


def histogram_step(frame: SignalFrame) -> float:
    """Half the sum of absolute differences of the colour histograms of a frame and of the one in
    the row before, 0..1: 0 where equal, 1 where no bin is used by both.

    8 x 8 x 8 bins of R, G, B, of every n-th pixel of every n-th row, n being the least that leaves
    at most 480 columns (Swain and Ballard 1991: 1 minus their intersection).
    """
    before = frame.before
    if before is None:
        return math.nan

    def compute() -> float:
        return apart_in_counts(colour_counts(frame), colour_counts(before))

    return frame.share("histogram_step", compute)


def colour_counts(frame: SignalFrame) -> Int64:
    """(512,) number of pixels in each bin."""

    def compute() -> Int64:
        counts = np.zeros((TABLES_OF_COUNTS, 1 << 3 * BIN_BITS), np.int64)
        codes, down = frame.pixels.reshape(len(frame.pixels), -1), frame.row_step
        if frame.bit_depth > BITS_OF_BYTE:
            codes = (codes[::down] >> (frame.bit_depth - BITS_OF_BYTE)).astype(np.uint8)
            down = 1
        count_colours(codes, down, frame.row_step, counts)
        total: Int64 = counts[0] + counts[1] + counts[2] + counts[3]
        return total

    return frame.share("colour_counts", compute)


@compiled()
def apart_in_counts(now: Any, then: Any) -> float:
    """Half the sum of absolute differences of two (B,) int64, as a part of the sum of the first."""
    apart, total = 0, 0
    for k in range(now.shape[0]):
        apart += abs(now[k] - then[k])
        total += now[k]
    return apart / (2 * total)


@compiled()
def count_colours(codes: Any, down: int, across: int, counts: Any) -> None:
    """Count the bins of every n-th pixel of every n-th row.

    The bins of whole rows are computed, in vector operations by known shifts: that takes less time
    than fetching single pixels far apart.

    Args:
        codes: (H, 3 W) uint8.
        down: n of the rows.
        across: n of the pixels of a row.
        counts: (K, 512) int64, added to in turn: neighbours have often one colour, and a count can
            only be raised again once it is stored.
    """
    bins = np.empty(codes.shape[1] // 3, np.uint16)
    for y in range(0, codes.shape[0], down):
        row = codes[y]
        for x in range(bins.shape[0]):
            red = np.uint16(row[3 * x]) & TOP_BITS
            green = np.uint16(row[3 * x + 1]) & TOP_BITS
            blue = np.uint16(row[3 * x + 2])
            bins[x] = np.uint16(red << RED_SHIFT) | np.uint16(green >> GREEN_SHIFT)
            bins[x] |= np.uint16(blue >> BLUE_SHIFT)
        for j in range(-(-bins.shape[0] // across)):
            table, place = np.uint64(j % TABLES_OF_COUNTS), np.uint64(j * across)
            counts[table, np.uint64(bins[place])] += 1


HISTOGRAM_STEP = Signal(
    SignalSpec("histogram_step", "1", "Part of the colours that the frame before did not have."),
    histogram_step,
    Sight.BEFORE,
    usual=True,
)
