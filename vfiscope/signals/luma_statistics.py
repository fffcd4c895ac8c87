"""Statistics of luma: spread, dark and bright ends, and what is clipped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import Float64, SignalSpec

__all__ = ["LUMA_STATISTICS", "clipped", "luma_percentile", "luma_shares", "luma_std"]

CLIPPED_DARK, CLIPPED_BRIGHT = 2, 253
"""Code values up to and from which luma counts as clipped: codecs move black and white by some."""
CODES = np.arange(256.0)


def luma_shares(frame: SignalFrame) -> Float64:
    """(256,) part of the pixels with each rounded code value of luma; of every n-th row of frames
    wider than 480 px."""

    def compute() -> Float64:
        rows = frame.luma[:: frame.row_step]
        counts = cv2.calcHist([rows], [0], None, [256], [0, 256]).ravel()
        return counts.astype(np.float64) / rows.size

    return frame.share("luma_shares", compute)


def luma_std(frame: SignalFrame) -> float:
    """Standard deviation of rounded luma over all pixels, in 8-bit code values."""

    def compute() -> float:
        shares = luma_shares(frame)
        mean = (shares * CODES).sum()
        return float(np.sqrt((shares * np.square(CODES - mean)).sum()))

    return frame.share("luma_std", compute)


def luma_percentile(frame: SignalFrame, percent: float) -> float:
    """The lowest code value that at least this part of the pixels do not exceed."""
    return float(np.searchsorted(luma_shares(frame).cumsum(), percent / 100 - 1e-9))


def clipped(frame: SignalFrame, codes: slice) -> float:
    """Part of the pixels, 0..1, whose luma is one of these code values."""
    return float(luma_shares(frame)[codes].sum())


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
