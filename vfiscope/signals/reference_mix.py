"""Whether a frame is a mixture of its partner and of those beside it in the reference."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import REORDERED, compiled
from vfiscope.pixels import eight_bit_scale
from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, Float64, SignalSpec

__all__ = ["REFERENCE_MIX", "Mixture", "mixture"]

SPARSE = 4
"""Every pixel of a small frame that is looked at, each way."""
SAMPLES = 8
"""Of them in a block, each way."""
MIN_BLOCK_ERROR = 30.0
"""Mean squared difference to the partner, in squared code values, from which on a block tells."""
MIN_MIXED_BLOCKS = 4
TWOFOLD, PIXEL = np.float32(2), np.uint64(3)
FLATNESS = 1e-3
"""Mean square that is added: a flat block has neither motion nor contrast."""
SINGULAR = 1e-6
"""Part of the largest eigenvalue below which another one is 0."""
OFF, EARLIER, LATER, PARTNER, SLOPE_X, SLOPE_Y, EVERYWHERE = range(7)
"""What the products of a block are of: the frame less the partner, the partners of the rows before
and after less it, the partner itself, its slopes across and down, and 1 everywhere."""
PLANES = EVERYWHERE + 1


class Mixture(NamedTuple):
    """The mixture of three reference frames that is nearest to a frame."""

    explained: float
    """Part that it explains of what is left where each block shows one of the three frames; below 0
    where it explains less than those."""
    before: float
    """Weight of the reference frame of the row before."""
    after: float
    """Weight of that of the next row; the rest is the partner's own."""


UNKNOWN = Mixture(math.nan, math.nan, math.nan)


def mixture(frame: SignalFrame) -> Mixture:
    """The mixture ``partner + a (before - partner) + b (after - partner)``, fitted by least squares
    to the green of the frame; NaN where a frame is missing or too little differs.

    A blend is one pixel by pixel, so that it is enough to look at some of the pixels.
    """
    return frame.share("reference_mix", lambda: _mixture(frame))


def _mixture(frame: SignalFrame) -> Mixture:
    frames = (frame.before, frame, frame.after)
    there = [None if each is None else _partner(each) for each in frames]
    before, partner, after = there
    if partner is None or before is None or after is None:
        return UNKNOWN
    off, rows = np.empty_like(partner[0]), frame.pixels.reshape(len(frame.pixels), -1)
    power = sample_off(rows, _worth(frame.bit_depth), SPARSE * frame.row_step, partner[0], off)
    # No fit shows more than there is, so this is too little for enough blocks to tell.
    if 2 * power < MIN_MIXED_BLOCKS * MIN_BLOCK_ERROR * SAMPLES**2:
        return UNKNOWN
    count = (off.shape[0] // SAMPLES) * (off.shape[1] // SAMPLES)
    products, mean = np.empty((PLANES, PLANES, count)), np.zeros((PLANES, PLANES))
    mean_products(off, before[0], after[0], partner, products, mean)
    return _fitted(products, mean) if count else UNKNOWN


def _partner(frame: SignalFrame) -> Float32 | None:
    """:func:`_green` of a frame's partner; kept for the frame in the next row."""
    other = frame.partner

    def compute() -> Float32 | None:
        if other is None or frame.matrix is not None:
            return None
        return _green(other.pixels, other.bit_depth, frame.row_step)

    return frame.share("partner_green", compute)


def _green(pixels: NDArray[Any], bit_depth: int, row_step: int) -> Float32:
    """(3, h, w) the green of every n-th pixel each way in 8-bit code values, and its slopes across
    and down."""
    step = SPARSE * row_step
    size = [max(0, -(-(side - 2) // step)) for side in pixels.shape[:2]]
    made = np.empty((3, *size), np.float32)
    sample_green(pixels.reshape(len(pixels), -1), _worth(bit_depth), step, made)
    return made


def _worth(bit_depth: int) -> np.float32:
    """8-bit code values in one step of a bit depth."""
    return np.float32(eight_bit_scale(bit_depth))


@compiled()
def sample_green(pixels: Any, code: Any, step: int, made: Any) -> None:
    """Fill (3, h, w) float32 from rows (H, 3 W) whose code values are worth ``code``."""
    for i in range(made.shape[1]):
        above, here, below = pixels[i * step], pixels[1 + i * step], pixels[2 + i * step]
        for j in range(made.shape[2]):
            at = np.uint64(3 * (1 + j * step) + 1)
            left, right = code * here[at - PIXEL], code * here[at + PIXEL]
            up, down = code * above[at], code * below[at]
            made[0, i, j] = code * here[at]
            made[1, i, j], made[2, i, j] = (right - left) / TWOFOLD, (down - up) / TWOFOLD


@compiled(REORDERED)
def sample_off(pixels: Any, code: Any, step: int, partner: Any, off: Any) -> float:
    """Fill (h, w) float32 with the green of rows (H, 3 W) less that of the partner at the places of
    :func:`sample_green`; return the sum of its squares."""
    power = 0.0
    for i in range(off.shape[0]):
        here = pixels[1 + i * step]
        for j in range(off.shape[1]):
            off[i, j] = code * here[np.uint64(3 * (1 + j * step) + 1)] - partner[i, j]
            power += off[i, j] * off[i, j]
    return power


@compiled(REORDERED)
def mean_products(
    off: Any, before: Any, after: Any, partner: Any, products: Any, mean: Any
) -> None:
    """Fill (K, K, N) float64 with the means, over each of N blocks, of the products of every two
    planes, and add the means of these over the blocks to (K, K). The others (h, w) float32 are the
    frame less its partner, the partners of the rows before and after, and (3, h, w) that of this
    row with its slopes."""
    wide, own = off.shape[1] // SAMPLES, partner[0]
    values = np.ones((products.shape[0], SAMPLES**2))
    for block in range(products.shape[2]):
        top, left = block // wide * SAMPLES, block % wide * SAMPLES
        for y in range(SAMPLES):
            for x in range(SAMPLES):
                i, j, at = top + y, left + x, y * SAMPLES + x
                values[0, at], values[1, at] = off[i, j], before[i, j] - own[i, j]
                values[2, at], values[3, at] = after[i, j] - own[i, j], own[i, j]
                values[4, at], values[5, at] = partner[1, i, j], partner[2, i, j]
        for one in range(products.shape[0]):
            for other in range(one + 1):
                total = 0.0
                for at in range(SAMPLES**2):
                    total += values[one, at] * values[other, at]
                products[one, other, block] = products[other, one, block] = total / SAMPLES**2
        for one in range(products.shape[0]):
            for other in range(products.shape[0]):
                mean[one, other] += products[one, other, block] / products.shape[2]


def _fitted(products: Float64, mean: Float64) -> Mixture:
    """The mixture, from the (7, 7, n) products of the planes in each block, and their mean."""
    a, b = _weights(mean)
    gain, base = _light(mean, products.shape[2])
    telling, mixed, alone = left_over(products, a, b, gain, base)
    if telling < MIN_MIXED_BLOCKS or not alone:
        return UNKNOWN
    return Mixture(1 - mixed / alone, a, b)


def _weights(mean: Float64) -> tuple[float, float]:
    """The parts of the frames before and after that leave least, the shorter ones of several: where
    the two differ from the partner by the same, nothing tells them apart."""
    (one, both), (_, two) = mean[EARLIER : LATER + 1, EARLIER : LATER + 1].tolist()
    by_one, by_two = mean[OFF, EARLIER : LATER + 1].tolist()
    middle, apart = (one + two) / 2, math.hypot((one - two) / 2, both)
    largest, least = middle + apart, middle - apart
    if least > SINGULAR * largest:
        area = one * two - both * both
        return (by_one * two - by_two * both) / area, (by_two * one - by_one * both) / area
    if not largest:
        return 0.0, 0.0
    # Along the only direction that is known, the longer row of the matrix without the other one.
    x, y = max((one - least, both), (both, two - least), key=lambda row: math.hypot(*row))
    share = (x * by_one + y * by_two) / (largest * (x * x + y * y))
    return x * share, y * share


def _light(mean: Float64, count: int) -> tuple[float, float]:
    """Contrast and brightness of the difference to the partner: what ``gain * partner + base``
    leaves of it is least."""
    level, own_level = float(mean[OFF, EVERYWHERE]), float(mean[PARTNER, EVERYWHERE])
    spread = max(float(mean[PARTNER, PARTNER]) - own_level**2, FLATNESS / (count * SAMPLES**2))
    gain = (float(mean[OFF, PARTNER]) - level * own_level) / spread
    return gain, level - gain * own_level


@compiled()
def left_over(
    products: Any, a: float, b: float, gain: float, base: float
) -> tuple[int, float, float]:
    """Of the blocks of (7, 7, n) that tell: their number, and the sums of what is left of the
    difference to the partner by the mixture, and by the best of other explanations: one of the
    three frames, another contrast and brightness of the whole frame, or a small movement of the
    block, by the slopes of the partner."""
    telling, mixed_sum, alone_sum = 0, 0.0, 0.0
    for k in range(products.shape[2]):
        block = products[:, :, k]
        off, ones, twos = block[OFF, OFF], block[EARLIER, EARLIER], block[LATER, LATER]
        by_one, by_two = block[OFF, EARLIER], block[OFF, LATER]
        shown = a * a * ones + b * b * twos + 2 * a * b * block[EARLIER, LATER]
        if max(off, shown) < MIN_BLOCK_ERROR:
            continue
        # The square of off - (gain own + base).
        squares = off - 2 * gain * block[OFF, PARTNER] + gain * gain * block[PARTNER, PARTNER]
        relit = (
            squares
            - 2 * base * (block[OFF, EVERYWHERE] - gain * block[PARTNER, EVERYWHERE])
            + base * base
        )
        xx, yy = block[SLOPE_X, SLOPE_X] + FLATNESS, block[SLOPE_Y, SLOPE_Y] + FLATNESS
        x, y, xy = block[OFF, SLOPE_X], block[OFF, SLOPE_Y], block[SLOPE_X, SLOPE_Y]
        moved = off - (x * x * yy - 2 * x * y * xy + y * y * xx) / (xx * yy - xy * xy)
        alone = min(off - 2 * by_one + ones, off - 2 * by_two + twos, moved, max(0.0, relit))
        telling += 1
        mixed_sum += off - 2 * (a * by_one + b * by_two) + shown
        alone_sum += min(off, alone)
    return telling, mixed_sum, alone_sum


def _signal(field: str, text: str) -> Signal:
    return Signal(
        SignalSpec(f"mix_{field}", "1", text),
        lambda frame: float(getattr(mixture(frame), field)),
        Sight.FAULTS | Sight.BEFORE | Sight.AFTER,
        usual=True,
    )


REFERENCE_MIX = (
    _signal(
        "explained",
        "Part of the difference to the reference that a mixture of the reference frames of this row"
        " and of those beside explains, and that no single one of them explains in any block.",
    ),
    _signal("before", "Weight of the reference frame of the row before in that mixture."),
    _signal("after", "Weight of the reference frame of the next row in that mixture."),
)
