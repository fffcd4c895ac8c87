"""Summaries of a map or a cadence in words and numbers, and the map of a requested shift."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from vfiscope.config import LOW_MARGIN
from vfiscope.types import Cadence, Code, Int64, Match, Note, Pairing, Role

__all__ = [
    "describe",
    "describe_cadence",
    "map_of_shift",
    "notes_on_cadence",
    "notes_on_order",
    "summarize",
    "summarize_cadence",
]

MAX_RANGES_LISTED = 20
"""Most dropped ranges, or slips, that a summary lists."""
MAX_PLACES_TOLD = 3
"""Most frames out of order that a warning names."""
MIN_ALIKE_SHARE_UNSAID = 0.95
"""Share of originals that are like their source frames below which that is worth a warning."""
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
        "out_of_order": len(pairing.displaced),
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
    if pairing.displaced:
        first += f", {len(pairing.displaced)} out of order"
    row = facts["margin_lowest_row"]
    if row is None:
        return first, "margin: unknown"
    low = ""
    if facts["margin_low"]:
        why = "repeat each other or are out of order" if pairing.displaced else "repeat each other"
        low = f"; below {LOW_MARGIN} for {facts['margin_low']}, as where frames {why}"
    return (
        first,
        (
            f"margin: median {facts['margin_median']:.2f}, lowest {facts['margin_lowest']:.2f} at"
            f" frame {row}{low}"
        ),
    )


def notes_on_order(pairing: Pairing, index: Int64) -> list[Note]:
    """A warning about the test frames that are out of order.

    Args:
        pairing: a map.
        index: (N,) ordinals of its test frames.
    """
    if not pairing.displaced:
        return []
    rows = np.searchsorted(index, [frame for frame, _ in pairing.displaced[:MAX_PLACES_TOLD]])
    places = [
        {
            "frame": frame,
            "shows": shown,
            "before": _nearest_partner(pairing.ref_index[:row][::-1]),
            "after": _nearest_partner(pairing.ref_index[row + 1 :]),
        }
        for row, (frame, shown) in zip(rows.tolist(), pairing.displaced, strict=False)
    ]
    values = {"places": places, "total": len(pairing.displaced), "last": pairing.displaced[-1][0]}
    return [Note(Code.OUT_OF_ORDER, values)]


def _nearest_partner(partners: Int64) -> int:
    """The first partner among these; -1 where there is none."""
    known = partners[partners >= 0]
    return int(known[0]) if len(known) else -1


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
        "outside": cadence.outside,
        "alike": cadence.share,
        "drawings": cadence.drawings,
        "held_for": cadence.held_for,
        "slips": [slip._asdict() for slip in cadence.slips],
    }


def describe_cadence(cadence: Cadence) -> str:
    """A cadence in one line of text."""
    facts = summarize_cadence(cadence)
    outside = f", {facts['unknown']} outside of it" if facts["unknown"] else ""
    held = f", {facts['held']} between frames of the same drawing" if facts["held"] else ""
    what = "source frame"
    if cadence.drawings:
        what = f"drawing (the source holds {cadence.drawings}, most for {cadence.held_for} frames)"
    elif cadence.held_for > 1:
        held += f" (the source holds most drawings for {cadence.held_for} frames)"
    place = "drawing" if cadence.drawings else "source position"
    return (
        f"cadence: {facts['multiplier']} test frames to a {what}, the first at {place}"
        f" {facts['start']}: {facts['passed']} passed through ({_percent(cadence.share)} alike),"
        f" {facts['synthesised']} synthesised{held}{outside}"
    )


def _percent(share: float) -> str:
    """100% means all."""
    return f"{min(round(100 * share), 99) if share < 1 else 100}%"


def notes_on_cadence(cadence: Cadence) -> list[Note]:
    """Warnings about slips, and about originals that are unlike their source frames."""
    notes = []
    if cadence.slips:
        told = [slip._asdict() for slip in cadence.slips[:MAX_RANGES_LISTED]]
        notes.append(Note(Code.CADENCE_SLIPS, {"slips": told, "total": len(cadence.slips)}))
    if cadence.share < MIN_ALIKE_SHARE_UNSAID:
        count, passed = len(cadence.unlike), int((cadence.role == Role.PASSED).sum())
        values = {"count": count, "passed": passed, "frame": cadence.unlike[0]}
        notes.append(Note(Code.ORIGINALS_UNLIKE, values))
    return notes
