"""The change of light between two planes: one gain and one offset, robust to what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.regions.difference.lit_parts import agreed_gain, lit_widely
from vfiscope.regions.steps import Light, Mask
from vfiscope.types import Float64, Int64, Uint8

__all__ = ["fit_light", "flat_pixels", "local_range", "relit"]

FLAT_RADIUS = 2
FLAT_RANGE, FLAT_SHARE = 12, 0.4
"""A pixel is flat where the codes around it differ by at most this, or by less than around the
other 60 % of pixels."""
LIGHT_STRIDE = 3
"""Every third pixel in each direction is looked at."""
UNCLIPPED_CODES = (5, 250)
LIGHT_ROUNDS, LIGHT_OUTLIER = 5, 2.5
"""Rounds of least squares, each without residuals beyond so many standard deviations."""
MAX_GAIN = 2.0
WORST_RESIDUAL = 30.0
"""A residual counts for at most so many codes: a change is not to be fitted."""
LIGHT_COST = 0.15
"""Codes by which a change of light must lower the mean residual."""
LARGE_BLOCKS = 6
"""Blocks along the short side, whose means show light at a large scale; blur hardly moves them."""
MIN_BLOCK_SHARE, MIN_BLOCKS, MIN_BLOCK_SPREAD = 0.05, 24, 2.0
"""Of the pixels of a block that are looked at; blocks, and codes between them (standard deviation),
that it takes to tell a gain."""
MAX_GAIN_ERROR, LARGE_SHARE = 0.05, 0.75
"""A gain that is further from 1 must be so, by this share, at the large scale as well."""


def local_range(plane: Uint8, radius: int) -> Uint8:
    """Largest less smallest code within a radius of each pixel."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.subtract(cv2.dilate(plane, disc), cv2.erode(plane, disc)))


def flat_pixels(test: Uint8, ref: Uint8) -> Mask:
    """Where both planes are flat: pixels at edges say more about shifts than about light."""
    spread = cv2.max(local_range(test, FLAT_RADIUS), local_range(ref, FLAT_RADIUS))
    typical = np.quantile(spread[::LIGHT_STRIDE, ::LIGHT_STRIDE], FLAT_SHARE)
    return np.asarray(spread <= max(FLAT_RANGE, typical))


def fit_light(
    test: Uint8,
    ref: Uint8,
    among: Mask,
    shown: Mask | None = None,
    *,
    wide: bool | None = None,
    origin: int = 0,
) -> Light:
    """The light of a test plane from that of the reference.

    Of four candidates (none; an offset; gain and offset by robust least squares over all pixels,
    and over those that are not clipped) the one that leaves the least mean residual over all:
    neither suits both photos with white skies and scans that are black and white. A gain must leave
    less than one code for the whole test plane does: between unrelated planes least squares shrink
    the contrast towards that code (regression to the mean), which is no light. And it must hold at
    a large scale too: blur and ghosts lower the contrast of details, light lowers that of the
    scene. Where only a few things are lit, on black, a fit to these could explain whatever one of
    them does: the gain is then one that nearly all of them agree on, or there is none.

    Args:
        test: (H, W) codes.
        ref: (H, W) codes.
        among: (H, W) pixels to look at, every third in each direction.
        shown: (H, W) pixels whose means are looked at at the large scale, which are not only flat
            ones; None: all.
        wide: whether what is lit is spread over the frame; None: as these planes, of luma, show.
        origin: the code that no gain changes: 0 of luma, 128 of Cr and Cb.
    """
    pick = np.s_[::LIGHT_STRIDE, ::LIGHT_STRIDE]
    taken = among[pick]
    counts = np.bincount(ref[pick][taken] * np.int64(256) + test[pick][taken], minlength=65536)
    cells = np.flatnonzero(counts)
    if not len(cells):
        return Light()
    joint = _Joint(cells // 256, cells % 256, counts[cells])
    if wide is None:
        wide = lit_widely(test, ref, np.ones(test.shape, bool) if shown is None else shown)
    if wide:
        gains = _gains(joint, _large_gain(test, ref, shown))
    else:
        agreed = agreed_gain(test[pick], ref[pick], taken, origin=origin)
        gains = [] if agreed is None else [agreed]
    candidates = [
        Light(),
        Light(1.0, joint.median(joint.test - joint.ref)),
        *gains,
    ]
    costs = [joint.cost(light) + LIGHT_COST * (light != Light()) for light in candidates]
    return candidates[int(np.argmin(costs))]


def relit(plane: Uint8, light: Light) -> Uint8:
    """A plane under another light, rounded and clipped."""
    if light == Light():
        return plane
    table = np.clip(np.rint(np.arange(256) * light.gain + light.offset), 0, 255)
    return np.asarray(cv2.LUT(plane, table.astype(np.uint8)))


@dataclass(frozen=True, eq=False)
class _Joint:
    """How often each pair of codes occurs."""

    ref: Float64 | Int64
    test: Float64 | Int64
    count: Int64

    def cost(self, light: Light) -> float:
        fitted = np.clip(self.ref * light.gain + light.offset, 0, 255)
        residual = np.minimum(np.abs(fitted - self.test), WORST_RESIDUAL)
        return float((residual * self.count).sum() / self.count.sum())

    def median(self, values: NDArray[Any]) -> float:
        order = np.argsort(values, kind="stable")
        passed = np.cumsum(self.count[order])
        return float(values[order][np.searchsorted(passed, passed[-1] / 2)])

    def where(self, keep: NDArray[np.bool_]) -> _Joint:
        return _Joint(self.ref[keep], self.test[keep], self.count[keep])

    def unclipped(self) -> _Joint:
        low, high = UNCLIPPED_CODES
        lowest, highest = np.minimum(self.ref, self.test), np.maximum(self.ref, self.test)
        return self.where((lowest >= low) & (highest <= high))


def _gains(joint: _Joint, held: float | None) -> list[Light]:
    """Gain and offset by robust least squares, where they explain something and hold at the large
    scale."""
    unexplained = joint.cost(Light(0.0, joint.median(joint.test)))
    return [
        light
        for light in (_least_squares(joint), _least_squares(joint.unclipped()))
        if _holds(light.gain, held) and joint.cost(light) + LIGHT_COST < unexplained
    ]


def _holds(gain: float, large: float | None) -> bool:
    """Whether a gain is that of the large scale too, where that can be told."""
    if large is None or abs(gain - 1) <= MAX_GAIN_ERROR:
        return True
    return (large - 1) / (gain - 1) >= LARGE_SHARE


def _large_gain(test: Uint8, ref: Uint8, shown: Mask | None) -> float | None:
    """The gain between the means of unclipped pixels in large blocks; None where these are too few
    or too alike."""
    height, width = test.shape
    side = max(1.0, min(height, width) / LARGE_BLOCKS)
    blocks = max(1, round(width / side)), max(1, round(height / side))

    def mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(plane, blocks, interpolation=cv2.INTER_AREA), np.float32)

    low, high = UNCLIPPED_CODES
    unclipped = (cv2.min(test, ref) >= low) & (cv2.max(test, ref) <= high)
    weight = (unclipped if shown is None else unclipped & shown).astype(np.float32)
    share = mean(weight)
    used = share >= MIN_BLOCK_SHARE
    if np.count_nonzero(used) < MIN_BLOCKS:
        return None
    own, there = (
        (mean(plane * weight)[used] / share[used]).astype(np.float64) for plane in (test, ref)
    )
    if min(own.std(), there.std()) < MIN_BLOCK_SPREAD:
        return None
    return _least_squares(_Joint(there, own, np.ones(len(own), np.int64))).gain


def _least_squares(joint: _Joint) -> Light:
    kept, light = joint, Light()
    for _ in range(LIGHT_ROUNDS):
        if not len(kept.ref):
            break
        light = _line(kept)
        residual = joint.test - joint.ref * light.gain - light.offset
        spread = SIGMA_OF_MAD * joint.median(np.abs(residual - joint.median(residual)))
        kept = joint.where(np.abs(residual) <= max(LIGHT_OUTLIER * spread, 1.0))
    return light


def _line(joint: _Joint) -> Light:
    total = joint.count.sum()
    x, y = (joint.ref * joint.count).sum() / total, (joint.test * joint.count).sum() / total
    variance = (joint.count * (joint.ref - x) ** 2).sum()
    slope = (joint.count * (joint.ref - x) * (joint.test - y)).sum() / variance if variance else 1.0
    gain = float(np.clip(slope, 1 / MAX_GAIN, MAX_GAIN))
    return Light(gain, float(y - gain * x))
