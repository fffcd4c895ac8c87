"""Decoded frames at a fraction of their size, before anything is done with all their pixels."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.sources.video.frame_planes import PLANAR_8_BIT, lines_of

__all__ = ["shrunk"]


def shrunk(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame | None:
    """The frame at a smaller size (height, width), with whole chroma; None for pixel formats whose
    planes do not stand for themselves.

    Planes are halved by averaging for as long as they are twice as large, and what is left of the
    way is bilinear: each sample is the mean of about the area that it stands for.
    """
    if frame.format.name not in PLANAR_8_BIT:
        return None
    planes = [_plane(plane, size) for plane in frame.planes]
    return av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")


def _plane(plane: av.video.plane.VideoPlane, size: tuple[int, int]) -> NDArray[Any]:
    height, width = size
    made = lines_of(plane)[:, : plane.width]
    while made.shape[0] >= 2 * height and made.shape[1] >= 2 * width:
        half = made.shape[1] // 2, made.shape[0] // 2
        made = cv2.resize(made, half, interpolation=cv2.INTER_AREA)
    if made.shape != size:
        made = cv2.resize(made, (width, height), interpolation=cv2.INTER_LINEAR)
    return made
