"""What is compared with what: streams of frames into streams of pairs."""

from vfiscope.comparisons.neighbours import (
    Place,
    places_among,
    places_beside,
    places_held_out,
    places_in,
    with_places,
)
from vfiscope.comparisons.pairs import (
    Stream,
    pick,
    skip_rows,
    tee_stream,
    with_golden,
    with_lag,
    with_map,
    with_reference,
    with_shift,
)
from vfiscope.comparisons.shared_clock import LeadingTest, follow_clock

__all__ = [
    "LeadingTest",
    "Place",
    "Stream",
    "follow_clock",
    "pick",
    "places_among",
    "places_beside",
    "places_held_out",
    "places_in",
    "skip_rows",
    "tee_stream",
    "with_golden",
    "with_lag",
    "with_map",
    "with_places",
    "with_reference",
    "with_shift",
]
