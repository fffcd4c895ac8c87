"""What is compared with what: small functions that turn streams of frames into streams of pairs."""

from vfiscope.pairing.around import Place, places_among, places_beside, places_held_out, places_in, with_places
from vfiscope.pairing.cadence import find_cadence
from vfiscope.pairing.follow import Lead, follow
from vfiscope.pairing.pairs import (
    Stream,
    pick,
    skip_rows,
    twice,
    with_golden,
    with_lag,
    with_map,
    with_reference,
    with_shift,
)
from vfiscope.pairing.passed import find_passed
from vfiscope.pairing.report import describe, describe_cadence, shifted, summarize, summarize_cadence
from vfiscope.pairing.shift import ShiftCheck
from vfiscope.pairing.timeline import align

__all__ = [
    "Lead",
    "Place",
    "ShiftCheck",
    "Stream",
    "align",
    "describe",
    "describe_cadence",
    "find_cadence",
    "find_passed",
    "follow",
    "pick",
    "places_among",
    "places_beside",
    "places_held_out",
    "places_in",
    "shifted",
    "skip_rows",
    "summarize",
    "summarize_cadence",
    "twice",
    "with_golden",
    "with_lag",
    "with_map",
    "with_places",
    "with_reference",
    "with_shift",
]
