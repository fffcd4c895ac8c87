"""Seconds of work, as they are added up."""

from __future__ import annotations

import time
from dataclasses import dataclass

__all__ = ["COMPILE", "Times", "thread_times"]

COMPILE = "compile"
"""The stage of compiling and loading loops, whichever stage called them: it happens once in a
process, however many frames there are."""


@dataclass(frozen=True)
class Times:
    """Seconds of work."""

    processor: float = 0.0
    wall: float = 0.0
    """Waiting included. What different threads do may happen at the same time."""

    def __add__(self, other: Times) -> Times:
        return Times(self.processor + other.processor, self.wall + other.wall)

    def __sub__(self, other: Times) -> Times:
        """Never less than 0, however the parts of a sum were rounded."""
        processor, wall = self.processor - other.processor, self.wall - other.wall
        return Times(max(0.0, processor), max(0.0, wall))


def thread_times(beside: float = 0.0) -> Times:
    """The clocks of the current thread, of which only differences mean something; ``beside`` are
    seconds that others have worked for it."""
    return Times(time.thread_time() + beside, time.perf_counter())
