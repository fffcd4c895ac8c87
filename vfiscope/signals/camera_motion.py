"""Motion of the whole frame since the frame before: shift, rotation and scale."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.jit import REORDERED, compiled
from vfiscope.signals.frame_flow import from_before, mean_apart, tiny_scale
from vfiscope.signals.light_fit import BIWEIGHT
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float32, Float64, SignalSpec, Uint8

__all__ = ["CAMERA_MOTION", "CameraMotion", "camera_motion"]

MOTION_GRID_PX = 4
"""Tiny pixels between the places whose flow is fitted."""
MIN_SLOPE_CODES = 4.0
"""Slope of luma, in code values per tiny pixel, below which flow at a place is a guess."""
MIN_SLOPES = 16
MOTION_FIT_STEPS = 4
MIN_FIT_SCALE_PX = 0.05
"""Least scale of what flow is off by, in tiny pixels."""


MIN_FIT_CODES = 1.0
"""Least scale of what luma is off by."""
MAX_STEP_PX = 1.5
"""Longest step by luma, in tiny pixels: slopes tell no more."""
NO_WEIGHT, FULL_WEIGHT, HALF_STEP = np.float32(0), np.float32(1), np.float32(0.5)
"""With other numbers the loops would compute in float64."""


class CameraMotion(NamedTuple):
    """How the content of the frame before came to its place in this one."""

    x: float
    """Pixels of the frame by which its centre moved to the right."""
    y: float
    """The same downwards."""
    rotation: float
    """Degrees, clockwise as seen."""
    scale: float
    """Factor; above 1 where content grew."""
    residual: float
    """Mean absolute difference that is left, as a part of that without the motion."""


def camera_motion(frame: SignalFrame) -> CameraMotion | None:
    """The similarity that most of the content follows; None where nothing tells.

    It is fitted to the flow of tiny frames at places with structure by weighted least squares, with
    weights that vanish for places that move by themselves (Tukey's biweight, Beaton and Tukey
    1974), and then to their luma in one step of Lucas and Kanade (1981), as flow alone is up to a
    tenth of a step short.
    """
    before, found = frame.before, from_before(frame)
    if before is None or found is None:
        return None
    now, then = frame.tiny, before.tiny
    fitted = _similarity(frame, found.flow)
    if fitted is None:
        return None
    (across, down, grow, turn), left = _closer(now, then, fitted, _moved(then, fitted))
    apart = float(cv2.norm(now, then, cv2.NORM_L1)) / then.size
    # The flow leads back to the frame before; motion is the way from there.
    back = (1 + grow) * (1 + grow) + turn * turn
    factor = tiny_scale(frame)
    return CameraMotion(
        -factor * ((1 + grow) * across + turn * down) / back,
        -factor * ((1 + grow) * down - turn * across) / back,
        -math.degrees(math.atan2(turn, 1 + grow)),
        1 / math.sqrt(back),
        left / apart if apart else math.nan,
    )


def _closer(now: Uint8, then: Uint8, fitted: Float64, moved: Float32) -> tuple[Float64, float]:
    """A similarity after one more step by luma, if that brings the frames closer; and the mean
    absolute difference that is left.

    Args:
        now: (h, w) the tiny frame.
        then: of the frame before.
        fitted: (4,) the similarity so far.
        moved: (h, w) the tiny frame before, brought along it.
    """
    left = mean_apart(now, moved)
    apart = np.abs(now[::2, ::2] - moved[::2, ::2])
    limit = BIWEIGHT * max(MIN_FIT_CODES, SIGMA_OF_MAD * ranked(apart, 0.5)[0])
    closer = fitted.copy()
    step_by_luma(now, moved, limit, closer)
    if np.abs(closer - fitted)[:2].max() > MAX_STEP_PX or not np.isfinite(closer).all():
        return fitted, left
    again = mean_apart(now, _moved(then, closer))
    return (closer, again) if again < left else (fitted, left)


@compiled(REORDERED)
def step_by_luma(now: Any, moved: Any, limit: float, fitted: Any) -> None:
    """One step of Lucas and Kanade for a similarity.

    Args:
        now: (h, w) uint8.
        moved: (h, w) float32, the other frame brought along the fit so far.
        limit: difference in code values from which on a pixel has no weight.
        fitted: (4,) a, b, grow, turn; changed.
    """
    height, width = now.shape
    sums, slopes = np.zeros((4, 5)), np.empty((5, width - 2), np.float32)
    weights, share = np.empty(width - 2, np.float32), np.float32(1 / limit)
    first = np.float32(1 - (width - 1) / 2)
    for y in range(1, height - 1, 2):  # half of the rows tell as much
        above, here, below, shown = moved[y - 1, 1:], moved[y], moved[y + 1, 1:], now[y, 1:]
        low = np.float32(y - (height - 1) / 2)
        for x in range(width - 2):
            right = np.float32(x) + first
            across, down = HALF_STEP * (here[x + 2] - here[x]), HALF_STEP * (below[x] - above[x])
            apart = np.float32(shown[x]) - here[x + 1]
            part = max(NO_WEIGHT, FULL_WEIGHT - apart * share * (apart * share))
            weights[x] = part * part
            slopes[0, x], slopes[1, x], slopes[4, x] = across, down, apart
            slopes[2, x], slopes[3, x] = across * right + down * low, down * right - across * low
        for i in range(4):
            for j in range(i, 5):
                one, other, total = slopes[i], slopes[j], np.float32(0)
                for x in range(width - 2):
                    total += weights[x] * one[x] * other[x]
                sums[i, j] += total
    add_solution(sums, fitted)


@compiled(inner=True)
def add_solution(sums: Any, fitted: Any) -> None:
    """Add to (4,) the solution of four equations, whose symmetrical and positive definite matrix
    (4, 5) is given above the diagonal."""
    for i in range(4):
        for j in range(i):
            sums[i, j] = sums[j, i]
    for i in range(4):
        for k in range(4):
            if k != i:
                factor = sums[k, i] / sums[i, i]
                for j in range(5):
                    sums[k, j] -= factor * sums[i, j]
    for i in range(4):
        fitted[i] += sums[i, 4] / sums[i, i]


def _similarity(frame: SignalFrame, flow: Float32) -> Float64 | None:
    """(4,) shift right and down in tiny pixels, growth and turn of the flow about the centre."""
    slopes = frame.slopes
    places = np.empty((5, slopes.size // MOTION_GRID_PX**2))
    count = structured(slopes, flow, places)
    if count < MIN_SLOPES:
        return None
    places = np.ascontiguousarray(places[:, :count])
    fitted = np.array([ranked(places[2], 0.5)[0], ranked(places[3], 0.5)[0], 0.0, 0.0])
    away = np.empty(count)
    for _ in range(MOTION_FIT_STEPS):
        distances(places, fitted, away)
        scale = max(MIN_FIT_SCALE_PX, SIGMA_OF_MAD * ranked(away, 0.5)[0])
        refit(places, away, BIWEIGHT * scale, fitted)
    return fitted


@compiled()
def structured(slopes: Any, flow: Any, places: Any) -> int:
    """Find the places of a grid whose flow can be told, and return how many these are.

    Args:
        slopes: (H, W) float32.
        flow: (H, W, 2) float32.
        places: (5, N) float64, the first of them filled: x and y from the centre, the flow there,
            and the mean slope in the square of the grid.
    """
    count, area = 0, np.float32(MOTION_GRID_PX * MOTION_GRID_PX)
    sums = np.empty(slopes.shape[1] // MOTION_GRID_PX * MOTION_GRID_PX, np.float32)
    right, low = (slopes.shape[1] - 1) / 2, (slopes.shape[0] - 1) / 2
    for top in range(0, slopes.shape[0] - MOTION_GRID_PX + 1, MOTION_GRID_PX):
        sums[:] = 0
        for i in range(top, top + MOTION_GRID_PX):
            for j in range(sums.shape[0]):
                sums[j] += slopes[i, j]
        for left in range(0, sums.shape[0], MOTION_GRID_PX):
            total = np.float32(0)
            for j in range(left, left + MOTION_GRID_PX):
                total += sums[j]
            if total >= MIN_SLOPE_CODES * area:
                x, y = left + MOTION_GRID_PX // 2, top + MOTION_GRID_PX // 2
                places[0, count], places[1, count] = x - right, y - low
                places[2, count], places[3, count] = flow[y, x, 0], flow[y, x, 1]
                places[4, count] = total / area
                count += 1
    return count


@compiled(REORDERED)
def distances(places: Any, fitted: Any, away: Any) -> None:
    """How far the flow at each place is from that of a similarity: (N,) float64, filled."""
    across, down, grow, turn = fitted
    for i in range(away.shape[0]):
        x, y = places[0, i], places[1, i]
        dx = places[2, i] - (across + grow * x - turn * y)
        dy = places[3, i] - (down + grow * y + turn * x)
        away[i] = np.sqrt(dx * dx + dy * dy)


@compiled(REORDERED)
def refit(places: Any, away: Any, limit: float, fitted: Any) -> None:
    """Fit a similarity by weighted least squares: dx = a + grow x - turn y, dy = b + grow y + turn
    x.

    Sums are those of this loop: numpy's of complex numbers and those of BLAS depend on where in
    memory the places lie.

    Args:
        places: (5, N) x, y, dx, dy and weight.
        away: (N,) distances to the last fit; replaced by the weights of this one.
        limit: the distance from which on a place has no weight.
        fitted: (4,) a, b, grow, turn; filled.
    """
    total, x0, y0, dx0, dy0, share = 0.0, 0.0, 0.0, 0.0, 0.0, 1 / limit
    for i in range(away.shape[0]):
        part = max(0.0, 1 - away[i] * share * (away[i] * share))
        weight = places[4, i] * (part * part)
        away[i] = weight
        total += weight
        x0 += weight * places[0, i]
        y0 += weight * places[1, i]
        dx0 += weight * places[2, i]
        dy0 += weight * places[3, i]
    x0, y0, dx0, dy0 = x0 / total, y0 / total, dx0 / total, dy0 / total
    spread, along, around = 0.0, 0.0, 0.0
    for i in range(away.shape[0]):
        x, y = places[0, i] - x0, places[1, i] - y0
        dx, dy = places[2, i] - dx0, places[3, i] - dy0
        spread += away[i] * (x * x + y * y)
        along += away[i] * (x * dx + y * dy)
        around += away[i] * (x * dy - y * dx)
    grow, turn = along / spread, around / spread
    fitted[0], fitted[1] = dx0 - (grow * x0 - turn * y0), dy0 - (grow * y0 + turn * x0)
    fitted[2], fitted[3] = grow, turn


def _moved(plane: Uint8, fitted: Float64) -> Float32:
    """A plane (h, w) fetched along the flow of a similarity about its centre: bilinear, the border
    repeated."""
    across, down, grow, turn = fitted
    height, width = plane.shape
    x, y = (width - 1) / 2, (height - 1) / 2
    matrix = np.array(
        [
            [1 + grow, -turn, across - grow * x + turn * y],
            [turn, 1 + grow, down - turn * x - grow * y],
        ]
    )
    made = cv2.warpAffine(
        plane.astype(np.float32),
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(made, np.float32)


CAMERA_MOTION = tuple(
    Signal(
        SignalSpec(f"motion_{name}", unit, text),
        part_of(camera_motion, name),
        Sight.BEFORE,
        usual=True,
    )
    for name, unit, text in (
        ("x", "px", "How far the frame as a whole moved to the right since the frame before."),
        ("y", "px", "How far the frame as a whole moved down since the frame before."),
        (
            "rotation",
            "deg",
            "How far the frame as a whole turned clockwise since the frame before.",
        ),
        ("scale", "1", "Factor by which the frame as a whole grew since the frame before."),
        (
            "residual",
            "1",
            "Difference to the frame before that is left behind this motion, as a part of that"
            " without it.",
        ),
    )
)
