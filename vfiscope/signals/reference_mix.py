"""Whether a frame is a mixture of its partner and of those beside it in the reference."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
FLATNESS = 1e-3
"""Mean square that is added: a flat block has neither motion nor contrast."""


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
    middle = partner[0]
    test = _sampled(frame.pixels, frame.bit_depth, frame.row_step)
    off, one, two, own, *slopes = (
        _blocks(each) for each in (test - middle, before[0] - middle, after[0] - middle, *partner)
    )
    return _fitted(off, one, two, (_relit(off, own), _moved(off, *slopes))) if off.size else UNKNOWN


def _partner(frame: SignalFrame) -> Float32 | None:
    """:func:`_green` of a frame's partner; kept for the frame in the next row."""
    other = frame.partner

    def compute() -> Float32 | None:
        if other is None or frame.matrix is not None:
            return None
        return _green(other.pixels, other.bit_depth, frame.row_step)

    return frame.share("partner_green", compute)


def _green(pixels: NDArray[Any], bit_depth: int, row_step: int) -> Float32:
    """(3, h, w) the green of some pixels in 8-bit code values, and its slopes across and down."""
    here, left, right, above, below = (
        _sampled(pixels, bit_depth, row_step, *place)
        for place in ((1, 1), (1, 0), (1, 2), (0, 1), (2, 1))
    )
    return np.stack([here, (right - left) / 2, (below - above) / 2])


def _sampled(
    pixels: NDArray[Any], bit_depth: int, row_step: int, top: int = 1, side: int = 1
) -> Float32:
    """(h, w) the green of every n-th pixel each way, from (top, side) on, in 8-bit code values."""
    step, (height, width) = SPARSE * row_step, pixels.shape[:2]
    plane = pixels[top : top + height - 2 : step, side : side + width - 2 : step, 1]
    return np.asarray(plane * np.float32(255 / (2**bit_depth - 1)))


def _blocks(plane: Float32) -> Float64:
    """(n, 64) the whole blocks of a plane."""
    high, wide = (length // SAMPLES for length in plane.shape)
    whole = plane[: high * SAMPLES, : wide * SAMPLES].reshape(high, SAMPLES, wide, SAMPLES)
    return whole.transpose(0, 2, 1, 3).reshape(high * wide, SAMPLES**2).astype(np.float64)


def _product(left: Float64, right: Float64) -> Float64:
    return np.asarray((left * right).mean(axis=1))


def _relit(off: Float64, own: Float64) -> Float64:
    """(n,) what is left of the difference to the partner by another contrast and brightness of the
    whole frame."""
    away, spread = off - off.mean(), own - own.mean()
    left = away - spread * ((away * spread).sum() / max((spread * spread).sum(), FLATNESS))
    return _product(left, left)


def _moved(off: Float64, across: Float64, down: Float64) -> Float64:
    """(n,) what is left of it where each block of the partner may move a little, by its slopes."""
    xx, yy, xy = (_product(*pair) for pair in ((across, across), (down, down), (across, down)))
    x, y = _product(off, across), _product(off, down)
    xx, yy = xx + FLATNESS, yy + FLATNESS
    held = (x * x * yy - 2 * x * y * xy + y * y * xx) / (xx * yy - xy * xy)
    return np.asarray(_product(off, off) - held)


def _fitted(off: Float64, one: Float64, two: Float64, changed: Iterable[Float64]) -> Mixture:
    """The mixture, from differences to the partner: of the frame, of the frames beside, and of what
    other light, and a small motion, leave."""
    own, ones, twos, both = (
        _product(*pair) for pair in ((off, off), (one, one), (two, two), (one, two))
    )
    by_one, by_two = _product(off, one), _product(off, two)
    normal = np.array([[ones.sum(), both.sum()], [both.sum(), twos.sum()]])
    weights, *_ = np.linalg.lstsq(normal, np.array([by_one.sum(), by_two.sum()]), rcond=1e-6)
    a, b = (float(weight) for weight in weights)
    shown = a * a * ones + b * b * twos + 2 * a * b * both
    mixed = own - 2 * (a * by_one + b * by_two) + shown
    alone = np.minimum.reduce([own, own - 2 * by_one + ones, own - 2 * by_two + twos, *changed])
    telling = np.maximum(own, shown) >= MIN_BLOCK_ERROR
    if telling.sum() < MIN_MIXED_BLOCKS or not alone[telling].any():
        return UNKNOWN
    return Mixture(float(1 - mixed[telling].sum() / alone[telling].sum()), a, b)


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
