"""The words of vfiscope as frozen dataclasses. Imports neither torch nor any other part of the
package."""

from __future__ import annotations

from vfiscope.types.arrays import Float32, Float64, Int64, Uint8
from vfiscope.types.frames import Features, Frames, Neighbours, Pairs
from vfiscope.types.specs import (
    UNIX_EPOCH,
    FieldSpec,
    Gap,
    Match,
    MetricSpec,
    Region,
    Role,
    Segment,
    SourceInfo,
    Status,
    Verdict,
)
from vfiscope.types.tables import Cadence, FrameTable, Pairing, Registration, Registrations, Scores

__all__ = [
    "UNIX_EPOCH",
    "Cadence",
    "Features",
    "FieldSpec",
    "Float32",
    "Float64",
    "FrameTable",
    "Frames",
    "Gap",
    "Int64",
    "Match",
    "MetricSpec",
    "Neighbours",
    "Pairing",
    "Pairs",
    "Region",
    "Registration",
    "Registrations",
    "Role",
    "Scores",
    "Segment",
    "SourceInfo",
    "Status",
    "Uint8",
    "Verdict",
]
