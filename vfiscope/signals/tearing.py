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
    return _best_split(frame, own[0], earlier)


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
    usual = np.empty(len(own))
    medians(np.array(earlier), usual)
    count, least = len(own), max(2, math.ceil(MIN_TORN_SHARE * len(own)))
    if np.count_nonzero(usual >= MIN_BAND_CODES) < 2 * least:
        return None
    changes = np.array([own, *(_band_change(frame.small, each) for each in frame.past[1:])])
    contrast, side, at, lag, ratio, jump = best_split(changes, usual, least)
    return Tear(
        contrast,
        (at + 1) / count - side,
        float(lag + 1),
        abs(ratio),
        (jump + 1) / count - (ratio <= 0),
    )


@compiled()
def medians(rows: Any, made: Any) -> None:
    """Fill (B,) with the medians of the columns of (R, B) float64, which are put in order."""
    count = rows.shape[0]
    for j in range(rows.shape[1]):
        for last in range(1, count):
            value, at = rows[last, j], last
            while at > 0 and rows[at - 1, j] > value:
                rows[at, j] = rows[at - 1, j]
                at -= 1
            rows[at, j] = value
        made[j] = (rows[count // 2, j] + rows[(count - 1) // 2, j]) / 2


@compiled()
def best_split(changes: Any, usual: Any, least: int) -> tuple[float, int, int, int, float, int]:
    """The split of (K, B) float64 changes of bands that leaves ``least`` of the bands that tell on
    both sides, and whose sides differ most in terms of their usual change (B,): the contrast, the
    side that shows another instant (0 above, 1 below), the last band above, the number of the lag;
    and the same of the one whose sides go least alike: the logarithm of their ratio, the last band
    above."""
    bands = np.flatnonzero(usual >= MIN_BAND_CODES)
    count, best, contrast, side, at, lag = len(bands), -np.inf, 0.0, 0, 0, 0
    steepest, ratio, jump = -np.inf, 0.0, 0
    step, goes_on = np.empty((2, count))
    for k in range(changes.shape[0]):
        for j in range(count):
            step[j] = min(changes[k, bands[j]] / usual[bands[j]], MOST_CHANGE)
            # What repeats the same earlier frame does not go on, although it is unlike the last.
            goes_on[j] = min(changes[0, bands[j]] / usual[bands[j]], step[j])
        whole, whole_on, above, above_on = step.sum(), goes_on.sum(), 0.0, 0.0
        for j in range(count - least):
            above += step[j]
            above_on += goes_on[j]
            if j < least - 1:
                continue
            over, under = above / (j + 1), (whole - above) / (count - j - 1)
            over_on, under_on = above_on / (j + 1), (whole_on - above_on) / (count - j - 1)
            # As for a change point: a few bands differ by chance, many do not.
            weight = math.sqrt((j + 1) / count * (1 - (j + 1) / count))
            for way, apart in ((0, under_on - over), (1, over_on - under)):
                if apart * weight > best:
                    best, contrast, side, at, lag = apart * weight, apart, way, bands[j], k
            log = math.log((over + MIN_RATIO) / (under + MIN_RATIO))
            if k == 0 and abs(log) * weight > steepest:
                steepest, ratio, jump = abs(log) * weight, log, bands[j]
    return contrast, side, at, lag, ratio, jump


def _band_change(a: Uint8, b: Uint8) -> Float64:
    """(bands,) mean absolute difference in bands of rows."""
    made = np.empty(max(1, len(a) // BAND_PX))
    band_sums(a, b, made)
    made /= a.shape[1] * BAND_PX
    return made


@compiled(REORDERED)
def band_sums(a: Any, b: Any, sums: Any) -> None:
    """Fill (bands,) float64 with the sums of absolute differences of (H, W) uint8 in bands of rows;
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
