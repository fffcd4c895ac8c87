"""Changes against a golden frame that light does not explain."""

from __future__ import annotations

from dataclasses import replace

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors.low_score import low_scores
from vfiscope.segments.wording import told
from vfiscope.types import MetricSpec, Segment

__all__ = ["detect"]

AREA = MetricSpec(
    "changed_area",
    "1",
    0.0,
    1.0,
    True,
    0.0,
    0.003,
    "Part of the frame that differs from the golden frame by more than light.",
)


def detect(columns: Columns) -> list[Segment]:
    """The frames of which clearly more has changed than of the clip as a whole or of the frames
    around them, by the same rule as low scores.

    What grows slowly, and what stays for half of the clip, is the clip's own level.

    Args:
        columns: with the signal ``changed_area``.
    """
    area = columns.signals["changed_area"]
    return [
        replace(segment, kind="change") for segment in low_scores(columns.frames, area, AREA, _said)
    ]


def _said(area: float, frame: int) -> str:
    return f"{told(area)} of frame {frame} differs from the golden frame by more than light"
