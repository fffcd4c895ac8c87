"""Alignment in time: which reference frame belongs to which test frame."""

from vfiscope.alignment.align import align
from vfiscope.alignment.cadence import find_cadence
from vfiscope.alignment.describe import (
    describe,
    describe_cadence,
    map_of_shift,
    notes_on_cadence,
    notes_on_order,
    summarize,
    summarize_cadence,
)
from vfiscope.alignment.passthrough import find_passthrough
from vfiscope.alignment.shift_check import ShiftCheck

__all__ = [
    "ShiftCheck",
    "align",
    "describe",
    "describe_cadence",
    "find_cadence",
    "find_passthrough",
    "map_of_shift",
    "notes_on_cadence",
    "notes_on_order",
    "summarize",
    "summarize_cadence",
]
