"""Check JPEG files before they are decoded: each scan of a progressive image goes over all of it,
so that a few kilobytes could keep the decoder busy for ever."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.sources.images.image_header import MAX_PIXELS, ImageHeader

__all__ = ["check_scans"]

START_OF_SCAN = re.compile(rb"\xff\xda")
USUAL_SCANS = 16
"""As many as an encoder makes: 10 in libjpeg's script for colour, a few more in others."""


def check_scans(data: NDArray[np.uint8], header: ImageHeader, file: str) -> None:
    """Refuse an image whose scans go over more pixels than those of the largest usual image.

    The marker of a scan (ITU-T T.81, B.1.1.3) does not occur inside coded data.

    Raises:
        SourceError: the image is refused.
    """
    scans = sum(1 for _ in START_OF_SCAN.finditer(data.data))
    if scans > USUAL_SCANS and scans * header.width * header.height > USUAL_SCANS * MAX_PIXELS:
        raise SourceError(
            f"{file} holds {scans} scans of {header.width}x{header.height} pixels: save it as a"
            " baseline JPEG"
        )
