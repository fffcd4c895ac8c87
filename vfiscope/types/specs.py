"""Enumerations, specifications, and the descriptions of segments, regions and sources."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Flag, IntEnum, auto
from fractions import Fraction
from typing import NamedTuple

from vfiscope.types.notes import Note

__all__ = [
    "UNIX_EPOCH",
    "FieldSpec",
    "Gap",
    "Match",
    "MetricSpec",
    "Needs",
    "Role",
    "Segment",
    "SignalSpec",
    "SourceInfo",
    "Status",
    "Verdict",
]

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Status(IntEnum):
    """The outcome of reading a frame. A pair has the higher value of its two frames."""

    OK = 0
    UNPAIRED = 1
    """It has no partner; scores that need one are NaN."""
    CORRUPT = 2
    """The decoder reported damage; the frame was scored nevertheless."""
    UNREADABLE = 3
    """It has no pixels; it keeps its row, and every score is NaN."""


class Role(IntEnum):
    """The origin of a frame in an interpolated sequence."""

    PASSED = 0
    SYNTHESISED = 1
    UNKNOWN = 2
    HELD = 3
    """It was made between two real frames that show the same held drawing: there was nothing to
    interpolate."""


class Match(IntEnum):
    """The way in which a test frame of a :class:`Pairing` got its partner."""

    MATCHED = 0
    REPEATED = 1
    """It has the partner of the matched test frame before it."""
    UNMATCHED = 2
    """It has no partner in the reference."""


class Verdict(IntEnum):
    """The acceptance of a :class:`Registration`, or the reason for its refusal."""

    ACCEPTED = 0
    UNPAIRED = 1
    """There was nothing to register: no partner, or no pixels."""
    FEW_MATCHES = 2
    """Fewer than 12 matched points, or as few that agree."""
    FEW_INLIERS = 3
    """Less than a quarter of the matched points agree with the matrix."""
    MIRRORED = 4
    """The matrix mirrors or folds the frame."""
    SCALE = 5
    """It shrinks to less than half, or enlarges to more than double."""
    PERSPECTIVE = 6
    """Its perspective is too strong."""
    OUTSIDE = 7
    """More than half of the reference lies outside of the registered test frame."""
    UNSTEADY = 8
    """The matched points leave the corners uncertain."""
    UNLIKE = 9
    """The registered frames do not correlate, or the search found no maximum."""


class Needs(Flag):
    """The inputs of a score, map or field in addition to the pixels of the test frame."""

    NOTHING = 0
    REF = auto()
    """The partner."""
    NEIGHBOURS = auto()
    """The real frames around the test frame."""
    FEATURES = auto()
    """Embeddings of the test frame and of its other inputs."""

    @property
    def word(self) -> str:
        """The word in a stored result."""
        return NEEDS_WORDS[self]

    @classmethod
    def of_word(cls, word: str) -> Needs:
        """Parse the word in a stored result.

        Raises:
            ValueError: the word is unknown.
        """
        for needs, known in NEEDS_WORDS.items():
            if known == word:
                return needs
        raise ValueError(f"needs is {word!r}: choose from {', '.join(NEEDS_WORDS.values())}")


NEEDS_WORDS: Mapping[Needs, str] = {
    Needs.NOTHING: "test",
    Needs.REF: "pixels",
    Needs.NEIGHBOURS: "neighbours",
    Needs.REF | Needs.NEIGHBOURS: "pixels and neighbours",
    Needs.FEATURES: "test features",
    Needs.REF | Needs.FEATURES: "features",
    Needs.NEIGHBOURS | Needs.FEATURES: "neighbour features",
    Needs.REF | Needs.NEIGHBOURS | Needs.FEATURES: "features and neighbours",
}


@dataclass(frozen=True)
class MetricSpec:
    """The meaning of the numbers of a score or a map."""

    name: str
    unit: str
    """"dB", "px", or "1" for a plain ratio."""
    low: float
    high: float
    lower_is_better: bool
    identity: float
    """The value of a perfect frame, which identical frames reach exactly; NaN where the score
    measures something that identical frames lack, such as motion. If it lies inside low..high the
    score is signed: departures to both sides are bad."""
    floor: float
    """The smallest departure from a clip's own level that is worth flagging, in ``unit``."""
    description: str
    needs: Needs = Needs.REF
    ranks: bool = True
    """True if a better value means a better frame. False for one kind of fault among several, whose
    absence does not make a frame good, and for a property of the material."""


@dataclass(frozen=True)
class FieldSpec:
    """The meaning of the vectors of a field: (dx, dy) in pixels of the test frame as scored."""

    name: str
    description: str
    unit: str = "px"
    needs: Needs = Needs.REF | Needs.FEATURES


@dataclass(frozen=True)
class SignalSpec:
    """The meaning of a signal: a number per frame of which neither high nor low is better."""

    name: str
    unit: str
    """"px", "code" for 8-bit code values, or "1" for a plain ratio."""
    description: str


@dataclass(frozen=True)
class Segment:
    """A flagged half-open range of test frames, in decode ordinals."""

    start: int
    stop: int
    kind: str
    metric: str
    peak: float
    """The worst value inside, in the metric's unit."""
    peak_index: int
    confidence: float
    """0..1; 1 for a user's own rule."""
    start_time_s: float
    stop_time_s: float
    rule: str = ""
    """The user's rule as written; "" for segments that a detector found."""
    role: str = "all"
    """The role of its frames: "synthesised" or "passed" where roles are known, else "all"."""
    evidence: str = ""
    """Why it was flagged: one sentence with its numbers; "" in files that are older than it."""
    x: int = 0
    """Left edge of the box with most of what is wrong in the frame of the peak, in pixels as
    scored."""
    y: int = 0
    """Top edge of the box."""
    w: int = 0
    """Width of the box; 0 where no place is known."""
    h: int = 0
    """Height of the box; 0 where no place is known."""


class Gap(NamedTuple):
    """Image files that are missing in the numbering of a sequence."""

    row: int
    """Ordinal of the first image after the gap."""
    before: int
    """Number in the name of the last image before it."""
    after: int
    """Number in the name of that first image."""
    missing: int
    """Number of images that would fill it."""


@dataclass(frozen=True)
class SourceInfo:
    """A source as opened, before any frame is decoded. Container claims are hints."""

    path: str
    """Absolute path, glob or pattern; ``array`` for frames in memory."""
    kind: str
    """"video", "images" or "array"."""
    width: int
    height: int
    bit_depth: int
    frames_expected: int | None
    """Frames that the container or the folder claims, None where it claims nothing; before start,
    stop and step."""
    duration_s: float | None
    time_base: Fraction
    rate: Fraction | None
    """Average frames per second, for display only."""
    decoder: str
    color: Mapping[str, str]
    """matrix, range, primaries, transfer as used, and ``decided_by``: tag or assumed."""
    size_bytes: int
    files: Sequence[str] = ()
    """The image files in order, up to a stop that is an ordinal; empty for a video."""
    unread: Sequence[str] = ()
    """The image files from such a stop on, of which nothing is read."""
    damage: Sequence[Note] = ()
    """Missing or damaged parts, as found in the structure of the file."""
    notes: Sequence[Note] = ()
    """Unusual properties: gaps in the numbering, files left out."""
    times_from: str = ""
    """The origin of the times of images: "exif" or "name"; "" where they are counted."""
    gaps: Sequence[Gap] = ()
    """Gaps in the numbering of image files, up to the stop."""

    @property
    def names(self) -> tuple[str, ...]:
        """The image files in order, relative to the folder that all share."""
        if not self.files:
            return ()
        folders = {os.path.dirname(file) for file in (*self.files, *self.unread)}
        shared = os.path.commonpath(folders)
        return tuple(os.path.relpath(file, shared) for file in self.files)
