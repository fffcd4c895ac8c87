"""Tearing: a part of the frame, from its top or its bottom on, that shows another instant."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import REORDERED, compiled
from vfiscope.signals.signal import PAST_ROWS, Sight, Signal, SignalFrame, part_of
from vfiscope.types import Float64, SignalSpec, Uint8

__all__ = ["TEARING", "Tear", "tear"]

BAND_PX = 8
"""Height of a band of rows of the small frame."""
MIN_BAND_CODES = 1.0
"""Usual change of a band from frame to frame, in code values, below which it tells nothing."""
MIN_TORN_SHARE = 0.1
"""Least part of the bands that tell, on both sides of a tear."""
MIN_RATIO = 0.1
"""Added to both sides of a ratio: no change at all is as good as a tenth of the usual."""
MOST_CHANGE = 2.0
"""Change in terms of the usual beyond which more does not count."""


class Tear(NamedTuple):
    """The split of a frame that looks most like a tear."""

    contrast: float
    """How much less one side differs from an earlier frame than the other from the frame before,
    both in terms of their usual change: about 1 for a tear, 0 and below for a whole frame."""
    share: float
    """Part of the frame, 0..1, that shows the earlier instant; negative where it lies at the
    bottom."""
    lag: float
    """How many frames ago it was shown."""
    jump: float
    """Logarithm of the factor by which the change of one side exceeds that of the other, in terms
    of the usual: where a tear begins or ends, one side goes further than the other."""
    jump_share: float
    """Part of the frame that changed more; negative where it lies at the bottom."""


def tear(frame: SignalFrame) -> Tear | None:
    """The best split of the frame at a row; None where too few bands move to tell.

    E_k is the mean absolute difference of luma to the frame k rows before, in bands of 8 rows of
    the frame scaled down to at most 480 px of width, for k of 1 to 6. The usual change of a band is
    the median of its E_1 in the frames before. Frames that a display or a decoder tore repeat an
    instant in one part: its E_k is near 0 while the other part goes on.
    """
    own, earlier = _steps(frame), _steps_before(frame)
    if not own or not earlier:
        return None
    return frame.share("tear", lambda: _best_split(frame, own[0], earlier))


def _steps(frame: SignalFrame) -> tuple[Float64, ...]:
    """E_1 of the frame and of those before it, the latest first, as far back as its past goes."""
    past = frame.past
    if not past:
        return frame.share("band_steps", tuple)
    earlier = _steps_before(frame)
    return frame.share("band_steps", lambda: (_band_change(frame.small, past[0]), *earlier))


def _steps_before(frame: SignalFrame) -> tuple[Float64, ...]:
    """Of the frames before it."""
    known: tuple[Float64, ...] = () if frame.before is None else frame.before.shared["band_steps"]
    return known[: PAST_ROWS - 1]


def _best_split(frame: SignalFrame, own: Float64, earlier: tuple[Float64, ...]) -> Tear | None:
    usual = np.median(earlier, axis=0)
    telling = usual >= MIN_BAND_CODES
    bands = np.flatnonzero(telling)
    least = max(2, math.ceil(MIN_TORN_SHARE * len(usual)))
    if len(bands) < 2 * least:
        return None
    further = [_band_change(frame.small, each) for each in frame.past[1:]]
    changes = np.stack([own, *further])
    changes = np.minimum(changes[:, bands] / usual[bands], MOST_CHANGE)
    splits = slice(least - 1, len(bands) - least)
    above, below = (each[:, splits] for each in _means_of_sides(changes))
    # What repeats the same earlier frame does not go on, although it is unlike the last one.
    on_above, on_below = (
        each[:, splits] for each in _means_of_sides(np.minimum(changes[:1], changes))
    )
    contrasts = np.stack([on_below - above, on_above - below])  # (side, lag, split)
    part = np.arange(least, len(bands) - least + 1) / len(bands)
    # As for a change point: a few bands differ by chance, many do not.
    weight = np.sqrt(part * (1 - part))
    side, lag, at = np.unravel_index((contrasts * weight).argmax(), contrasts.shape)
    ratios = np.log((above[0] + MIN_RATIO) / (below[0] + MIN_RATIO))
    jump = int((np.abs(ratios) * weight).argmax())
    heights = (bands[splits] + 1) / len(usual)
    return Tear(
        float(contrasts[side, lag, at]),
        float(heights[at] if side == 0 else heights[at] - 1),
        float(lag + 1),
        float(abs(ratios[jump])),
        float(heights[jump] if ratios[jump] > 0 else heights[jump] - 1),
    )


def _means_of_sides(changes: Float64) -> tuple[Float64, Float64]:
    """(K, B) changes -> (K, B - 1) means of the first 1 .. B - 1 bands, and of the others."""
    sums = changes.cumsum(axis=1)
    count = np.arange(1, changes.shape[1])
    above = sums[:, :-1] / count
    below = (sums[:, -1:] - sums[:, :-1]) / (changes.shape[1] - count)
    return above, below


def _band_change(a: Uint8, b: Uint8) -> Float64:
    """(bands,) mean absolute difference in bands of rows."""
    sums = np.empty(max(1, len(a) // BAND_PX), np.int64)
    band_sums(a, b, sums)
    return np.asarray(sums / (a.shape[1] * BAND_PX), np.float64)


@compiled(REORDERED)
def band_sums(a: Any, b: Any, sums: Any) -> None:
    """Fill (bands,) int64 with the sums of absolute differences of (H, W) uint8 in bands of rows;
    a lower frame is one band."""
    for band in range(sums.shape[0]):
        total = np.int32(0)
        for y in range(band * BAND_PX, min((band + 1) * BAND_PX, a.shape[0])):
            one, other = a[y], b[y]
            for x in range(one.shape[0]):
                total += np.int32(np.uint8(max(one[x], other[x]) - min(one[x], other[x])))
        sums[band] = total


TEARING = tuple(
    Signal(SignalSpec(f"tear_{name}", unit, text), part_of(tear, name), Sight.PAST, usual=True)
    for name, unit, text in (
        (
            "contrast",
            "1",
            "How much less one side of the frame differs from an earlier frame than the other side"
            " has changed.",
        ),
        (
            "share",
            "1",
            "Part of the frame that this side takes; negative where it lies at the bottom.",
        ),
        ("lag", "frames", f"How many frames ago it was shown, 1 to {PAST_ROWS}."),
        ("jump", "ln", "Logarithm of how much more one side of the frame changed than the other."),
        (
            "jump_share",
            "1",
            "Part of the frame that changed more; negative where it lies at the bottom.",
        ),
    )
)
