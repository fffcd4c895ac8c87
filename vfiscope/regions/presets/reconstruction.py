"""``reconstruction``: what a low-rank model of normal frames cannot reproduce.

For a camera that does not move: a time-lapse, or parts that stop at one place. Light is fitted out,
and noise is below the scale of each place. A thing that moves through the frame is learned only as
far as a dozen components can tell its places.
"""

from __future__ import annotations

from functools import partial

from vfiscope.regions.describe import describe
from vfiscope.regions.difference.low_rank import reconstruction_error
from vfiscope.regions.low_rank_model import build_for
from vfiscope.regions.propose.components import components
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Method
from vfiscope.regions.threshold import fixed

__all__ = ["make"]


def make(settings: Settings) -> Method:
    """The method ``reconstruction``."""
    model = build_for(settings.normal)
    return Method(
        difference=partial(reconstruction_error, model=model),
        threshold=partial(fixed, level=model.level(settings.sensitivity)),
        propose=components,
        describe=describe,
        needs_reference=False,
    )
