"""What the stage ``regions`` stores: flagged areas, the answer for each pair of frames, tracks."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["ANSWERS", "Answer", "Region", "Track"]

ANSWERS = ("same", "light", "moved", "changed", "undecided")
"""What can be said of a pair of frames in a word."""


@dataclass(frozen=True)
class Region:
    """A flagged area in one test frame. All lengths are in pixels of the frame as scored (after
    ``crop`` and ``resize``). Where the answer of the frame names a registration, the test frame was
    brought onto the reference, and all places are those of the reference."""

    frame: int
    """Decode ordinal of the test frame."""
    x: float
    """x, y, w, h: the box with context, as an annotator would draw it."""
    y: float
    w: float
    h: float
    area: float
    """Pixels of the mask."""
    score: float
    """Mean of the difference map inside the mask, in the map's unit (see :class:`Answer`)."""
    severity: int
    """1..5"""
    kind: str
    """added, missing, moved, colour, damage, scratch, spot or unknown."""
    caption: str
    """One sentence."""
    tight_x: float = 0.0
    """tight_x, tight_y, tight_w, tight_h: the extent of the mask."""
    tight_y: float = 0.0
    tight_w: float = 0.0
    tight_h: float = 0.0
    centroid_x: float = 0.0
    centroid_y: float = 0.0
    peak: float = 0.0
    """The largest value of the difference map inside the mask."""
    change: str = ""
    """brighter, darker, colour, texture_lost, texture_gained or moved; empty where not told."""
    track: int = -1
    """The track that it belongs to; -1 where it belongs to none."""
    mask: str = ""
    """The mask, coded by :func:`vfiscope.regions.masks.encode`; empty where there is none."""
    mask_by: str = "map"
    """What drew the mask: the difference map, or a network, such as "sam2:" and the first 12 digits
    of the SHA-256 of its weights."""


@dataclass(frozen=True)
class Answer:
    """What can be said of a pair of frames as a whole."""

    frame: int
    """Decode ordinal of the test frame."""
    answer: str
    """same, light, moved, changed or undecided."""
    regions: int
    """How many there are. Of more than 1000 in a frame, those that changed most are kept."""
    changed_area: float
    """Part of the frame that the masks of the kept regions cover, 0..1."""
    unit: str
    """Unit of the difference map: the unit of ``level`` and of the regions' scores and peaks."""
    level: float
    """The threshold, in this unit; infinite where it said that nothing changed."""
    caption: str
    """One sentence."""
    gain: float = 1.0
    """gain, offset: the light that was found, test = gain * ref + offset in 8-bit luma."""
    offset: float = 0.0
    registration: str = "none"
    """How the test frame was brought onto the reference: none; ecc, sift or loftr, of a run with
    ``register``; sift, or objects (by the outlines of things), of a method that registers by itself
    where it helps."""
    shift_x: float = 0.0
    """shift_x, shift_y: where the centre of the reference lies in the test frame, less its own
    place, in pixels."""
    shift_y: float = 0.0
    rotation: float = 0.0
    """Degrees, clockwise as seen."""
    zoom: float = 1.0
    """Size of things in the test frame over that in the reference."""
    evidence: float = math.nan
    """Where the camera moved: the largest colour distance (a, b of CIE Lab) between the frames
    that no displacement of up to 5 % of the width explains. NaN where it was not needed."""


@dataclass(frozen=True)
class Track:
    """One thing that is flagged in several frames."""

    track: int
    first_frame: int
    """Decode ordinal."""
    last_frame: int
    """Decode ordinal, inclusive."""
    regions: int
    kind: str
    """The commonest kind of its regions."""
