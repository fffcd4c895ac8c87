"""Gates over the segments of a run: whether there are any of a kind, and how many; and the same
over its answers and regions.

Segments of frames that were passed through or held are left out, as from the headline numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.registry import suggest
from vfiscope.segments.rules.rule import OPERATORS, SLACK_S, length_words
from vfiscope.segments.rules.value import plain
from vfiscope.store import rows_of
from vfiscope.types import Answer, FrameTable, Segment, counted
from vfiscope.types.regions import ANSWERS
from vfiscope.types.segment_kinds import is_fault

__all__ = ["ANY", "ANY_FAULT", "ANY_REGION", "COUNT", "Gate"]

ANY, COUNT = "any", "count"
ANY_FAULT = "fault"
"""Instead of a kind: all that are no information."""
ANY_REGION = "regions"
"""Instead of a kind: regions, of whatever kind."""


@dataclass(frozen=True)
class Gate:
    """One parsed gate. ``str(gate)`` is its normal form and parses to an equal gate."""

    asks: str
    """ANY or COUNT."""
    kind: str
    """Of segments, or ANY_FAULT; an answer for a pair of frames, or ANY_REGION."""
    op: str = ""
    value: float = 0.0
    """A count is compared with it."""
    frames: int = 1
    """Of ANY, the least frames of a segment."""
    seconds: float = 0.0
    """Of ANY, the least duration of a segment."""
    text: str = field(default="", compare=False)
    """As the user wrote it."""

    def __str__(self) -> str:
        compared = f" {self.op} {plain(self.value)}" if self.op else ""
        return f"{self.asks}({self.kind}){compared}{length_words(self.frames, self.seconds)}"

    def check_marks_frames(self) -> NoReturn:
        """Raise UsageError, as a gate marks no frames."""
        about = "what changed" if self.about_changes else "segments"
        raise UsageError(
            f"rule {self.text!r} is about {about} and marks no frames: use it with --fail-on"
        )

    @property
    def about_changes(self) -> bool:
        """True if it is about answers or regions, and not about segments."""
        return self.kind in (*ANSWERS, ANY_REGION)

    def check_sought(self, sought: bool, remedy: str) -> None:
        """Raise UsageError if it is about what changed, and that is not sought.

        Args:
            sought: whether regions are sought in the run.
            remedy: what to do.
        """
        if self.about_changes and not sought:
            raise UsageError(
                f"rule {self.text!r} is about what changed, and no regions are sought: {remedy}"
            )

    def check_kind(self, known: Sequence[str]) -> None:
        """Raise UsageError if no detector flags such segments, so that it could never be met."""
        if self.kind not in (*known, ANY_FAULT) and not self.about_changes:
            raise UsageError(
                f"rule {self.text!r}: no kind {self.kind!r} of segments:"
                f" {suggest(self.kind, [ANY_FAULT, *known, *ANSWERS, ANY_REGION])}"
            )

    def failure(self, frames: FrameTable, segments: Sequence[Segment]) -> str | None:
        """A text that says by which segments the gate is met, or None if it is not.

        Args:
            frames: one row per test frame.
            segments: all of the run.
        """
        met = [each for each in segments if self._is_about(each) and self._lasts(frames, each)]
        first = f", the first {met[0].kind} in [{met[0].start}, {met[0].stop})" if met else ""
        if self.asks == ANY:
            return f"{counted(len(met), 'segment')}{first}" if met else None
        if not OPERATORS[self.op](len(met), self.value):
            return None
        return f"{COUNT}({self.kind}) = {len(met)}{first}"

    def failure_of_changes(self, answers: Sequence[Answer]) -> str | None:
        """The same of a gate about what changed.

        Args:
            answers: for each pair of frames that was looked at.
        """
        regions = self.kind == ANY_REGION
        met = [each for each in answers if (each.regions if regions else each.answer == self.kind)]
        number = sum(each.regions for each in met) if regions else len(met)
        where = f", the first in frame {met[0].frame}" if met and len(answers) > 1 else ""
        if self.asks == COUNT:
            is_met = OPERATORS[self.op](number, self.value)
            return f"{COUNT}({self.kind}) = {number}{where}" if is_met else None
        if not met:
            return None
        among = f" of {len(answers)}" if len(answers) > 1 else ""
        what = counted(number, "region") if regions else f"{self.kind} in {len(met)}{among}"
        return f"{what}{where}" if among or regions else f"the answer is {self.kind}"

    def _is_about(self, segment: Segment) -> bool:
        about = is_fault(segment.kind) if self.kind == ANY_FAULT else segment.kind == self.kind
        return about and segment.role in ("synthesised", "all")

    def _lasts(self, frames: FrameTable, segment: Segment) -> bool:
        if segment.stop_time_s - segment.start_time_s < self.seconds - SLACK_S:
            return False
        if self.frames == 1:
            return True
        inside = (frames.index >= segment.start) & (frames.index < segment.stop)
        return int(np.sum(inside & rows_of(frames, segment.role))) >= self.frames
