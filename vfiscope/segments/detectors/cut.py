"""Cuts: runs of frames whose real frames before and after are unrelated."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detector import Columns
from vfiscope.segments.rules import segment_of, spans
from vfiscope.store import headline_role
from vfiscope.types import Segment

__all__ = ["detect"]


def detect(columns: Columns) -> list[Segment]:
    """The runs of frames that lie across a cut, in order.

    Args:
        columns: with the score ``cut``, (N,) 1 at a cut, 0 elsewhere, NaN where not defined.
    """
    frames = columns.frames
    scores = np.asarray(columns.scores["cut"], dtype=np.float64)
    role = headline_role(frames)
    return [
        segment_of(
            *(frames, "cut", scores, scores, rows, 1.0, "cut"),
            role=role,
            evidence="the real frame before and the one behind are unrelated",
        )
        for rows in spans(scores == 1, np.zeros(len(scores), bool))
    ]
