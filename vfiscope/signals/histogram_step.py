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
BIN_BITS = 3
"""Eight bins for each of R, G and B."""
RED_BITS, GREEN_BITS = np.uint16(2 * BIN_BITS), np.uint16(BIN_BITS)


def histogram_step(frame: SignalFrame) -> float:
    """Half the sum of absolute differences of the colour histograms of a frame and of the one in
    the row before, 0..1: 0 where equal, 1 where no bin is used by both.

    8 x 8 x 8 bins of R, G, B, of every n-th pixel of every n-th row, n being the least that leaves
    at most 480 columns (Swain and Ballard 1991: 1 minus their intersection).
    """
    if frame.before is None:
        return math.nan
    now, then = colour_counts(frame), colour_counts(frame.before)
    return float(np.abs(now - then).sum()) / (2 * float(now.sum()))


def colour_counts(frame: SignalFrame) -> Int64:
    """(512,) number of pixels in each bin."""

    def compute() -> Int64:
        counts = np.zeros((TABLES_OF_COUNTS, 1 << 3 * BIN_BITS), np.int64)
        rows = frame.pixels.reshape(len(frame.pixels), -1)
        count_colours(rows, frame.row_step, frame.bit_depth - BIN_BITS, counts)
        return np.asarray(counts.sum(axis=0))

    return frame.share("colour_counts", compute)


@compiled()
def count_colours(rows: Any, every: int, shift: int, counts: Any) -> None:
    """Count the bins of every n-th pixel of every n-th row.

    The bins of whole rows are computed, in vector operations: they fetch a row many times as fast
    as single pixels far apart do, which is most of the time.

    Args:
        rows: (H, 3 W) uint8 or uint16.
        every: n.
        shift: bits of a code value below those of its bin, less than 16.
        counts: (K, 512) int64, added to in turn: neighbours have often one colour, and a count can
            only be raised again once it is stored.
    """
    bins, lower = np.empty(rows.shape[1] // 3, np.uint16), np.uint16(shift & 15)
    for y in range(0, rows.shape[0], every):
        row = rows[y]
        for x in range(bins.shape[0]):
            red, green, blue = (
                np.uint16(np.uint16(row[3 * x]) >> lower),
                np.uint16(np.uint16(row[3 * x + 1]) >> lower),
                np.uint16(np.uint16(row[3 * x + 2]) >> lower),
            )
            bins[x] = np.uint16(red << RED_BITS) | np.uint16(green << GREEN_BITS) | blue
        for j in range(-(-bins.shape[0] // every)):
            counts[j % TABLES_OF_COUNTS, bins[j * every]] += 1


HISTOGRAM_STEP = Signal(
    SignalSpec("histogram_step", "1", "Part of the colours that the frame before did not have."),
    histogram_step,
    Sight.BEFORE,
    usual=True,
)
