"""Reading videos, images and arrays as frames: integer RGB in presentation order, with exact times
and full accounting.

::

    with open_source("clip.mp4") as source:
        for frames in source:
            ...
"""

from vfiscope.sources.array import ArraySource
from vfiscope.sources.array_forms import held
from vfiscope.sources.digest import digest
from vfiscope.sources.images.image_source import ImageSource, total_size
from vfiscope.sources.images.listing import has_pattern, note_on_gaps
from vfiscope.sources.images.patterns import matching
from vfiscope.sources.open import is_address, open_source, open_with, parse_position
from vfiscope.sources.prefetch import prefetch
from vfiscope.sources.selection import Selection
from vfiscope.sources.source import Counts, Single, Source
from vfiscope.sources.video.video_source import VideoSource

__all__ = [
    "ArraySource",
    "Counts",
    "ImageSource",
    "Selection",
    "Single",
    "Source",
    "VideoSource",
    "digest",
    "has_pattern",
    "held",
    "is_address",
    "matching",
    "note_on_gaps",
    "open_source",
    "open_with",
    "parse_position",
    "prefetch",
    "total_size",
]
