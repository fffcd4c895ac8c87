"""A frame between two real ones, and what they let it show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import cv2
import numpy as np

from vfiscope.metrics.interpolation.flow import (
    MIN_FLOW_SIDE_PX,
    Triplet,
    resized,
    resized_flow,
    row_by_row,
    working_size,
)
from vfiscope.metrics.interpolation.real_motion import MAX_BETWEEN_SIDE_PX, Between
from vfiscope.pixels import luma_bytes
from vfiscope.regions.steps import Mask
from vfiscope.types import Float32, Uint8

__all__ = ["Surrounding"]

T = TypeVar("T")

STIFFNESS, STIFF_WINDOW = 4, 5
"""The flow of a frame is taken at so many working pixels apart, each the median of this square of
them: a flow that is free to follow broken geometry would hide it."""

MIN_OWN_MOTION = 1.0
"""Pixels of the size at which motion is estimated: as far as two of its flows may disagree."""


@dataclass(frozen=True, eq=False)
class Surrounding:
    """A frame and the real frames around it, all (H, W, 3) RGB."""

    test: Uint8
    before: Uint8
    after: Uint8
    phase: float = 0.5
    """The instant of the frame, 0 at the one before, 1 at the one after."""

    @property
    def has_flow(self) -> bool:
        """Whether the frames are large enough for flow."""
        return bool(min(self.test.shape[:2]) >= MIN_FLOW_SIDE_PX)

    @cached_property
    def triplet(self) -> Triplet:
        """Their luma, and the flows between the frame and the real ones, where it has flow."""
        size = working_size(self.test.shape[0], self.test.shape[1])
        planes = [resized(plane, size) for plane in self._luma]
        return _alone(lambda: Triplet.of(planes[0], planes[1], planes[2], np.ones(2, np.float32)))

    @cached_property
    def expected(self) -> list[Uint8]:
        """The real frames moved to the instant, both along the motion between the two that starts
        in each, and both along that which starts in the other; a faulty frame cannot bend it
        (:class:`~vfiscope.metrics.interpolation.real_motion.Between`)."""
        if not self.has_flow:
            return []
        between = self._between.at(self.test.shape[:2])
        (before, after_too), (before_too, after) = between.expected(self.phase)
        return [
            *(_fetched(self.before, before), _fetched(self.after, after)),
            *(_fetched(self.before, before_too), _fetched(self.after, after_too)),
        ]

    def moved(self) -> Iterator[Sequence[tuple[Uint8, Mask]]]:
        """Both real frames moved to the instant in one way after the other, each with the pixels
        (H, W) where that tells what the frame may show: along the motion that starts in each, along
        that which starts in the other, and along the frame's own."""
        if not self.has_flow:
            return
        everywhere = np.ones(self.test.shape[:2], bool)
        for both in (self.expected[:2], self.expected[2:]):
            yield [(frame, everywhere) for frame in both]
        yield list(self._followed())

    def _followed(self) -> Iterator[tuple[Uint8, Mask]]:
        """The real frames along the frame's own flow to them, made stiff, and the pixels (H, W)
        where that leads back: a thing that moves far is found over half the way where it is not
        over all of it."""
        size, own = self.test.shape[:2], self.triplet
        for frame, flow, seen in (
            (self.before, own.to_before, own.in_before),
            (self.after, own.to_after, own.in_after),
        ):
            known = resized(seen.astype(np.float32), size) > 0.5
            yield _fetched(frame, resized_flow(_stiff(flow), size)), known

    @property
    def moving(self) -> Mask:
        """(H, W) pixels that move otherwise than most of the frame does between the real ones;
        where there is flow."""
        flows = (self._between.forth, self._between.back)
        own = [np.abs(flow - np.median(flow, axis=(0, 1))).max(axis=-1) for flow in flows]
        most = resized(np.asarray(np.maximum(*own), np.float32), self.test.shape[:2])
        return np.asarray(most > MIN_OWN_MOTION, bool)

    @cached_property
    def _between(self) -> Between:
        size = working_size(self.test.shape[0], self.test.shape[1], MAX_BETWEEN_SIDE_PX)
        return _alone(lambda: Between.of(self._luma[1], self._luma[2], size))

    @cached_property
    def _luma(self) -> list[Float32]:
        frames = (self.test, self.before, self.after)
        return [luma_bytes(each).astype(np.float32) for each in frames]


def _alone(compute: Callable[[], T]) -> T:
    """With one thread of OpenCV, whose number flow must not depend on."""
    return row_by_row(lambda _: compute(), 1)[0]


def _stiff(flow: Float32) -> Float32:
    height, width = flow.shape[:2]
    size = (-(-height // STIFFNESS), -(-width // STIFFNESS))
    parts = cv2.split(resized_flow(flow, size))
    return np.stack([cv2.medianBlur(part, STIFF_WINDOW) for part in parts], axis=-1)


def _fetched(frame: Uint8, flow: Float32) -> Uint8:
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(frame, x, y, cv2.INTER_LINEAR, borderMode=border), np.uint8)
