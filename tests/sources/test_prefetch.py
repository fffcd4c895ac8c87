from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.media import noise, write_video
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.errors import SourceError, UsageError
from vfiscope.sources import open_source, prefetch

EARLIER: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def _threads_of_other_tests() -> None:
    """Threads whose generators another test left to the garbage collector are not counted."""
    EARLIER.update(threading.enumerate())


def workers() -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if thread.name == "vfiscope-prefetch" and thread not in EARLIER
    ]


class Counted:
    """Numbers that count how many were made, and know whether they were closed."""

    def __init__(self, n: int, *, fail_at: int | None = None) -> None:
        self.n, self.fail_at = n, fail_at
        self.made = 0
        self.closed_by: str | None = None
        self.waiting = threading.Semaphore(0)

    def __iter__(self) -> Iterator[int]:
        try:
            for i in range(self.n):
                if i == self.fail_at:
                    raise SourceError(f"item {i} is bad")
                self.made += 1
                self.waiting.release()
                yield i
        finally:
            self.closed_by = threading.current_thread().name


@given(n=st.integers(0, 30), depth=st.integers(1, 5))
def test_nothing_is_lost_and_the_order_is_kept(n: int, depth: int) -> None:
    assert list(prefetch(range(n), depth)) == list(range(n))
    assert not workers()


def test_it_works_ahead_by_the_depth_and_no_further() -> None:
    for depth in (1, 3):
        items = Counted(50)
        ahead = prefetch(items, depth)
        assert items.made == 0
        for taken in range(1, 20):
            next(ahead)
            for _ in range(
                depth + 1 if taken == 1 else 1
            ):  # item ``taken + depth`` is made without being asked for
                assert items.waiting.acquire(timeout=20)
            assert not items.waiting.acquire(timeout=0.01)
            assert items.made == taken + depth
        ahead.close()  # type: ignore[attr-defined]


def test_an_error_arrives_after_the_items_before_it() -> None:
    ahead = prefetch(Counted(9, fail_at=4), 2)
    assert [next(ahead) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(SourceError, match="item 4 is bad") as caught:
        next(ahead)
    assert "__iter__" in [entry.name for entry in caught.traceback]
    assert not workers()


def test_errors_that_are_no_exceptions_arrive_too() -> None:
    def interrupted() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    ahead = prefetch(interrupted(), 2)
    assert next(ahead) == 1
    with pytest.raises(KeyboardInterrupt):
        next(ahead)
    assert not workers()


@pytest.mark.parametrize("taken", [1, 2, 7])
def test_stopping_early_joins_the_worker_and_closes_the_items(taken: int) -> None:
    items = Counted(1000)
    ahead = prefetch(items, 2)
    assert [next(ahead) for _ in range(taken)] == list(range(taken))
    assert len(workers()) == 1
    ahead.close()  # type: ignore[attr-defined]
    assert not workers()
    assert items.closed_by == "vfiscope-prefetch"
    assert items.made <= taken + 2


def test_an_error_of_the_consumer_joins_the_worker() -> None:
    def consume() -> None:
        for item in prefetch(Counted(1000), 3):
            _ = 1 // (3 - item)

    with pytest.raises(ZeroDivisionError):
        consume()
    gc.collect()
    assert not workers()


def test_a_generator_that_was_never_started_has_no_worker() -> None:
    items = Counted(5)
    ahead = prefetch(items, 2)
    assert not workers()
    ahead.close()  # type: ignore[attr-defined]
    assert items.made == 0


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_below_one_is_refused_at_once(depth: int) -> None:
    with pytest.raises(UsageError, match=f"prefetch is {depth}"):
        prefetch([], depth)


def test_two_sources_are_read_side_by_side(tmp_path: Path) -> None:
    made = noise(12, 16, 16)
    paths = [write_video(tmp_path / name, made) for name in ("a.mkv", "b.mkv")]
    one, other = (prefetch(open_source(path, batch=2), 2) for path in paths)
    got = []
    for left, right in zip(one, other, strict=True):
        assert bool((left.data == right.data).all())
        got.append(left.interleaved)
    np.testing.assert_array_equal(np.concatenate(got), made)
