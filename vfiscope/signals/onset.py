"""Onsets: content that begins at a frame and stays, where a thing appears or is gone at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import from_before, to_next
from vfiscope.signals.frame_views import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float32, SignalSpec, Uint8

__all__ = ["ONSET", "onset"]

ONSET_BLOCK_PX = 4
"""Side of the blocks, in tiny pixels."""
ONSET_SHARE = np.float32(1 / ONSET_BLOCK_PX**2)
ONSET_QUANTILE = 0.995
LEAST_OF_ONSET = 0.5
"""Blocks of at least that part of the quantile are where it is."""


class Onset(NamedTuple):
    """What begins at a frame."""

    codes: float
    """How much more it differs from the frame before than from the next one, in 8-bit code
    values."""
    x: float
    """Centre of it, as a part of the width, 0..1 from the left."""
    y: float
    """As a part of the height, 0..1 from the top."""


def onset(frame: SignalFrame) -> Onset | None:
    """Of the mean differences of luma in blocks of 4 x 4, between the frame before brought along
    its motion and this one, less those between this one and the next: the 99.5th percentile, and
    the centre of the blocks that reach half of it. None at the ends, and of tiny frames.

    What moves is explained by its motion, what only one frame has differs from the next one too,
    and what goes on changing does so as much on both sides; what appears, or goes and leaves the
    ground behind it to be seen, does not. Of frames scaled down to at most 240 px of width.
    """
    return frame.share("onset", lambda: _onset(frame))


def _onset(frame: SignalFrame) -> Onset | None:
    before, after = from_before(frame), to_next(frame)
    if before is None or after is None or frame.after is None:
        return None
    steps = _blocks(frame.tiny, before.luma) - _blocks(frame.after.tiny, after.luma)
    codes = ranked(steps, ONSET_QUANTILE)[0]
    weight = np.maximum(0, steps - max(0.0, LEAST_OF_ONSET * codes))
    total = float(weight.sum())
    if not total:
        return Onset(codes, np.nan, np.nan)
    y, x = ((np.arange(count) + 0.5) / count for count in weight.shape)
    across, down = (float((weight.sum(axis=k) * at).sum()) / total for k, at in ((0, x), (1, y)))
    return Onset(codes, across, down)


def _blocks(now: Uint8, carried: Float32) -> Float32:
    """(h, w) mean absolute differences of two planes in blocks of 4 x 4."""
    high, wide = (side // ONSET_BLOCK_PX for side in now.shape)
    made = np.empty((high, wide), np.float32)
    blocks_apart(now, carried, made)
    return made


@compiled()
def blocks_apart(now: Any, carried: Any, made: Any) -> None:
    """Fill (h, w) float32 with the mean absolute differences of (H, W) uint8 and float32."""
    sums = np.empty(made.shape[1] * ONSET_BLOCK_PX, np.float32)
    for i in range(made.shape[0]):
        sums[:] = 0
        for y in range(i * ONSET_BLOCK_PX, (i + 1) * ONSET_BLOCK_PX):
            here, there = now[y], carried[y]
            for x in range(sums.shape[0]):
                sums[x] += abs(np.float32(here[x]) - there[x])
        for j in range(made.shape[1]):
            k = ONSET_BLOCK_PX * j
            total = sums[k] + sums[k + 1] + (sums[k + 2] + sums[k + 3])
            made[i, j] = total * ONSET_SHARE


ONSET = tuple(
    Signal(
        SignalSpec(name, unit, text),
        part_of(onset, place),
        Sight.BEFORE | Sight.AFTER,
        usual=True,
    )
    for name, place, unit, text in (
        (
            *("onset", "codes", "code"),
            "How much more blocks differ from the frame before than from the next one: of something"
            " that appears or is gone.",
        ),
        ("onset_x", "x", "1", "Centre of these blocks from the left, as a part of the width."),
        ("onset_y", "y", "1", "Centre of these blocks from the top, as a part of the height."),
    )
)
