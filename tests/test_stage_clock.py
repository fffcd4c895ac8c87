"""The clock of stages: each moment of a thread belongs to one stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from vfiscope import jit
from vfiscope.jit_cache import CodeCache, times_compiling
from vfiscope.stage_clock import StageClock
from vfiscope.types.times import COMPILE, Times


class Hands:
    """Time that passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for name in ("thread_time", "perf_counter", "process_time"):
            monkeypatch.setattr(time, name, lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def seconds(clock: StageClock) -> dict[str, float]:
    """Processor time by stage, rounded: what the thread did in other tests adds fractions."""
    return {name: round(times.processor, 9) for name, times in clock.stages.items()}


def test_a_stage_inside_another_pauses_it(hands: Hands) -> None:
    clock = StageClock(_wall=0.0, _processor=0.0)
    hands.pass_by(1)
    with clock.stage("outer"):
        hands.pass_by(2)
        with clock.stage("inner"):
            hands.pass_by(4)
        hands.pass_by(8)
    hands.pass_by(16)
    assert seconds(clock) == {"outer": 10, "inner": 4}
    timings = clock.timings(frames=62)
    assert timings["seconds"] == timings["processor_seconds"] == 31
    assert timings["fps"] == 2
    assert timings["stages"]["inner"] == pytest.approx({"processor": 4, "wall": 4})


def test_of_items_only_the_making_is_charged(hands: Hands) -> None:
    def items() -> Iterator[int]:
        for each in range(3):
            hands.pass_by(1)
            yield each
        hands.pass_by(1)

    clock = StageClock()
    for _ in clock.timed("items", items()):
        hands.pass_by(100)
    assert seconds(clock) == {"items": 4}


def test_an_error_ends_its_stage(hands: Hands) -> None:
    clock = StageClock()

    def fail() -> None:
        hands.pass_by(1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        clock.calling("failing", fail)()
    hands.pass_by(5)
    with clock.stage("next"):
        hands.pass_by(2)
    assert seconds(clock) == {"failing": 1, "next": 2}


def test_items_that_are_not_wanted_to_the_end_are_closed() -> None:
    closed = []

    def items() -> Iterator[int]:
        try:
            yield from range(3)
        finally:
            closed.append(True)

    made = StageClock().timed("items", items())
    next(made)
    made.close()
    assert closed == [True]


def test_threads_have_stages_of_their_own(hands: Hands) -> None:
    clock = StageClock()
    with clock.stage("here"):
        hands.pass_by(1)
        other = threading.Thread(target=clock.calling("there", lambda: hands.pass_by(2)))
        other.start()
        other.join()
    # Time that stands for that of a thread passes for both here: "there" did not pause "here".
    assert seconds(clock) == {"there": 2, "here": 3}


def test_work_of_the_pool_is_charged_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "threads", lambda: 3)
    here = threading.get_ident()

    def kernel(start: int, stop: int, done: np.ndarray) -> None:
        done[start:stop] = threading.get_ident() != here

    done = np.zeros(3)
    before = jit.pool_seconds()
    ready = jit.times_made_ready()
    told = (5.0, Times(2.0, 3.0))
    monkeypatch.setattr(jit, "_measured", lambda function, *args: (function(*args), *told))
    jit.in_bands(kernel, 3, done)
    assert done.sum() == 2
    assert jit.pool_seconds() - before == pytest.approx(10.0)
    made = jit.times_made_ready()
    assert (made.processor, made.wall) == pytest.approx((ready.processor + 4, ready.wall + 6))


def test_compiling_is_charged_to_no_stage_that_calls_loops(hands: Hands) -> None:
    def called(seconds: float, inner: Callable[[], None] = lambda: None) -> None:
        """A call of a loop that takes so long to compile."""
        cache = CodeCache(called, {})
        cache._began, cache._before = Times(hands.now, hands.now), times_compiling()
        hands.pass_by(seconds)
        inner()
        cache._count()
        hands.pass_by(1)

    clock = StageClock()
    called(64)  # before any stage: nobody is charged
    with clock.stage("one"):
        called(2, inner=lambda: called(4))
        called(8)
    with clock.stage("two"):
        hands.pass_by(16)
    assert seconds(clock) == {"one": 2, COMPILE: 15, "two": 16}
    assert clock.timings(1)["stages"]["one"]["wall"] == pytest.approx(2)
