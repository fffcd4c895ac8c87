"""The words between the steps of a method: what each takes and returns.

::

    FramePair -> register -> FramePair -> difference -> Difference -> threshold, clean, weigh -> Cut
              -> propose -> Proposals -> segment -> Proposals with masks -> describe -> Regions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Answer, Box, Float32, Region, Registration, Uint8

if TYPE_CHECKING:
    from vfiscope.regions.surrounding import Surrounding

__all__ = [
    "Cut",
    "Difference",
    "Found",
    "FramePair",
    "Light",
    "Mask",
    "Method",
    "Proposal",
    "Weighed",
]

Mask = NDArray[np.bool_]
"""(H, W)"""


@dataclass(frozen=True, eq=False)
class FramePair:
    """Two frames of one size, in 8-bit code values."""

    test: Uint8
    """(H, W, 3) RGB"""
    ref: Uint8
    """(H, W, 3) RGB"""
    valid: Mask | None = None
    """(H, W): False where a registered test frame has no pixel of its own; None: True
    everywhere."""
    registration: Registration | None = None
    """How the test frame was brought onto the reference; None where it was not."""

    @classmethod
    def alone(cls, test: Uint8) -> FramePair:
        """A test frame without a reference, for methods that need none: its reference is the frame
        itself."""
        return cls(test, test)

    @property
    def is_alone(self) -> bool:
        """Whether there is no reference, so that what changed against one cannot be told."""
        return self.ref is self.test

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        return self.test.shape[0], self.test.shape[1]

    @property
    def decidable(self) -> Mask:
        """(H, W) pixels that both frames show."""
        return np.ones(self.size, bool) if self.valid is None else self.valid


@dataclass(frozen=True)
class Light:
    """The light of the test frame from that of the reference: test = gain * ref + offset, in 8-bit
    luma."""

    gain: float = 1.0
    offset: float = 0.0
    colour: float = 1.0
    """Strength of colours in the test frame over that in the reference under this gain; 0: colour
    was lost, infinite: it was added."""


@dataclass(frozen=True, eq=False)
class Difference:
    """A difference map with its scale."""

    values: Float32
    """(H, W), 0 where nothing differs."""
    unit: str
    """Of the values and of every threshold on them: "ratio" (to the threshold of each pixel), "code
    values", "1 - SSIM", "cosine distance", ..."""
    valid: Mask
    """(H, W) pixels for which it can be told whether they differ."""
    cells: Float32 | None = None
    """(h, w) values before they were brought to the size of the frame, where they were found on a
    coarser grid that covers it."""
    layers: Float32 | Uint8 | None = None
    """(K, H, W) maps that the values were made from, for thresholds that look at each."""
    rim: Mask | None = None
    """(H, W) pixels that belong to a changed area which touches them, though their own value says
    nothing; None where the map has no such pixels."""
    reach: int = 0
    """Pixels beside the mask that a tolerance of shifts may have eaten of a change: how far a
    changed area extends over its rim."""
    bridge: Mask | None = None
    """(H, W) pixels over which large enough parts are one changed area, though nothing differs
    there; None where there are none."""
    light: Light = field(default_factory=Light)
    """The light that was fitted out."""
    colours: tuple[Light, Light] | None = None
    """That of Cr and Cb by themselves, in codes of which 128 is grey, as warmer light moves these;
    None where the light of luma was that of R, G and B alike."""
    flow: Float32 | None = None
    """(2, H, W) local shift (dx, dy) in pixels that was fitted out; None where none was."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A threshold, and what lies above it."""

    level: float
    """In the unit of the map; infinite where nothing changed."""
    mask: Mask
    """(H, W)"""


@dataclass(frozen=True, eq=False)
class Proposal:
    """An area that may be a region."""

    box: Box
    """Its extent."""
    context: Box | None = None
    """The box to be reported, as an annotator would draw it; None: the extent."""
    mask: Mask | None = None
    """(box.h, box.w) pixels inside the extent; None until a segment step finds them."""
    point: tuple[int, int] | None = None
    """(x, y) of a peak, where that is what was found."""
    mask_by: str = "map"
    """As :attr:`~vfiscope.types.Region.mask_by`."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """The difference that a moving camera does not explain."""

    difference: Difference
    cut: Cut
    evidence: float = math.nan
    """As :attr:`~vfiscope.types.Answer.evidence`; NaN where the camera did not move."""
    by_colour: bool = False
    """Whether the difference is one of colours alone, in the place of that of the method."""


@dataclass(frozen=True)
class Method:
    """The steps of a method. Each is one function; a step that can be left out is None."""

    difference: Callable[[FramePair], Difference]
    threshold: Callable[[Difference], Cut]
    propose: Callable[[Difference, Cut], Sequence[Proposal]]
    describe: Callable[[FramePair, Difference, Cut, Proposal], Region]
    """A region of frame 0; the caller sets ``frame``."""
    register: Callable[[FramePair], FramePair] | None = None
    clean: Callable[[Mask], Mask] | None = None
    """Of the mask above the threshold."""
    segment: (
        Callable[[FramePair, Difference, Cut, Sequence[Proposal]], Sequence[Proposal]] | None
    ) = None
    """Gives every proposal a mask, in the same order; None: that of the map."""
    weigh: Callable[[FramePair, Difference, Cut], Weighed] | None = None
    """Puts another difference in the place of one that a moving camera explains; None: the
    difference stays."""
    keeps_order: bool = False
    """True where the order of the regions is published; else a run holds the most severe first."""
    between: Callable[[Difference, Surrounding], Difference] | None = None
    """Adds what is wrong with a frame between two real ones though each of its pixels may be near
    to one of them. Takes what differs from all that it may show; None: nothing."""
    silent_in_doubt: bool = False
    """Whether a pair of which nothing can be told has no regions; else they mark where it differs.
    """
    needs_reference: bool = True
    """False where the difference is that from normal frames: a reference is only described with,
    and a test frame without one is looked at too."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found in a pair of frames."""

    regions: Sequence[Region]
    answer: Answer
    pair: FramePair
    """As it was compared: after registration."""
    difference: Difference
    cut: Cut
