"""The words of vfiscope as frozen dataclasses. Imports no torch, and of the
package only errors and the tables that plugins add to."""

from __future__ import annotations

from vfiscope.types import sentences as sentences  # adds the sentences of all codes
from vfiscope.types.arrays import Float32, Float64, Int64, Uint8
from vfiscope.types.cells import Box, CellGrid, cell_edges, place_words
from vfiscope.types.fetched import ComparedFrames, Fetch, FetchedFrame
from vfiscope.types.frames import Features, Frames, Neighbours, Pairs
from vfiscope.types.notes import Code, Note, counted, sentence
from vfiscope.types.packet_index import PacketIndex
from vfiscope.types.regions import Answer, Region, Track
from vfiscope.types.seek_table import NOT_WHOLE, SeekTable
from vfiscope.types.specs import (
    UNIX_EPOCH,
    FieldSpec,
    Gap,
    Match,
    MetricSpec,
    Needs,
    Role,
    Segment,
    SignalSpec,
    SourceInfo,
    Status,
    Verdict,
)
from vfiscope.types.tables import (
    Cadence,
    FrameTable,
    Pairing,
    Registration,
    Registrations,
    Scores,
    Slip,
)
from vfiscope.types.time_lapse import TimeLapse, date, duration, moment_of

__all__ = [
    "NOT_WHOLE",
    "UNIX_EPOCH",
    "Answer",
    "Box",
    "Cadence",
    "CellGrid",
    "Code",
    "ComparedFrames",
    "Features",
    "Fetch",
    "FetchedFrame",
    "FieldSpec",
    "Float32",
    "Float64",
    "FrameTable",
    "Frames",
    "Gap",
    "Int64",
    "Match",
    "MetricSpec",
    "Needs",
    "Neighbours",
    "Note",
    "PacketIndex",
    "Pairing",
    "Pairs",
    "Region",
    "Registration",
    "Registrations",
    "Role",
    "Scores",
    "SeekTable",
    "Segment",
    "SignalSpec",
    "Slip",
    "SourceInfo",
    "Status",
    "TimeLapse",
    "Track",
    "Uint8",
    "Verdict",
    "cell_edges",
    "counted",
    "date",
    "duration",
    "moment_of",
    "place_words",
    "sentence",
]
