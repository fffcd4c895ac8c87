"""What a low-rank model of normal frames cannot reproduce."""

from __future__ import annotations

from vfiscope.regions.low_rank_model import LowRankModel
from vfiscope.regions.patch_features import filled, spread
from vfiscope.regions.steps import Difference, FramePair

__all__ = ["reconstruction_error"]


def reconstruction_error(pair: FramePair, *, model: LowRankModel) -> Difference:
    """How far each place of the test frame lies from what the model makes of the frame, in standard
    deviations of normal frames at that place; 0 and up.

    Args:
        pair: the frames; of the reference only what the test frame does not show.
        model: of normal frames of the same shape.
    """
    test = filled(pair)
    errors, light = model.errors(test)
    return Difference(
        spread(errors, pair.size), "standard deviations", pair.decidable, cells=errors, light=light
    )
