"""The answer for a pair of frames as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vfiscope.regions.steps import Cut, Difference, FramePair
from vfiscope.types import Answer, Region

__all__ = ["answer_of"]


def answer_of(
    pair: FramePair,
    difference: Difference,
    cut: Cut,
    regions: Sequence[Region],
    *,
    evidence: float = math.nan,
) -> Answer:
    """The answer for a pair, of frame 0."""
    area = sum(region.area for region in regions) / max(1, pair.size[0] * pair.size[1])
    return Answer(
        frame=0,
        answer="changed" if regions else "same",
        regions=len(regions),
        changed_area=area,
        unit=difference.unit,
        level=cut.level,
        caption="",
        gain=difference.light.gain,
        offset=difference.light.offset,
        registration="none" if pair.registration is None else pair.registration.method,
        evidence=evidence,
    )
