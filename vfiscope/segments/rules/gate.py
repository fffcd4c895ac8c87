"""Gates over the segments of a run: whether there are any of a kind, and how many.

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
from vfiscope.types import FrameTable, Segment, counted
from vfiscope.types.segment_kinds import is_fault

__all__ = ["ANY", "ANY_FAULT", "COUNT", "Gate"]

ANY, COUNT = "any", "count"
ANY_FAULT = "fault"
"""Instead of a kind: all that are no information."""


@dataclass(frozen=True)
class Gate:
    """One parsed gate. ``str(gate)`` is its normal form and parses to an equal gate."""

    asks: str
    """ANY or COUNT."""
    kind: str
    """Of segments, or ANY_FAULT."""
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
        raise UsageError(
            f"rule {self.text!r} is about segments and marks no frames: use it with --fail-on"
        )

    def check_kind(self, known: Sequence[str]) -> None:
        """Raise UsageError if no detector flags such segments, so that it could never be met."""
        if self.kind not in (*known, ANY_FAULT):
            raise UsageError(
                f"rule {self.text!r}: no kind {self.kind!r} of segments:"
                f" {suggest(self.kind, [ANY_FAULT, *known])}"
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
