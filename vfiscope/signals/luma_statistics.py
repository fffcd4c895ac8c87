"""Statistics of luma: spread, dark and bright ends, and what is clipped."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import Float64, SignalSpec

__all__ = ["LUMA_STATISTICS", "clipped", "luma_percentile", "luma_shares", "luma_std"]

LUMA_TABLES = 4
CLIPPED_DARK, CLIPPED_BRIGHT = 2, 253
"""Code values up to and from which luma counts as clipped: codecs move black and white by some."""


def luma_shares(frame: SignalFrame) -> Float64:
    """(256,) part of the pixels with each rounded code value of luma; of every n-th row of frames
    wider than 480 px."""

    def compute() -> Float64:
        counts = np.zeros((LUMA_TABLES, 256), np.int64)
        count_luma(frame.luma, frame.row_step, counts)
        whole = counts[0] + counts[1] + counts[2] + counts[3]
        rows = -(-frame.luma.shape[0] // frame.row_step)
        shares: Float64 = whole / (rows * frame.luma.shape[1])
        return shares

    return frame.share("luma_shares", compute)


def luma_std(frame: SignalFrame) -> float:
    """Standard deviation of rounded luma over all pixels, in 8-bit code values."""

    return frame.share("luma_std", lambda: deviation(luma_shares(frame)))


def luma_percentile(frame: SignalFrame, percent: float) -> float:
    """The lowest code value that at least this part of the pixels do not exceed."""
    return float(first_reaching(luma_shares(frame), percent / 100 - 1e-9))


def clipped(frame: SignalFrame, codes: slice) -> float:
    """Part of the pixels, 0..1, whose luma is one of these code values."""
    return float(luma_shares(frame)[codes].sum())


@compiled()
def count_luma(luma: Any, every: int, counts: Any) -> None:
    """Add the pixels of every n-th row of (H, W) uint8 to (4, 256) int64, one after the other to
    each of the four: a count can only be raised again once it is stored."""
    fours = luma.shape[1] // LUMA_TABLES * LUMA_TABLES
    for y in range(0, luma.shape[0], every):
        row = luma[y]
        for x in range(0, fours, LUMA_TABLES):
            for k in range(LUMA_TABLES):
                counts[k, row[x + k]] += 1
        for x in range(fours, luma.shape[1]):
            counts[0, row[x]] += 1


@compiled()
def deviation(shares: Any) -> float:
    """Standard deviation of numbers from 0 on, of which (N,) shares are given."""
    mean, square = 0.0, 0.0
    for code in range(shares.shape[0]):
        mean += shares[code] * code
    for code in range(shares.shape[0]):
        square += shares[code] * (code - mean) * (code - mean)
    return math.sqrt(square)


@compiled()
def first_reaching(shares: Any, share: float) -> int:
    """The first number up to which the sum of (N,) shares is at least so much; N where none is."""
    total = 0.0
    for code in range(shares.shape[0]):
        total += shares[code]
        if total >= share:
            return code
    return len(shares)


def _usual(name: str, unit: str, text: str, compute: Callable[[SignalFrame], float]) -> Signal:
    return Signal(SignalSpec(name, unit, text), compute, usual=True)


LUMA_STATISTICS = (
    _usual("luma_std", "code", "Standard deviation of luma over all pixels.", luma_std),
    *(
        _usual(
            f"luma_p{percent}",
            "code",
            f"Luma that {percent} % of the pixels do not exceed.",
            partial(luma_percentile, percent=percent),
        )
        for percent in (1, 99)
    ),
    _usual(
        "clipped_dark",
        "1",
        f"Part of the pixels whose luma is at most {CLIPPED_DARK}.",
        partial(clipped, codes=slice(0, CLIPPED_DARK + 1)),
    ),
    _usual(
        "clipped_bright",
        "1",
        f"Part of the pixels whose luma is at least {CLIPPED_BRIGHT}.",
        partial(clipped, codes=slice(CLIPPED_BRIGHT, None)),
    ),
)
