"""The answer for a pair of frames as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfiscope.pixels import luma_bytes
from vfiscope.regions.answer_caption import answer_caption, colour_words, light_words, move_words
from vfiscope.regions.one_colour import of_one_colour
from vfiscope.regions.steps import FramePair, Light, Weighed
from vfiscope.regions.viewpoint.camera_move import CameraMove, camera_move
from vfiscope.types import Answer, Region, Verdict

__all__ = ["answer_of", "doubt_of"]

MAX_TOLD_SHARE = 0.5
"""Of the decidable pixels: where more differ there is no scene left to compare things within."""
MIN_LIGHT_CODES = 1.5
"""Change of the mean luma from which the light changed, in 8-bit code values."""
MIN_LIGHT_PIXELS = 256
"""Light is fitted on every third pixel in each direction: on fewer than 30 of these."""


def answer_of(
    pair: FramePair,
    weighed: Weighed,
    regions: Sequence[Region],
    *,
    area: float,
    count: int,
    doubt: str,
) -> Answer:
    """The answer for a pair, of frame 0, by the first rule that fits.

    1. *undecided*: there is a doubt (see :func:`doubt_of`); or of fewer than 256 pixels some
       differ, though no region does, which a change of these may be as well as light or noise.
    2. *changed*: there are regions.
    3. *moved*: a corner of the view lies 0.75 px or more elsewhere, by the registration, or by
       the local shifts where at least 60 % of them agree.
    4. *light*: the light that was fitted changes the luma of the reference by 1.5 code values or
       more in the mean of all pixels, or all colours became weaker by a quarter, or stronger by a
       third.
    5. *same*.

    Args:
        pair: as compared, after registration.
        weighed: the difference, with the light and the local shift that were fitted out, and the
            threshold.
        regions: what was found.
        area: part of the frame that they cover, 0..1.
        count: how many there were, where only the most important are kept.
        doubt: why nothing can be told; empty where it can.
    """
    difference, cut = weighed.difference, weighed.cut
    move, light, found = camera_move(pair, difference), difference.light, pair.registration
    reasons = [move_words(move)] if move.moved else []
    mean, rise = _light_at_work(light, pair)
    if rise >= MIN_LIGHT_CODES:
        reasons.append(light_words(light, mean))
    if light.colour != 1:
        reasons.append(colour_words(light.colour))
    answer = _word(doubt, regions, move, reasons)
    few = pair.test[..., 0].size < MIN_LIGHT_PIXELS
    if few and answer in ("light", "same") and not np.array_equal(pair.test, pair.ref):
        answer, doubt = "undecided", _too_small(pair)
    return Answer(
        frame=0,
        answer=answer,
        regions=count,
        changed_area=area,
        unit=difference.unit,
        level=cut.level,
        caption=answer_caption(
            answer,
            count,
            area,
            [doubt] if doubt else reasons,
            by_colour=weighed.by_colour,
        ),
        gain=light.gain,
        offset=light.offset,
        registration=found.method if found is not None and found.accepted else "none",
        shift_x=move.shift_x,
        shift_y=move.shift_y,
        rotation=move.rotation,
        zoom=move.zoom,
        evidence=weighed.evidence,
    )


def _word(doubt: str, regions: Sequence[Region], move: CameraMove, reasons: Sequence[str]) -> str:
    if doubt:
        return "undecided"
    if regions:
        return "changed"
    if move.moved:
        return "moved"
    return "light" if reasons else "same"


def doubt_of(pair: FramePair, weighed: Weighed) -> str:
    """Why nothing can be told of a pair; empty where it can.

    No pixel is shown by both frames; one is of one colour; they are unlike and no registration
    could be trusted; or more than half of the pixels that can differ do.
    """
    valid = weighed.difference.valid
    decidable = int(np.count_nonzero(valid))
    if not decidable:
        return "no pixel is shown by both frames"
    if nothing := of_one_colour(pair):
        return nothing
    found = pair.registration
    if found is not None and (found.method, found.verdict) == ("none", Verdict.UNLIKE):
        return found.reason
    share = np.count_nonzero(weighed.cut.mask & valid) / decidable
    if share <= MAX_TOLD_SHARE:
        return ""
    return f"{100 * share:.0f} % of the pixels differ, so that the frames may show other scenes"


def _too_small(pair: FramePair) -> str:
    height, width = pair.size
    return f"{width}x{height} pixels are too few to tell a change from light"


def _light_at_work(light: Light, pair: FramePair) -> tuple[float, float]:
    """The mean luma of the reference, and by how much the light changes its pixels in the mean."""
    if light == Light():
        return 0.0, 0.0
    counts = np.bincount(luma_bytes(pair.ref).ravel(), minlength=256)
    share, codes = counts / counts.sum(), np.arange(256)
    rise = np.abs(codes * (light.gain - 1) + light.offset)
    return float(share @ codes), float(share @ rise)
