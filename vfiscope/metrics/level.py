"""How much brighter, bluer or redder a frame is than what it is compared with.

Metrics: level_y, level_cb, level_cr.

Conventions:
    Means are over all pixels, in 8-bit code values: luma, and colour differences scaled as in
    BT.601 for the same luma weights, Cb = (B - Y) / 1.772 and Cr = (R - Y) / 1.402. All three are
    weighted sums of R, G and B, so their means are those of the means of R, G and B.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.metrics.interpolation.cut_detection import is_cut
from vfiscope.metrics.metric import Metric
from vfiscope.pixels import LUMA_WEIGHTS, eight_bit_scale
from vfiscope.types import (
    Float32,
    Float64,
    Frames,
    MetricSpec,
    Needs,
    Pairs,
    Role,
    Status,
    Uint8,
)
from vfiscope.types.batch import to_numpy

__all__ = ["METRICS"]

COMPONENTS = {"level_y": "luma", "level_cb": "Cb", "level_cr": "Cr"}


def _levels(frames: Frames) -> Float64:
    """(N, 3) mean luma, Cb and Cr of frames, NaN where a frame is unreadable."""
    means = np.array([cv2.mean(pixels)[:3] for pixels in frames.interleaved])
    means = means.reshape(-1, 3) * eight_bit_scale(frames.bit_depth)
    luma = means @ np.asarray(LUMA_WEIGHTS)
    found = np.stack([luma, (means[:, 2] - luma) / 1.772, (means[:, 0] - luma) / 1.402], axis=1)
    found[frames.status == Status.UNREADABLE] = np.nan
    return found


def _apart(pairs: Pairs) -> Float64:
    """(N, 3) levels of the test less the levels that its partner has or, without one, that the real
    frames around it predict: those of both, weighted by its phase, half each where that is unknown.

    NaN where it has neither, where the frames around it are unrelated, and for an original that is
    its own partner, because there was no source.
    """
    own = _levels(pairs.test)
    if pairs.ref is not None:
        found = own - _levels(pairs.ref)
        found[_alone(pairs.test, pairs.ref, pairs.role)] = np.nan
        return found
    if pairs.around is None:
        return np.full_like(own, np.nan)
    phase = np.full(len(own), 0.5) if pairs.phase is None else np.nan_to_num(pairs.phase, nan=0.5)
    before, after = _levels(pairs.around.before), _levels(pairs.around.after)
    found = own - (before + phase[:, np.newaxis] * (after - before))
    found[is_cut(pairs)] = np.nan
    return found


def _alone(test: Frames, ref: Frames, role: Uint8 | None) -> NDArray[np.bool_]:
    """(N,) whether an original is its own partner."""
    same = (test.index == ref.index) & (test.time_s == ref.time_s)
    equal = [
        bool(same[row]) and np.array_equal(to_numpy(test.data[row]), to_numpy(ref.data[row]))
        for row in range(len(same))
    ]
    return np.array(equal, bool) & (role == Role.PASSED if role is not None else False)


def _component(number: int) -> Callable[[Pairs], Float32]:
    def compute(pairs: Pairs) -> Float32:
        apart = pairs.share("levels", lambda: _apart(pairs))
        return np.asarray(apart[:, number], np.float32)

    return compute


METRICS = tuple(
    Metric(
        MetricSpec(
            name=name,
            unit="code",
            low=-math.inf,
            high=math.inf,
            lower_is_better=True,
            identity=0.0,
            floor=1.0,
            description=(
                f"Mean {word} less that of the partner or, without one, than the real frames around"
                " it predict."
            ),
            needs=Needs.NOTHING,
            ranks=False,
        ),
        _component(number),
    )
    for number, (name, word) in enumerate(COMPONENTS.items())
)
