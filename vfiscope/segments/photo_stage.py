"""The curves of a time-lapse as a stage: a row for each photo, with what a deflicker would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vfiscope.segments.columns import Columns
from vfiscope.segments.photo_change import Changes
from vfiscope.segments.photo_curves import PHOTO_SIGNALS, PhotoCurves
from vfiscope.stages import STAGES, Stage
from vfiscope.store import Run

__all__ = ["TIMELAPSE", "PhotoRow"]


@dataclass(frozen=True)
class PhotoRow:
    """A photo of a time-lapse; NaN where it does not belong."""

    frame: int
    """Its decode ordinal."""
    belongs: bool
    light: float
    """ln of its luma relative to the first photo, by the light alone."""
    trend: float
    """The slow part of that, with the light of the day."""
    deflicker: float
    """What a deflicker would multiply it by."""
    red: float
    """ln of red against green, relative to the first photo."""
    blue: float
    """The same for blue."""
    changed: float
    """Part of it that has changed since the photo before, beyond light and the camera."""
    cumulative: float
    """The sum of that so far."""
    per_hour: float
    """The same per hour."""


def find(run: Run) -> Mapping[str, Sequence[PhotoRow]]:
    """The rows of a stored run."""
    columns = Columns.of(run)
    curves, changes = PhotoCurves(columns), Changes(columns)
    light, (red, blue) = curves.brightness, curves.balance
    values = np.stack(
        [
            light.trend + light.day + light.rest,
            light.trend + light.day,
            np.exp(-light.rest),
            red.trend + red.day + red.rest,
            blue.trend + blue.day + blue.rest,
            changes.step,
            changes.cumulative,
            changes.rate,
        ],
        axis=1,
    )
    rows = zip(run.frames.index.tolist(), curves.belongs.tolist(), values.tolist(), strict=True)
    return {"timelapse": [PhotoRow(frame, belongs, *each) for frame, belongs, each in rows]}


TIMELAPSE = STAGES.add(
    "timelapse",
    Stage(
        *("timelapse", 1),
        [f"signals/{name}" for name in (*PHOTO_SIGNALS, "changed_step")],
        {"timelapse": PhotoRow},
        find,
    ),
)
