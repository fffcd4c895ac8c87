"""Black frames."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.spans import Mask, segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Segment

__all__ = ["BLACK_SIGNALS", "black_rows", "detect"]

BLACK_SIGNALS = ("luma_p99", "luma_mean", "luma_std")
MAX_BLACK_CODE = 24.0
"""Luma that 99 % of the pixels of a black frame do not exceed, in 8-bit code values: black of the
limited range that was not expanded is 16."""
MAX_BLACK_STD = 6.0
"""Code values; more is a dark scene."""


def detect(columns: Columns) -> list[Segment]:
    """The runs of frames that are black.

    Args:
        columns: with the signals ``luma_p99``, ``luma_mean`` and ``luma_std``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    bright, mean, spread = (context.signal(name) for name in BLACK_SIGNALS)
    return [
        segment_of(
            *(columns.frames, "luma_mean", mean, -mean, (first, last), 0.95, "black"),
            evidence=f"99 % of the pixels are at most {told(bright[first : last + 1].max())} code"
            f" values bright, and {told(MAX_BLACK_CODE)} would be dark enough; their standard"
            f" deviation is {told(spread[first : last + 1].max())} at most",
        )
        for first, last in spans(black_rows(columns), np.zeros(len(mean), bool))
    ]


def black_rows(columns: Columns) -> Mask:
    """(N,) True for black frames; the columns hold :data:`BLACK_SIGNALS`."""
    bright, _, spread = (context_of(columns).signal(name) for name in BLACK_SIGNALS)
    return np.asarray((bright <= MAX_BLACK_CODE) & (spread <= MAX_BLACK_STD))
