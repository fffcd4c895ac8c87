"""Histogram step: how much the colours of a frame differ from those of the frame before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import SMALL_WIDTH, Sight, Signal, SignalFrame
from vfiscope.types import Int64, SignalSpec

__all__ = ["HISTOGRAM_STEP", "colour_counts", "histogram_step"]

TABLES_OF_COUNTS = 4
BIN_BITS = 3
"""Eight bins for each of R, G and B."""


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
        every = -(-frame.pixels.shape[1] // SMALL_WIDTH)
        count_colours(frame.pixels, every, frame.bit_depth - BIN_BITS, counts)
        return np.asarray(counts.sum(axis=0))

    return frame.share("colour_counts", compute)


@compiled()
def count_colours(pixels: Any, every: int, shift: int, counts: Any) -> None:
    """Count the bins of every n-th pixel of every n-th row.

    Args:
        pixels: (H, W, 3) uint8 or uint16.
        every: n.
        shift: bits of a code value below those of its bin.
        counts: (K, 512) int64, added to in turn: neighbours have often one colour, and a count can
            only be raised again once it is stored.
    """
    for y in range(0, pixels.shape[0], every):
        row = pixels[y]
        for j in range(-(-pixels.shape[1] // every)):
            x, table = np.uint64(j * every), np.uint64(j % TABLES_OF_COUNTS)
            red, green, blue = row[x, 0] >> shift, row[x, 1] >> shift, row[x, 2] >> shift
            counts[table, (red << (2 * BIN_BITS)) | (green << BIN_BITS) | blue] += 1


HISTOGRAM_STEP = Signal(
    SignalSpec("histogram_step", "1", "Part of the colours that the frame before did not have."),
    histogram_step,
    Sight.BEFORE,
    usual=True,
)
