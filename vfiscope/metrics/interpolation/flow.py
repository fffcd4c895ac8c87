"""Dense optical flow between a test frame and the real frames around it, on the CPU.

Conventions:
    Flow is estimated on luma at the *working size*: that of the frame where its short side has at
    most :data:`MAX_FLOW_SIDE_PX` pixels, else averaged down to that. A flow is (h, w, 2) float32,
    (dx, dy) in working pixels: content at (x, y) of the one frame is at (x + dx, y + dy) of the
    other. Multiplied by :attr:`Triplet.scale` it is in pixels of the full frame. The estimator is
    OpenCV's dense inverse search (Kroeger, Timofte, Dai, Van Gool 2016), which needs no weights.
    Content is *visible* in the other frame where the forward and backward flows f and b agree,
    |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5 (Sundaram, Brox, Keutzer 2010), and the flow does not
    leave the frame.

    Each row of a batch is computed on its own by one thread, with OpenCV's threads switched off: a
    score depends only on its own frames, and not on how a version of OpenCV divides its work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.jit import map_rows, one_opencv_thread
from vfiscope.pixels import eight_bit_scale, floats, luma_codes
from vfiscope.types import Float32, Frames, Neighbours, Pairs

__all__ = [
    "MIN_FLOW_SIDE_PX",
    "Bool",
    "Triplet",
    "colours",
    "estimate",
    "fetch",
    "luma",
    "neighbours",
    "resized",
    "resized_flow",
    "row_by_row",
    "triplets",
    "visible",
    "working_size",
]

Bool = NDArray[np.bool_]
T = TypeVar("T")

MAX_FLOW_SIDE_PX = 540
"""Largest short side in pixels of the working size."""
MIN_FLOW_SIDE_PX = 16
"""Short side in pixels below which no flow is estimated."""
MAX_FLOW_ERROR_SHARE, MAX_FLOW_ERROR_PX2 = 0.01, 0.5
"""Allowed disagreement of forward and backward flow: a share of their squares, and squared
pixels."""


@dataclass(frozen=True, eq=False)
class Triplet:
    """A frame between two real ones at the working size, and the flows between it and them."""

    test: Float32
    """(h, w) luma, 8-bit code values."""
    before: Float32
    after: Float32
    to_before: Float32
    """(h, w, 2) from the frame to the one before."""
    to_after: Float32
    in_before: Bool
    """(h, w) where the frame's content is visible in the one before."""
    in_after: Bool
    scale: Float32
    """(2,) pixels of the full frame in a working pixel, (x, y)."""

    @classmethod
    def of(cls, test: Float32, before: Float32, after: Float32, scale: Float32) -> Triplet:
        """Estimate the four flows of three planes of luma at the working size."""
        to_before, to_after = estimate(test, before), estimate(test, after)
        in_before = visible(to_before, estimate(before, test))
        in_after = visible(to_after, estimate(after, test))
        return cls(test, before, after, to_before, to_after, in_before, in_after, scale)

    @property
    def track(self) -> Float32:
        """(h, w, 2) motion from the frame before to the frame after, in pixels of the full
        frame."""
        between: Float32 = (self.to_after - self.to_before) * self.scale
        return between


def working_size(height: int, width: int, short_side: int = MAX_FLOW_SIDE_PX) -> tuple[int, int]:
    """(h, w) at which flow is estimated for frames of (height, width): the short side is at most
    ``short_side``."""
    shrink = min(1.0, short_side / min(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def luma(frames: Frames, row: int, size: tuple[int, int]) -> Float32:
    """Luma of one frame averaged down to (h, w): float32, 8-bit code values.

    Luma is rounded to a code value of the frame's own bit depth before it is averaged.
    """
    return resized(luma_codes(_pixels(frames, row), frames.bit_depth), size)


def colours(frames: Frames, row: int, size: tuple[int, int]) -> Float32:
    """RGB of one frame averaged down to (h, w): (h, w, 3) float32, 8-bit code values."""
    frame = resized(floats(_pixels(frames, row)), size)
    if frames.bit_depth != 8:
        frame = frame * np.float32(eight_bit_scale(frames.bit_depth))
    return frame


def _pixels(frames: Frames, row: int) -> NDArray[Any]:
    """(H, W, 3) of one frame, C-contiguous."""
    one: NDArray[Any] = frames[row : row + 1].interleaved[0]
    return one


def estimate(start: Float32, end: Float32) -> Float32:
    """Flow from one plane of luma to another.

    Args:
        start, end: (h, w) float32, 8-bit code values, short side at least 12 pixels.

    Returns:
        (h, w, 2) float32 (dx, dy), working pixels; exactly 0 everywhere for equal planes.
    """
    # Between the presets "fast" (vectors four pixels apart) and "medium" (three times as slow).
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setFinestScale(1)
    search.setVariationalRefinementIterations(1)
    codes = [np.rint(np.clip(plane, 0, 255)).astype(np.uint8) for plane in (start, end)]
    unknown = np.zeros((*start.shape, 2), np.float32)
    return np.asarray(search.calc(codes[0], codes[1], unknown), np.float32)


def fetch(plane: Float32, flow: Float32) -> Float32:
    """A plane (h, w[, channels]) sampled where a flow (h, w, 2) points: bilinear, with the border
    repeated."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    at = x + flow[..., 0], y + flow[..., 1]
    return np.asarray(
        cv2.remap(plane, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def resized(plane: Float32, size: tuple[int, ...]) -> Float32:
    """A plane (H, W[, channels]) averaged down, or interpolated up, to (h, w)."""
    if plane.shape[:2] == size:
        return plane
    how = cv2.INTER_AREA if plane.shape[0] >= size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (size[1], size[0]), interpolation=how), np.float32)


def resized_flow(flow: Float32, size: tuple[int, ...]) -> Float32:
    """A flow (H, W, 2) at (h, w), its lengths in the pixels of that size."""
    height, width = flow.shape[:2]
    return resized(flow, size) * np.array([size[1] / width, size[0] / height], np.float32)


def visible(forth: Float32, back: Float32) -> Bool:
    """Mask (h, w) of content of one frame that is visible in the other.

    Args:
        forth: (h, w, 2) from the one to the other.
        back: (h, w, 2) from the other to the one.
    """
    height, width = forth.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    to_x, to_y = x + forth[..., 0], y + forth[..., 1]
    returned = fetch(back, forth)
    apart = np.square(forth + returned).sum(axis=-1)
    length = np.square(forth).sum(axis=-1) + np.square(returned).sum(axis=-1)
    inside = (to_x > -0.5) & (to_x < width - 0.5) & (to_y > -0.5) & (to_y < height - 0.5)
    seen: Bool = inside & (apart < MAX_FLOW_ERROR_SHARE * length + MAX_FLOW_ERROR_PX2)
    return seen


def neighbours(pairs: Pairs) -> Neighbours:
    """The neighbouring frames of a batch.

    Raises:
        UsageError: the pairs have none.
    """
    if pairs.around is None:
        raise UsageError(
            "around is None: a metric of neighbours needs pairs that have frames around them"
        )
    return pairs.around


def triplets(pairs: Pairs, middle: str = "test") -> Sequence[Triplet] | None:
    """One triplet for each row of a batch, made once for all metrics; None where frames are too
    small for flow.

    Args:
        middle: the frame between the real ones, "test" or "ref".

    Raises:
        UsageError: the pairs have no neighbouring frames, or no reference.
    """
    around = neighbours(pairs)
    frames = pairs.test if middle == "test" else pairs.ref
    if frames is None:
        raise UsageError(
            "ref is None: an error between real frames needs pairs that have a reference"
        )
    if min(frames.size) < MIN_FLOW_SIDE_PX:
        return None
    size = working_size(*frames.size)
    scale = np.array([frames.size[1] / size[1], frames.size[0] / size[0]], np.float32)

    def make(row: int) -> Triplet:
        planes = [luma(each, row, size) for each in (frames, around.before, around.after)]
        return Triplet.of(planes[0], planes[1], planes[2], scale)

    return pairs.share(f"triplets of {middle}", lambda: row_by_row(make, len(pairs)))


def row_by_row(compute: Callable[[int], T], n: int) -> list[T]:
    """``compute(row)`` for each of n rows, several in parallel, each with one OpenCV thread."""
    with one_opencv_thread():
        return map_rows(compute, n)
