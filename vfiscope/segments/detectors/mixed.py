"""Ghosting, by the reference: frames that are a mixture of reference frames.

A mixture of the reference frames of the row before, of this row and of the next explains what
differs from the partner better than any one of these does, and better than a small motion and
another contrast of the partner, block by block. So neither a repeat nor a tear is one, nor content
that is a little late, nor other light; and at least two of the three have a real part in it.
"""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.evidence.confidence import confidence
from vfiscope.segments.evidence.context import context_of
from vfiscope.segments.spans import segment_of, spans
from vfiscope.segments.wording import told
from vfiscope.types import Segment

__all__ = ["MIX_SIGNALS", "detect"]

MIX_SIGNALS = ("mix_explained", "mix_before", "mix_after")
MIN_BY_MIXTURE = 0.75
"""Blends have 0.8 to 1, of strongly compressed ones some 0.6; frames that a network interpolated,
which takes means of what it is unsure of, have up to 0.67 (45 frames of UCF101)."""
LEAST_LEFT = 0.01
MIN_PART_OF_MIX = 0.15
"""Least weight of two of the frames."""
MIXED_REACH = 2
"""Rows from one to the next of the same segment: every second frame of a clip may be blended."""


def detect(columns: Columns) -> list[Segment]:
    """The mixtures of reference frames.

    Args:
        columns: with the signals ``MIX_SIGNALS``.
    """
    frames = columns.frames
    explained, before, after = (context_of(columns).signal(name) for name in MIX_SIGNALS)
    weights = np.stack([before, 1 - before - after, after])
    mixed = (explained >= MIN_BY_MIXTURE) & ((weights >= MIN_PART_OF_MIX).sum(axis=0) >= 2)
    badness = np.where(mixed, explained, np.nan)
    found = []
    for first, last in spans(mixed, np.zeros(len(mixed), bool), reach=MIXED_REACH):
        row = first + int(np.nanargmax(badness[first : last + 1]))
        others = [int(frames.ref_index[each]) for each in (row - 1, row, row + 1)]
        parts = [
            f"{100 * weight:.0f} % of frame {other}"
            for weight, other in zip(weights[:, row].tolist(), others, strict=True)
            if weight >= MIN_PART_OF_MIX
        ]
        said = (
            f"frame {int(frames.index[row])} is a mixture of reference frames,"
            f" {', '.join(parts[:-1])} and {parts[-1]}, which explains"
            f" {told(float(explained[row]))} of what none of them explains by itself;"
            f" {MIN_BY_MIXTURE:g} would be enough"
        )
        sure = confidence("mixture", _margin(float(explained[row])))
        place = (first, last)
        found.append(
            segment_of(
                *(frames, "mix_explained", explained, badness, place, sure, "ghosting"),
                evidence=said,
            )
        )
    return found


def _margin(explained: float) -> float:
    """By how much less is left than may be."""
    return (1 - MIN_BY_MIXTURE) / max(1 - explained, LEAST_LEFT)
