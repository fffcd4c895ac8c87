"""Planes of decoded frames at a fraction of their size, before anything is done with all pixels."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane

from vfiscope.sources.video.frame_planes import PLANAR_8_BIT, lines_of
from vfiscope.types import Uint8

__all__ = ["shrunk_planes"]


def shrunk_planes(frame: av.VideoFrame, size: tuple[int, int]) -> list[Uint8] | None:
    """The planes Y, U and V of a frame, all at one smaller size (height, width), whose lines may be
    padded; None for pixel formats whose planes do not stand for themselves.

    Planes are halved by averaging for as long as they are twice as large, and what is left of the
    way is bilinear: each sample is the mean of about the area that it stands for.
    """
    if frame.format.name not in PLANAR_8_BIT:
        return None
    return [_shrunk(plane, size) for plane in frame.planes]


def _shrunk(plane: VideoPlane, size: tuple[int, int]) -> Uint8:
    lines: Uint8 = lines_of(plane)
    if (plane.height, plane.width) == size:
        return lines
    height, width = size
    made = lines[:, : plane.width]
    while made.shape[0] >= 2 * height and made.shape[1] >= 2 * width:
        high, wide = (side // 2 for side in made.shape)
        # Without an odd line at the end: means of whole pixels take a tenth of the time.
        even = made[: 2 * high, : 2 * wide]
        made = np.asarray(cv2.resize(even, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    if made.shape == size:
        return made
    return np.asarray(cv2.resize(made, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
