"""Frames of a stored run that were read again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vfiscope.types.tables import Registration

__all__ = ["ComparedFrames", "Fetch", "FetchedFrame"]


@dataclass(frozen=True, eq=False)
class FetchedFrame:
    """One frame, ready to be shown."""

    role: str
    """Of the input that it is from: test, ref, source or golden."""
    index: int
    """Its decode ordinal there."""
    name: str
    """File name: of an image relative to the common folder, or of the video."""
    path: str
    """Of the image or the video."""
    is_video: bool
    pixels: NDArray[np.uint8] | None
    """(H, W, 3) RGB, reduced to 8 bits; None where it cannot be read."""


@dataclass(frozen=True, eq=False)
class ComparedFrames:
    """A test frame and what it was compared with."""

    row: int
    test: FetchedFrame
    """As it was scored: registered if the run registers."""
    partner: FetchedFrame | None
    before: FetchedFrame | None
    """The real frame before it, where it was scored between two and so has no partner."""
    after: FetchedFrame | None
    seen: NDArray[np.bool_] | None = None
    """(H, W) pixels of the partner that a registered test frame shows; None where it was not
    registered."""
    registration: Registration | None = None
    """How the run brought the test frame onto its partner; None where it did not."""
    phase: float = math.nan
    """The instant of the test frame between ``before`` and ``after``, 0..1; NaN where it is not
    known."""


Fetch = Callable[[Sequence[int]], Iterator[ComparedFrames]]
"""Reads rows of a run again, one by one in this order."""
