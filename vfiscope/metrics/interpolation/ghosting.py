"""Pixel by pixel, two faults of a frame between real frames: a blend of two instants, and broken
geometry.

Conventions:
    Planes are (h, w) float32 luma, 8-bit code values, at the working size (see
    :mod:`vfiscope.metrics.interpolation.flow`). Statistics are those of a square window around each
    pixel with its mean removed: a change of brightness between the real frames is neither a blend
    nor broken geometry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from vfiscope.metrics.interpolation.flow import Triplet, fetch
from vfiscope.types import Float32

__all__ = ["BLEND_WINDOW", "NOISE_VARIANCE", "RAMP_BLEND", "broken", "ghosts", "ramp", "variance"]

BLEND_WINDOW, SHAPE_WINDOW = 11, 9
"""Sides in working pixels of the window in which a blend is fitted, and of that in which structure
is compared."""
NOISE_VARIANCE = 2.0
"""Variance that rounding and compression leave, squared code values."""
RAMP_BLEND = (0.3, 0.6)
"""Share that the blend explains of what everything else leaves unexplained: not a blend up to the
first value, entirely one from the second on."""
MAX_SOFTNESS = 0.5
"""Largest blur that is not a fault, as a share of that with :data:`STRUCTURE_BLUR_SIGMA`: the
variances of blurs add up, so 0.5 stands for a sigma of 0.7 working pixels."""
MIN_STRUCTURE_VARIANCE = 30.0
"""Variance below which a window has no structure to lose, squared code values."""
RAMP_BROKEN = (0.1, 0.35)
"""1 - correlation with the better neighbour: whole up to the first value, broken from the second
on."""
STRUCTURE_BLUR_SIGMA = 1.0
"""Standard deviation in working pixels of the blur before structure is compared: noise is not
structure."""
STIFF_CELL_PX = 16
"""Side in working pixels of the cells that move as one when structure is fetched: a flow that is
free to follow broken geometry would hide it."""


def ghosts(frame: Triplet) -> Float32:
    """Degree to which each pixel is a blend of the frames before and after.

    In each window, ``test - before = alpha (after - before)`` is fitted by least squares. The
    degree is the share that the fit, with alpha inside (0, 1), explains of what is explained
    neither by a neighbour in place, nor by one fetched along the flow, nor by the mean of the two
    fetched; those fetched may be as soft as the frame (:func:`_beyond_blur`).

    Returns:
        (h, w) float32, 0..1; 0 where the neighbours do not differ or the frame repeats one of them.
    """
    step, whole = frame.test - frame.before, frame.after - frame.before
    from_before, span, product = variance(step), variance(whole), _covariance(step, whole)
    from_after = from_before - 2 * product + span
    fitted = np.maximum(from_before - product * product / np.maximum(span, NOISE_VARIANCE), 0)
    fetched = [fetch(frame.before, frame.to_before), fetch(frame.after, frame.to_after)]
    copies = [*fetched, (fetched[0] + fetched[1]) / np.float32(2)]
    moved = [_beyond_blur(frame.test, copy) for copy in copies]
    unexplained = np.minimum.reduce([from_before, from_after, *moved])
    share = 1 - (fitted + NOISE_VARIANCE) / np.maximum(unexplained, NOISE_VARIANCE)
    inside = (product > 0) & (product < span)
    return np.where(inside, ramp(share, RAMP_BLEND), np.float32(0))


def _beyond_blur(test: Float32, copy: Float32) -> Float32:
    """Variance of the difference of a frame from a copy that no small blur of the copy explains.

    A made frame is often softer than the real ones. At small motion a blend of two instants is
    hardly more than a blur, and would explain that loss. So a copy has, like the blend, one free
    factor per window: ``test - copy = beta (soft copy - copy)``, fitted by least squares with beta
    inside (0, :data:`MAX_SOFTNESS`). Double contours are farther apart than such a blur is wide.
    """
    apart, detail = test - copy, _soften(copy) - copy
    span, shared = variance(detail), _covariance(apart, detail)
    beta = np.clip(shared / np.maximum(span, np.float32(1e-6)), 0, np.float32(MAX_SOFTNESS))
    return np.maximum(variance(apart) - beta * (2 * shared - beta * span), 0)


def broken(frame: Triplet) -> Float32:
    """Degree to which the local geometry of a frame fits neither neighbour.

    The residual of a neighbour is 1 - (cov + c) / (sd sd' + c), from the correlation in a window
    after a light blur; blur, noise and a change of contrast hardly affect it. The smallest residual
    counts: of both neighbours in place, and of both fetched along the median flow of the pixel's
    cell of 16x16 working pixels and of the four cells beside it.

    Returns:
        (h, w) float32, 0..1.
    """
    test, before, after = (_soften(plane) for plane in (frame.test, frame.before, frame.after))
    mean = _mean(test, SHAPE_WINDOW)
    spread = variance(test, SHAPE_WINDOW)
    residual = np.ones_like(test)
    for other in _stiffly_fetched(((before, frame.to_before), (after, frame.to_after))):
        both = _mean(test * other, SHAPE_WINDOW) - mean * _mean(other, SHAPE_WINDOW)
        scale = np.sqrt(spread * variance(other, SHAPE_WINDOW))
        np.minimum(
            residual,
            1 - (both + MIN_STRUCTURE_VARIANCE) / (scale + MIN_STRUCTURE_VARIANCE),
            out=residual,
        )
    return ramp(residual, RAMP_BROKEN)


def _stiffly_fetched(sources: Iterable[tuple[Float32, Float32]]) -> Iterator[Float32]:
    """Each plane in place, and fetched along a flow that is constant in cells: each cell's own
    median, and that of the cell above, below, left and right."""
    for plane, flow in sources:
        yield plane
        height, width = plane.shape
        cells = _medians(flow)
        padded = np.pad(cells, ((1, 1), (1, 1), (0, 0)), mode="edge")
        for down, across in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2)):
            moved = padded[down : down + cells.shape[0], across : across + cells.shape[1]]
            yield fetch(
                plane,
                moved.repeat(STIFF_CELL_PX, axis=0).repeat(STIFF_CELL_PX, axis=1)[:height, :width],
            )


def _medians(flow: Float32) -> Float32:
    """Medians of a flow (h, w, 2) over cells of 16x16, the last ones padded from the border:
    (ceil(h / 16), ceil(w / 16), 2)."""
    height, width = flow.shape[:2]
    whole = np.pad(
        flow, ((0, -height % STIFF_CELL_PX), (0, -width % STIFF_CELL_PX), (0, 0)), mode="edge"
    )
    blocks = whole.reshape(
        whole.shape[0] // STIFF_CELL_PX,
        STIFF_CELL_PX,
        whole.shape[1] // STIFF_CELL_PX,
        STIFF_CELL_PX,
        2,
    )
    return np.median(blocks, axis=(1, 3)).astype(np.float32)


def ramp(values: Float32, ends: tuple[float, float]) -> Float32:
    """0 up to the first end, 1 from the second on, linear in between."""
    low, high = ends
    risen: Float32 = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    return risen


def _soften(plane: Float32) -> Float32:
    return np.asarray(
        cv2.GaussianBlur(plane, (5, 5), STRUCTURE_BLUR_SIGMA, borderType=cv2.BORDER_REFLECT_101),
        np.float32,
    )


def _mean(plane: Float32, side: int = BLEND_WINDOW) -> Float32:
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _covariance(plane: Float32, other: Float32, side: int = BLEND_WINDOW) -> Float32:
    return _mean(plane * other, side) - _mean(plane, side) * _mean(other, side)


def variance(plane: Float32, side: int = BLEND_WINDOW) -> Float32:
    """Variance of a plane (h, w) in the window around each pixel."""
    return np.maximum(_covariance(plane, plane, side), 0)
