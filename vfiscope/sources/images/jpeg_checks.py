"""Check JPEG files before they are decoded: each scan of a progressive image goes over all of it,
so that a few kilobytes could keep the decoder busy for ever."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.sources.images.image_header import MAX_PIXELS, ImageHeader

__all__ = ["check_scans"]

MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
"""Of a segment or of the end (ITU-T T.81, B.1.1.3); the zeros and restarts of coded data are
none."""
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
USUAL_SCANS = 16
"""As many as an encoder makes: 10 in libjpeg's script for colour, a few more in others."""
MAX_SEGMENTS = 2**16


def check_scans(data: NDArray[np.uint8], header: ImageHeader, file: str) -> None:
    """Refuse an image whose scans go over more pixels than those of the largest usual image.

    Raises:
        SourceError: the image is refused.
    """
    markers = list(itertools.islice(_markers(data.data), MAX_SEGMENTS))
    if len(markers) == MAX_SEGMENTS:
        raise SourceError(f"{file} holds {MAX_SEGMENTS} segments or more: save it anew")
    scans = markers.count(START_OF_SCAN)
    if scans > USUAL_SCANS and scans * header.width * header.height > USUAL_SCANS * MAX_PIXELS:
        raise SourceError(
            f"{file} holds {scans} scans of {header.width}x{header.height} pixels: save it as a"
            " baseline JPEG"
        )


def _markers(data: memoryview) -> Iterator[bytes]:
    """The markers of an image up to its end. Thumbnails lie inside of segments, and the further
    images of a file, or the video of a motion photo, behind the end."""
    at = 2
    while (found := MARKER.search(data, at)) and found[1] != END_OF_IMAGE:
        yield found[1]
        at = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
