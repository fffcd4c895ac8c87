"""Mean luma: how bright a frame is."""

from __future__ import annotations

from vfiscope.pixels import LUMA_WEIGHTS
from vfiscope.signals.signal import Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["LUMA_MEAN", "luma_mean"]


def luma_mean(frame: SignalFrame) -> float:
    """Mean luma (:mod:`vfiscope.pixels`) over all pixels, in 8-bit code values 0..255.

    As luma is a weighted sum, its mean is that of the means of R, G and B, which are sums of
    integers and exact.
    """
    parts = zip(frame.channel_means, LUMA_WEIGHTS, strict=True)
    return sum(mean * weight for mean, weight in parts) * 255 / frame.white


LUMA_MEAN = Signal(
    SignalSpec("luma_mean", "code", "Mean luma over all pixels, in 8-bit code values."),
    luma_mean,
    usual=True,
)
