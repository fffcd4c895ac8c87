"""Errors of an interpolated frame against its ground truth, weighted by motion.

Metrics: psnr_div, motion_error, error_both, error_one, error_none.

Conventions:
    Errors are over R, G and B, averaged over the pixels of the full frame that a working pixel
    covers; weights are of working pixels (:mod:`vfiscope.metrics.interpolation.flow`). The motion
    of the ground truth tells what moves and what is hidden. Divergence is taken from the motion of
    the test frame, because it is to find torn motion fields. Rows are NaN at cuts between the real
    frames and for frames of fewer than 16 pixels in a dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from vfiscope.metrics import pixel
from vfiscope.metrics.interpolation.between_frames import by_triplet
from vfiscope.metrics.interpolation.fault import MIN_MOVING_PX
from vfiscope.metrics.interpolation.flow import Triplet
from vfiscope.metrics.metric import Metric
from vfiscope.metrics.pixel_pairs import PixelPairs, pixel_pairs
from vfiscope.pixels import floats
from vfiscope.types import Float32, Float64, MetricSpec, Needs, Pairs
from vfiscope.types.batch import to_numpy

__all__ = ["METRICS", "divergence", "divergence_weights", "weighted_psnr"]

PSNR = next(metric for metric in pixel.METRICS if metric.spec.name == "psnr")
MIN_DIVERGENCE = 1e-3
"""Divergence, in pixels per pixel, up to which a motion field counts as free of it."""
MIN_WEIGHT = 0.01
"""Weights up to this share of the largest weight are set to 0."""


def divergence(flow: Float32) -> Float64:
    """du/dx + dv/dy of a flow (h, w, 2): (h, w), central differences inside, one-sided at the
    border."""
    exact = flow.astype(np.float64)
    found: Float64 = np.gradient(exact[..., 0], axis=1) + np.gradient(exact[..., 1], axis=0)
    return found


def divergence_weights(flow: Float32) -> Float64:
    """Absolute divergence as a share of its maximum, 0 where that is not above 0.01: (h, w).

    All 0 where the divergence is nowhere above 0.001.
    """
    weights = np.abs(divergence(flow))
    if weights.max() <= MIN_DIVERGENCE:
        return np.zeros_like(weights)
    weights /= weights.max()
    weights[weights <= MIN_WEIGHT] = 0
    return weights


def weighted_psnr(squares: Float32 | Float64, weights: Float64) -> float:
    """10 log10(255^2 / (sum w e / sum w)) of squared errors e (h, w) in 8-bit code values, dB.

    The weights must not all be 0; +inf where no error has weight.
    """
    error = float((weights * squares).sum() / weights.sum())
    return math.inf if error == 0 else 10 * math.log10(255.0**2 / error)


def _psnr_div(pairs: Pairs) -> Float32:
    """PSNR weighted by the divergence of the motion from the test frame to the frame after (Daly,
    Ramsook, Kokaram 2025, arXiv 2510.01361); plain PSNR where that motion has none."""
    a = pixel_pairs(pairs)
    plain = PSNR.compute(pairs)

    def compute(frame: Triplet, row: int) -> float:
        weights = divergence_weights(frame.to_after)
        if not weights.any():
            return float(plain[row])
        return weighted_psnr(
            255.0**2 * _errors(a, row, frame, np.square).astype(np.float64), weights
        )

    return by_triplet(pairs, compute)


def _motion_error(pairs: Pairs) -> Float32:
    a = pixel_pairs(pairs)

    def compute(frame: Triplet, row: int) -> float:
        errors, speed = (
            _errors(a, row, frame, np.abs),
            np.hypot(*np.moveaxis(frame.track.astype(np.float64), -1, 0)),
        )
        if speed.max() < MIN_MOVING_PX:
            return float(errors.mean(dtype=np.float64))
        return float((errors * speed).sum() / speed.sum())

    return by_triplet(pairs, compute, middle="ref")


def _error_in(count: int) -> Callable[[Pairs], Float32]:
    def metric(pairs: Pairs) -> Float32:
        a = pixel_pairs(pairs)

        def compute(frame: Triplet, row: int) -> float:
            here = frame.in_before.astype(np.int64) + frame.in_after == count
            return (
                float(_errors(a, row, frame, np.abs)[here].mean(dtype=np.float64))
                if here.any()
                else math.nan
            )

        return by_triplet(pairs, compute, middle="ref")

    return metric


def _errors(
    a: PixelPairs, row: int, frame: Triplet, measure: Callable[[Float32], Float32]
) -> Float32:
    """A measure of the differences, as fractions of white, averaged over channels and working
    pixels: (h, w)."""
    test, ref = (floats(to_numpy(frames[row])) for frames in (a.test, a.ref))
    errors: Float32 = measure((test - ref) / a.peak).mean(axis=0)
    if errors.shape == frame.test.shape:
        return errors
    height, width = frame.test.shape
    return np.asarray(cv2.resize(errors, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _metric(
    name: str, floor: float, description: str, compute: Callable[[Pairs], Float32]
) -> Metric:
    return Metric(
        MetricSpec(
            name, "1", 0.0, 1.0, True, 0.0, floor, description, needs=Needs.REF | Needs.NEIGHBOURS
        ),
        compute,
    )


_ERROR = "Mean absolute difference over R, G, B where the reference shows what is visible in"

METRICS = (
    Metric(
        MetricSpec(
            name="psnr_div",
            unit="dB",
            low=0.0,
            high=math.inf,
            lower_is_better=False,
            identity=math.inf,
            floor=1.5,
            description=(
                "PSNR weighted by the divergence of the test frame's motion (Daly, Ramsook, Kokaram"
                " 2025)."
            ),
            needs=Needs.REF | Needs.NEIGHBOURS,
        ),
        _psnr_div,
    ),
    _metric(
        "motion_error",
        0.01,
        "Mean absolute difference over R, G, B weighted by motion.",
        _motion_error,
    ),
    _metric("error_both", 0.01, f"{_ERROR} both real frames around it.", _error_in(2)),
    _metric("error_one", 0.01, f"{_ERROR} one of the real frames around it.", _error_in(1)),
    _metric("error_none", 0.01, f"{_ERROR} no real frame around it.", _error_in(0)),
)
