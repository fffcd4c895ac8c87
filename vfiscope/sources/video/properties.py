"""What a decoded frame tells of how its samples are meant.

It is the same from frame to frame nearly always, so what follows from it is worked out once.
"""

from __future__ import annotations

from typing import NamedTuple

import av

__all__ = ["Properties", "properties_of"]


class Properties(NamedTuple):
    """All of a frame that affects its conversion to RGB, but for the site of chroma, of which PyAV
    says nothing."""

    pixel_format: str
    width: int
    height: int
    color_range: int
    """This and the next three are codes of ITU-T H.273."""
    colorspace: int
    primaries: int
    transfer: int
    interlaced: bool


def properties_of(frame: av.VideoFrame) -> Properties:
    """The properties of a frame."""
    return Properties(
        frame.format.name,
        frame.width,
        frame.height,
        int(frame.color_range),
        int(frame.colorspace),
        int(frame.color_primaries),
        int(frame.color_trc),
        bool(frame.interlaced_frame),
    )
