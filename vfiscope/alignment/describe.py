"""Summaries of a map or a cadence in words and numbers, and the map of a requested shift."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from vfiscope.config import LOW_MARGIN
from vfiscope.types import Cadence, Int64, Match, Pairing, Role

__all__ = ["describe", "describe_cadence", "map_of_shift", "summarize", "summarize_cadence"]

MAX_RANGES_LISTED = 20
"""Most dropped ranges that a summary lists."""
MAX_RATIO = 1001
"""Largest number in a ratio of frame rates, as in 1000:1001."""


def summarize(pairing: Pairing) -> dict[str, Any]:
    """A map in a few JSON-able values: method, offset, rate, counts, margins and digest."""
    known = np.isfinite(pairing.margin)
    lowest = int(np.argmin(np.where(known, pairing.margin, np.inf))) if known.any() else None
    return {
        "method": pairing.method,
        "offset": pairing.offset,
        "rate": str(pairing.rate),
        **{label.name.lower(): pairing.count(label) for label in Match},
        "dropped": sum(stop - start for start, stop in pairing.dropped),
        "dropped_ranges": [list(span) for span in pairing.dropped[:MAX_RANGES_LISTED]],
        "margin_median": float(np.median(pairing.margin[known])) if known.any() else None,
        "margin_lowest": None if lowest is None else float(pairing.margin[lowest]),
        "margin_lowest_row": lowest,
        "margin_low": int((pairing.margin[known] < LOW_MARGIN).sum()),
        "digest": pairing.digest,
    }


def describe(pairing: Pairing) -> tuple[str, str]:
    """A map in two lines of text."""
    facts = summarize(pairing)
    paired = len(pairing) - pairing.count(Match.UNMATCHED)
    first = (
        f"aligned {paired} of {len(pairing)} frames: offset {pairing.offset:+d},"
        f" {_rate(pairing.rate)}, "
        f"{facts['repeated']} repeated, {facts['dropped']} dropped"
    )
    row = facts["margin_lowest_row"]
    if row is None:
        return first, "margin: unknown"
    low = ""
    if facts["margin_low"]:
        low = f"; below {LOW_MARGIN} for {facts['margin_low']}, as where frames repeat each other"
    return (
        first,
        (
            f"margin: median {facts['margin_median']:.2f}, lowest {facts['margin_lowest']:.2f} at"
            f" frame {row}{low}"
        ),
    )


def _rate(rate: Fraction) -> str:
    """A rate in words: as a ratio where it is one of frame rates, as a number where it was measured
    of frames that come at varying times."""
    if max(rate.numerator, rate.denominator) <= MAX_RATIO:
        return f"rate {rate.denominator}:{rate.numerator}"
    return f"about {float(rate):.3g} reference frames to a test frame"


def map_of_shift(index: Int64, ref_index: Int64, shift: int) -> Pairing:
    """The map of a requested shift; nothing in it was measured.

    Args:
        index: (N,) ordinals of the test frames.
        ref_index: (N,) ordinals of their partners, -1 where there is none.
        shift: the requested shift, which is the offset where no frame has a partner.
    """
    n, first = len(index), np.flatnonzero(ref_index >= 0)[:1]
    unknown = np.full(n, np.nan, np.float32)
    label = np.where(ref_index < 0, Match.UNMATCHED, Match.MATCHED).astype(np.uint8)
    offset = int(ref_index[first[0]] - index[first[0]]) if len(first) else shift
    return Pairing(
        ref_index, unknown, unknown, label, method="shift", offset=offset, rate=Fraction(1)
    )


def summarize_cadence(cadence: Cadence) -> dict[str, Any]:
    """A cadence in a few JSON-able values: multiplier, source position of the first frame, counts
    by role."""
    return {
        "multiplier": str(cadence.multiplier),
        "start": str(cadence.start),
        **{role.name.lower(): int((cadence.role == role).sum()) for role in Role},
        "outside": _outside(cadence),
        "alike": cadence.share,
    }


def _outside(cadence: Cadence) -> int:
    """Number of frames that lie a whole source frame or more outside the source.

    An interpolated video often ends with frames after its last original, where there is nothing to
    interpolate towards.
    """
    position = float(cadence.start) + np.arange(len(cadence)) / float(cadence.multiplier)
    last = int(cadence.before.max(initial=0))
    return int(((cadence.role == Role.UNKNOWN) & ((position <= -1) | (position >= last + 1))).sum())


def describe_cadence(cadence: Cadence) -> str:
    """A cadence in one line of text."""
    facts = summarize_cadence(cadence)
    outside = f", {facts['unknown']} outside of it" if facts["unknown"] else ""
    return (
        f"cadence: {facts['multiplier']} test frames to a source frame, the first at source"
        f" position {facts['start']}: {facts['passed']} passed through ({cadence.share:.0%} alike),"
        f" {facts['synthesised']} synthesised{outside}"
    )
