"""What is compared with what: one class per file, each of which makes a stream of pairs."""

from vfiscope.comparisons.choose import COMPARISONS, choose_comparison, comparison_of
from vfiscope.comparisons.comparison import (
    ComparedWith,
    Comparison,
    FrameRequest,
    Report,
    Scored,
)
from vfiscope.comparisons.streams import Streams, WrapDecoding

__all__ = [
    "COMPARISONS",
    "ComparedWith",
    "Comparison",
    "FrameRequest",
    "Report",
    "Scored",
    "Streams",
    "WrapDecoding",
    "choose_comparison",
    "comparison_of",
]
