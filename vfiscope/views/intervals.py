"""How far a mean over frames can be trusted: the circular block bootstrap.

Neighbouring frames are alike, so the frames of a clip are fewer witnesses than their number says,
and an interval that draws them one by one is too narrow. Here whole stretches of neighbours are
drawn, from the clip closed to a circle (Politis and Romano, A circular block-resampling procedure
for stationary data, in LePage and Billard, Exploring the limits of bootstrap, 1992). So every frame
is drawn as often as any other, and the draws lie around the mean itself: blocks that end with the
clip would rarely hold its first and last frames.

- **Length of a block**: an eighth of the clip. Lengths that fit the clip's own autocorrelation, or
  grow as N^(1/3), come out too short in clips of tens of frames, and so do their intervals. A fixed
  number of blocks is right for any dependence that dies out within a block (Ibragimov and Müller,
  t-statistic based correlation and heterogeneity robust inference, Journal of Business and Economic
  Statistics 28, 2010), and costs a quarter of width where there is none. Where neighbours are so
  alike that a clip holds only a few independent moments, every interval from the clip alone is too
  narrow, this one too.
- **Few blocks**: percentiles of few independent values lie too near. They are taken farther out, to
  where the normal distribution has what the t distribution has for so many blocks (the expanded
  percentiles of Hesterberg, What teachers should know about the bootstrap, American Statistician
  69, 2015).
- **Several scenes** are independent of each other. Of eight scenes or more whole scenes are drawn,
  so that the interval also holds for other scenes of their kind. Of fewer blocks are drawn within
  each.

Fewer than eight scenes of which one has fewer than eight frames tell too little: there is no
interval. The draws begin from a fixed seed, so the same values always have the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from vfiscope.types import Float64

__all__ = [
    "DRAWS",
    "FEWEST",
    "INTERVAL_CONFIDENCE",
    "block_length",
    "draws",
    "interval",
]

INTERVAL_CONFIDENCE = 0.95
FEWEST = 8
"""Frames of a scene from which on blocks are drawn within it, and scenes from which on whole scenes
are drawn."""
BLOCKS = 8
"""Blocks in a scene."""
DRAWS = 9999
DRAWS_AT_ONCE = 500
"""Draws made together, which bounds the memory."""
SEED = 1992


class Interval(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


def interval(scenes: Sequence[Float64]) -> Interval | None:
    """The 95 % interval of the mean of all values.

    Args:
        scenes: one array (N_i,) for each scene, in the order of its frames, all finite.

    Returns:
        The interval; None where there are fewer than eight scenes, and one of them has fewer than
        eight values.
    """
    scenes = [np.asarray(scene, np.float64) for scene in scenes if len(scene)]
    unit = draws([len(scene) for scene in scenes])
    if unit is None:
        return None
    generator = np.random.default_rng(SEED)
    if unit == "scenes":
        means = _draw_scenes(scenes, generator)
        tail = _tail(len(scenes), len(scenes) - 1)
    else:
        means = _draw_blocks(scenes, generator)
        blocks = sum(len(scene) / block_length(len(scene)) for scene in scenes)
        tail = _tail(blocks, max(blocks - len(scenes), 1.0))
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def draws(sizes: Sequence[int]) -> Literal["scenes", "blocks"] | None:
    """What is drawn from scenes of these lengths, all above 0: whole scenes, or blocks within each;
    None where there are too few of both."""
    if len(sizes) >= FEWEST:
        return "scenes"
    return "blocks" if sizes and min(sizes) >= FEWEST else None


def block_length(frames: int) -> int:
    """Frames per block in a scene of this length."""
    return max(1, math.ceil(frames / BLOCKS))


def _tail(units: float, freedom: float) -> float:
    """Fraction of the draws beyond each end of the interval, by the number of units drawn and the
    degrees of freedom."""
    from scipy.stats import t  # slow to import, and help does not need it

    return NormalDist().cdf(
        -math.sqrt(units / freedom) * float(t.ppf((1 + INTERVAL_CONFIDENCE) / 2, freedom))
    )


def _draw_scenes(scenes: Sequence[Float64], generator: np.random.Generator) -> Float64:
    """(DRAWS,) means over as many scenes, drawn whole with replacement."""
    sums, sizes = (
        np.array([scene.sum() for scene in scenes]),
        np.array([len(scene) for scene in scenes]),
    )
    means = np.empty(DRAWS)
    for first in range(0, DRAWS, DRAWS_AT_ONCE):
        rows = slice(first, min(first + DRAWS_AT_ONCE, DRAWS))
        picked = generator.integers(len(scenes), size=(len(means[rows]), len(scenes)))
        means[rows] = sums[picked].sum(axis=1) / sizes[picked].sum(axis=1)
    return means


def _draw_blocks(scenes: Sequence[Float64], generator: np.random.Generator) -> Float64:
    """(DRAWS,) means over as many frames of each scene, put together of circular blocks; the last
    is cut."""
    total = np.zeros(DRAWS)
    for scene in scenes:
        length = block_length(len(scene))
        sums = np.r_[0.0, np.cumsum(np.r_[scene, scene[:length]])]
        whole, rest = divmod(len(scene), length)
        for size in [length] * whole + [rest] * (rest > 0):
            starts = generator.integers(len(scene), size=DRAWS)
            total += sums[starts + size] - sums[starts]
    return total / sum(map(len, scenes))
