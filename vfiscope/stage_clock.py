"""Where the time of a run goes, stage by stage.

A stage is charged the processor time of the thread that is in it, and what the thread pool of
:mod:`vfiscope.jit` works for it; a stage that begins inside another one pauses it. Threads that
libraries start on their own, such as those of a codec, of torch or of OpenCV, are charged to no
stage. Loops are compiled, or loaded where that was done before, when they are first called; that
happens once in a process, so it is charged to a stage of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from vfiscope.jit import pool_seconds, times_made_ready
from vfiscope.types.times import COMPILE, Times, thread_times

__all__ = ["StageClock"]

T = TypeVar("T")
P = ParamSpec("P")


@dataclass
class _Open(threading.local):
    """The stage that a thread is in, what its clocks showed at its begin, and what compiling had
    taken."""

    stage: str | None = None
    began: Times = field(default_factory=Times)
    compiling: Times = field(default_factory=Times)


@dataclass
class StageClock:
    """Adds up the times of stages; a stage is in one thread at a time."""

    stages: dict[str, Times] = field(default_factory=dict)
    """In the order in which they first ended or were paused."""
    _open: _Open = field(default_factory=_Open)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wall: float = field(default_factory=time.perf_counter)
    _processor: float = field(default_factory=time.process_time)

    def timings(self, frames: int) -> dict[str, Any]:
        """The times of a run of so many frames, from when the clock was made until now, as they are
        stored; ``processor_seconds`` are those of the whole process."""
        seconds = time.perf_counter() - self._wall
        return {
            "seconds": seconds,
            "fps": frames / seconds,
            "processor_seconds": time.process_time() - self._processor,
            "frames": frames,
            "stages": {name: asdict(times) for name, times in self.stages.items()},
        }

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge what happens inside to a stage."""
        outer = self._open.stage
        self._switch(name)
        try:
            yield
        finally:
            self._switch(outer)

    def timed(self, name: str, items: Iterable[T]) -> Generator[T]:
        """The same items; making each is charged to a stage."""
        made = iter(items)
        try:
            while True:
                with self.stage(name):
                    try:
                        item = next(made)
                    except StopIteration:
                        return
                yield item
        finally:
            if isinstance(made, Generator):
                made.close()

    def calling(self, name: str, function: Callable[P, T]) -> Callable[P, T]:
        """The same function; each call is charged to a stage."""

        @wraps(function)
        def call(*args: P.args, **options: P.kwargs) -> T:
            with self.stage(name):
                return function(*args, **options)

        return call

    def _switch(self, name: str | None) -> None:
        """Charge the stage that is open for the time since it was opened, and open another."""
        now = self._open
        worked, compiling = thread_times(pool_seconds()), times_made_ready()
        if now.stage is not None:
            spent = worked - now.began
            if compiling == now.compiling:
                self._charge(now.stage, spent)
            else:
                once = compiling - now.compiling
                self._charge(now.stage, spent - once)
                self._charge(COMPILE, once)
        now.stage, now.began, now.compiling = name, worked, compiling

    def _charge(self, stage: str, times: Times) -> None:
        """Several threads may compile at the same time."""
        with self._lock:
            self.stages[stage] = self.stages.get(stage, Times()) + times
