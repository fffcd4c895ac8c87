"""Pixel by pixel, where the colours of a frame come from neither of the real frames around it.

Conventions:
    Pictures are (h, w, 3) float32 RGB, 8-bit code values, at most :data:`SHORT_SIDE` pixels on the short side, blurred
    before they are compared: blur, noise, compression and small misalignment are nothing foreign.
    A colour *fits* two others as far as each of R, G, B lies between theirs, so that a blend of both fits.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from vfiscope.metrics.blend import ramp
from vfiscope.metrics.flow import Bool, Triplet, estimate, fetch
from vfiscope.types import Float32

__all__ = ["SHORT_SIDE", "strange"]

SHORT_SIDE = 270
"""Most pixels of the short side at which colours are compared: low-pass, they need no more."""
SOFTEN = 3.0
"""Standard deviation of the blur, in pixels of the pictures."""
APART = (12.0, 32.0)
"""Distance to the nearest fitting colour in 8-bit code values: known below, foreign above."""


def strange(frame: Triplet, test: Float32, before: Float32, after: Float32, phase: float) -> Float32:
    """How foreign the colours of a frame are to the real frames around it.

    The distance of a colour is the largest over R, G, B, and the smallest to

    - the span of both neighbours in place;
    - the span of both fetched along the motion between them, which the frame itself cannot bend;
    - one neighbour fetched along the frame's own flow, where its content is visible there: the flow of a block that
      hides what lies behind it finds alike colours far away, and does not find back.

    Args:
        frame: the frame's flows and luma.
        test, before, after: (h, w, 3) pictures.
        phase: the frame's instant, 0 at the one before, 1 at the one after.

    Returns:
        (h, w) float32, 0 known to 1 foreign; exactly 0 where the frame repeats one of them.
    """
    size = test.shape[:2]
    test, before, after = _soften(test), _soften(before), _soften(after)
    apart = _outside(test, before, after)
    for to_before, to_after in _expected(_resized(frame.before, size), _resized(frame.after, size), phase):
        np.minimum(apart, _outside(test, fetch(before, to_before), fetch(after, to_after)), out=apart)
    for other, flow, seen in ((before, frame.to_before, frame.in_before), (after, frame.to_after, frame.in_after)):
        fetched = fetch(other, _resized_flow(flow, size))
        alone = _outside(test, fetched, fetched)
        np.minimum(apart, alone, out=apart, where=_resized_mask(seen, size))
    return ramp(apart, APART)


def _expected(before: Float32, after: Float32, phase: float) -> Iterator[tuple[Float32, Float32]]:
    """Flows from a frame at ``phase`` to both neighbours, told from the neighbours alone.

    Motion is taken to be even, and the flow through a pixel of the frame is that which starts at this pixel of the one
    neighbour, or of the other (Jiang, Sun, Jampani, Yang, Learned-Miller, Kautz 2018, equation 3).
    """
    t, rest = np.float32(phase), np.float32(1 - phase)
    forth, back = estimate(before, after), estimate(after, before)
    yield -t * forth, rest * forth
    yield t * back, -rest * back


def _outside(test: Float32, one: Float32, other: Float32) -> Float32:
    """How far a colour is outside the span of two others, (h, w): the largest over R, G, B."""
    excess = np.maximum(np.minimum(one, other) - test, test - np.maximum(one, other))
    red, green, blue = cv2.split(excess)
    return np.maximum(np.maximum(np.maximum(red, green), blue), np.float32(0))


def _soften(picture: Float32) -> Float32:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), SOFTEN, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _resized(plane: Float32, size: tuple[int, ...]) -> Float32:
    """A plane (H, W[, channels]) averaged down to (h, w)."""
    if plane.shape[:2] == size:
        return plane
    return np.asarray(cv2.resize(plane, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.float32)


def _resized_flow(flow: Float32, size: tuple[int, ...]) -> Float32:
    """A flow (H, W, 2) averaged down to (h, w), its lengths in the pixels of that size."""
    height, width = flow.shape[:2]
    return _resized(flow, size) * np.array([size[1] / width, size[0] / height], np.float32)


def _resized_mask(mask: Bool, size: tuple[int, ...]) -> Bool:
    most: Bool = _resized(mask.astype(np.float32), size) > 0.5
    return most
