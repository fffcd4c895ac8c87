"""A photo of a time-lapse on one of the photos before it: where the camera was, and what became of
the light and of the content.

Photos are minutes or hours apart, so that nothing can be followed by its flow, and one that does
not belong must not spoil those behind it. Each is therefore registered by points (SIFT) to the
latest of the six photos before it that shows the same place. With the camera's motion undone, light
is a factor of each channel, and what it does not explain has changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.pixels import eight_bit_scale, luma_plane
from vfiscope.registration.ecc import likeness
from vfiscope.registration.homography import covered_mask, enlarging, project, warp
from vfiscope.registration.points import from_points
from vfiscope.registration.sift import Points, describe_points, match_points
from vfiscope.signals.light_fit import BIWEIGHT, UNCLIPPED, cells_of, fit_light
from vfiscope.signals.signal import PAST_ROWS, SignalFrame
from vfiscope.types import Float32, Float64, Uint8

__all__ = ["Lit", "Placed", "changed_between", "light_on_earlier", "photo_on_earlier", "photo_view"]

VIEW_SIDE_PX = 640
"""Longer side to which larger photos are reduced."""
MIN_ALIKE = 0.7
"""Least median local correlation of two photos of one place: those of a garden correlate by 0.94
and more from one to the next, and by 0.54 at most with one of another light and place."""
MIN_COVERED, MAX_LEFT_OF_COVERED = 0.1, 0.25
"""Least part of a photo that something in front of it covers, and how much of that may differ from
the photos before it once it is gone: what lies there for good differs from them as much."""
MIN_TELLING_CELLS = 50
LOCATION_STEPS = 6
MIN_RATIO_SCALE = 1e-4


@dataclass(frozen=True, eq=False)
class PhotoView:
    """A photo, reduced to at most 640 px."""

    pixels: Uint8
    """(h, w, 3) RGB."""
    luma: Float32
    """(h, w)"""
    enlarged: Float64
    """(3, 3) from its pixels to those of the photo."""

    @cached_property
    def points(self) -> Points:
        return describe_points(self.luma)


class Placed(NamedTuple):
    """A photo on an earlier one."""

    back: float
    """How many photos before."""
    x: float
    """Pixels of the photo by which its centre moved to the right."""
    y: float
    """The same downwards."""
    rotation: float
    """Degrees, clockwise as seen."""
    scale: float
    """Factor; above 1 where content grew."""
    residual: float
    """Root mean squared distance of the points that agree, in pixels of the photo."""
    agreeing: float
    """Part of the matched points that agree on this motion; NaN where there are too few points, and
    the photos are alike as they are."""
    spread: float
    """Interquartile range over the photo of ln of the light's factor, mean of the channels."""
    changed: float
    """Part of the photo that differs by more than light."""


class Lit(NamedTuple):
    """The light of a photo in terms of that of an earlier one."""

    back: float
    """How many photos before."""
    light: Float64
    """(3,) ln of the factor of R, G and B."""


class _Pair(NamedTuple):
    """A photo and an earlier one of the same place, with the camera's motion undone."""

    matrix: Float64
    """(3, 3) from pixels of the earlier view to those of the later one."""
    residual: float
    agreeing: float
    now: Float64
    """(h, w, 3) cells of the later one."""
    then: Float64
    """(h, w, 3) cells of the earlier one, in place; 0 where it does not show all of them."""
    lit: NDArray[np.bool_]
    """(h, w) cells that both show, neither black nor white."""

    whole: NDArray[np.bool_]
    """(h, w) cells that both show."""

    @property
    def ratios(self) -> Float64:
        """(K, 3) ln of later divided by earlier of the lit cells; empty where too few tell."""
        if self.lit.sum() < MIN_TELLING_CELLS:
            return np.empty((0, 3))
        return np.asarray(np.log(self.now[self.lit] / self.then[self.lit]), np.float64)


def photo_view(frame: SignalFrame) -> PhotoView:
    """The photo, reduced; the same for all signals."""

    def compute() -> PhotoView:
        small = _reduced(frame.pixels, frame.bit_depth)
        size, full = small.shape[:2], frame.pixels.shape[:2]
        grow = enlarging((size[0], size[1]), (full[0], full[1]))
        return PhotoView(small, luma_plane(small, 8), grow)

    return frame.share("photo_view", compute)


def photo_on_earlier(frame: SignalFrame) -> Placed | None:
    """The photo on the latest of the six before it that shows the same place; None where none
    does.

    Where much of that photo looks otherwise, and an earlier one does not, something was in front of
    the camera and is gone: then the photo is placed on the earlier one.
    """

    def compute() -> Placed | None:
        now, latest = photo_view(frame), None
        for back, then in enumerate(_earlier(frame), start=1):
            pair = _pair(now, then)
            if pair is None:
                continue
            placed = _place(now, pair, float(back))
            if latest is None and not placed.changed >= MIN_COVERED:
                return placed
            latest = latest or placed
            if placed.changed <= MAX_LEFT_OF_COVERED * latest.changed:
                return placed
        return latest

    return frame.share("photo_on_earlier", compute)


def light_on_earlier(frame: SignalFrame) -> Lit | None:
    """The light of the photo by the earliest of the six before it that shows the same place.

    The longer the steps, the fewer of their errors add up. Each is the location of the logarithms
    of unclipped cells by Tukey's biweight (Beaton and Tukey 1974): what grows into a cell, a little
    more from photo to photo, would pull a median along.
    """

    def compute() -> Lit | None:
        now, earlier = photo_view(frame), _earlier(frame)
        for back in range(len(earlier), 0, -1):
            pair = _pair(now, earlier[back - 1])
            if pair is not None and len(pair.ratios):
                return Lit(float(back), _location(pair.ratios))
        return None

    return frame.share("light_on_earlier", compute)


def changed_between(now: SignalFrame, then: SignalFrame) -> tuple[Placed, NDArray[np.bool_]] | None:
    """A photo on any earlier one, and the (h, w) cells that have changed by more than light; None
    where they do not show the same place.

    Cells are as large as 1/96 of the longer side.
    """
    pair = _pair(photo_view(now), photo_view(then))
    fitted = None if pair is None else fit_light(pair.now, pair.then)
    if pair is None or fitted is None:
        return None
    return _place(photo_view(now), pair, math.nan), fitted.changed & pair.whole


def _earlier(frame: SignalFrame) -> tuple[PhotoView, ...]:
    """The views of up to six photos before, the latest first."""

    def compute() -> tuple[PhotoView, ...]:
        before = frame.before
        if before is None:
            return ()
        return (photo_view(before), *before.shared.get("earlier_photos", ())[: PAST_ROWS - 1])

    return frame.share("earlier_photos", compute)


def _reduced(pixels: NDArray[Any], bit_depth: int) -> Uint8:
    height, width = pixels.shape[:2]
    factor = min(1.0, VIEW_SIDE_PX / max(height, width))
    small: NDArray[Any] = pixels
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if bit_depth != 8:
        small = cv2.convertScaleAbs(small, alpha=eight_bit_scale(bit_depth))
    return np.asarray(small, np.uint8)


def _pair(now: PhotoView, then: PhotoView) -> _Pair | None:
    """Two photos in place; None unless they are alike then."""
    size = now.luma.shape[0], now.luma.shape[1]
    if then.luma.shape != size:
        return None
    found = from_points(match_points(now.points, then.points), size, "sift")
    matrix = np.asarray(np.linalg.inv(found.matrix), np.float64)
    shown = covered_mask(matrix, size)
    if not likeness(warp(then.luma, matrix).astype(np.float32), now.luma, shown) >= MIN_ALIKE:
        return None
    moved = np.asarray(warp(then.pixels, matrix), np.uint8)
    test, ref = cells_of(now.pixels, 8), cells_of(moved, 8)
    whole = cells_of(np.repeat(shown[..., None] * np.uint8(255), 3, axis=2), 8)[..., 0] > 254
    ref[~whole] = 0.0  # as black it tells nothing about the light
    low, high = UNCLIPPED
    lit = np.asarray(((test > low) & (test < high) & (ref > low) & (ref < high)).all(axis=2))
    agreeing = found.inlier_ratio if found.accepted else math.nan
    residual = float(found.residual * now.enlarged[0, 0]) if found.accepted else math.nan
    return _Pair(matrix, residual, agreeing, test, ref, lit, whole)


def _place(now: PhotoView, pair: _Pair, back: float) -> Placed:
    fitted = fit_light(pair.now, pair.then)
    changed = math.nan if fitted is None else float(fitted.changed[pair.whole].mean())
    spread = math.nan
    if len(pair.ratios):
        low, high = np.percentile(pair.ratios, (25, 75), axis=0)
        spread = float((high - low).mean())
    motion = _motion(now, pair.matrix)
    return Placed(back, *motion, pair.residual, pair.agreeing, spread, changed)


def _location(ratios: Float64) -> Float64:
    """(3,) of (K, 3) values."""
    found = np.median(ratios, axis=0)
    for _ in range(LOCATION_STEPS):
        away = ratios - found
        scale = np.maximum(MIN_RATIO_SCALE, SIGMA_OF_MAD * np.median(np.abs(away), axis=0))
        weights = np.square(np.maximum(0.0, 1.0 - np.square(away / (BIWEIGHT * scale))))
        found = (weights * ratios).sum(axis=0) / weights.sum(axis=0)
    return np.asarray(found, np.float64)


def _motion(now: PhotoView, matrix: Float64) -> tuple[float, float, float, float]:
    """Shift of the centre in pixels of the photo, rotation and scale of the way from then to
    now."""
    whole = now.enlarged @ matrix @ np.linalg.inv(now.enlarged)
    height, width = now.luma.shape
    centre = project(now.enlarged, np.array([[(width - 1) / 2, (height - 1) / 2]]))
    step = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    at, right, below = project(whole, centre + step)
    (a, c), (b, d) = right - at, below - at
    shift = at - centre[0]
    turn = math.degrees(math.atan2(c - b, a + d))
    return float(shift[0]), float(shift[1]), turn, math.sqrt(max(0.0, a * d - b * c))
