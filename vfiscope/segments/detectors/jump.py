"""Photos of a time-lapse in which more changes at once than usual, beyond light and the camera."""

from __future__ import annotations

from vfiscope.segments.detector import Columns
from vfiscope.segments.photo_change import Changes
from vfiscope.segments.spans import segment_of
from vfiscope.types import Segment

__all__ = ["detect"]


def detect(columns: Columns) -> list[Segment]:
    """A ``change`` at each photo that differs from the one before it by clearly more than photos
    that are as far apart usually do.

    Args:
        columns: with ``photo_back`` and ``changed_step``.
    """
    changes = Changes(columns)
    middle, least = changes.usual
    found = []
    for row in changes.jumps:
        step, usual, enough = (float(each[row]) for each in (changes.step, middle, least))
        excess = (step - usual) / (enough - usual)
        said = (
            f"{100 * step:.1f} % of frame {columns.frames.index[row]} has changed, where"
            f" {100 * usual:.1f} % are usual for {changes.hours[row]:.3g} h;"
            f" {100 * enough:.1f} % would be enough"
        )
        place = int(row), int(row)
        confidence = excess / (1 + excess)
        found.append(
            segment_of(
                *(columns.frames, "changed_step", changes.step, changes.step, place, confidence),
                kind="change",
                evidence=said,
            )
        )
    return found
