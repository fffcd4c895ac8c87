"""What was put where: the words of the benchmark of faults (``faults.py``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(H, W, 3) RGB."""

HALVES = ("tuning", "reported")
SEVERITIES = ("mild", "moderate", "strong")
OWN = "own"
"""The severity of what a clip has of itself."""


@dataclass(frozen=True)
class Truth:
    """A half-open range of frames where something is, in ordinals of the clip as written."""

    kind: str
    """A kind of segment."""
    start: int
    stop: int
    variant: str = ""
    """How it was made."""
    severity: str = OWN
    visible: bool = True
    """Whether something can be seen there, by the rule of ``faults_place.py``."""
    also: Sequence[str] = ()
    """Further kinds that are right."""
    lasting: bool = False
    """It begins at ``start`` and stays: a segment may end anywhere behind."""
    optional: bool = False
    """True, but nobody need say so: a consequence of another truth, or a trifle."""
    reason: str = ""

    def moved(self, first: int, last: int, count: int) -> Truth:
        """The truth after frames [first, last) before it, or in it, became ``count`` frames."""
        by = count - (last - first)
        start = self.start + by * (self.start >= last)
        behind = self.stop >= last and self.stop > first
        return replace(self, start=start, stop=self.stop + by * behind)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "also": list(self.also)}


def truth_of(values: Mapping[str, Any]) -> Truth:
    return Truth(**{**values, "also": tuple(values["also"])})


@dataclass(frozen=True)
class Edit:
    """Frames [first, last) become ``frames``; the truths count the frames of the result."""

    first: int
    last: int
    frames: Sequence[Pixels]
    truths: Sequence[Truth]
    wait: int = 0
    """Frame times left empty in the timestamps before what follows."""


@dataclass(frozen=True)
class Shots:
    """A clip that is being made."""

    frames: list[Pixels]
    rate: float
    truths: list[Truth] = field(default_factory=list)
    waits: Mapping[int, int] = field(default_factory=dict)
    """{ordinal: empty frame times before it}"""

    def edited(self, edit: Edit) -> Shots:
        """The clip after an edit that lies before all earlier ones, or lasts to the end."""
        count = len(edit.frames)
        frames = [*self.frames[: edit.first], *edit.frames, *self.frames[edit.last :]]
        moved = [each.moved(edit.first, edit.last, count) for each in self.truths]
        by = count - (edit.last - edit.first)
        waits = {at + by * (at >= edit.last): wait for at, wait in self.waits.items()}
        if edit.wait:
            waits[edit.first + count] = edit.wait
        return replace(self, frames=frames, truths=[*moved, *edit.truths], waits=waits)

    @property
    def pts(self) -> list[int]:
        """Presentation times in frame times."""
        steps = [1 + self.waits.get(i, 0) for i in range(len(self.frames))]
        return [int(at) - steps[0] for at in np.cumsum(steps)]
