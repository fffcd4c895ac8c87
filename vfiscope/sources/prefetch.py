"""Prefetch: one thread computes the next items while the consumer uses the last one."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cache
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import NamedTuple, TypeVar

from vfiscope.errors import UsageError

__all__ = ["prefetch"]

T = TypeVar("T")

_STOPS: set[Callable[[], None]] = set()
"""One for each running worker: ends it, and waits until it has ended."""


class _End(NamedTuple):
    """The last entry of the queue: how the worker ended."""

    error: BaseException | None


def prefetch(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items in the same order, made by one worker thread that stays at most ``depth``
    items ahead.

    An error of ``items`` is raised here, after the items that came before it. When the consumer
    stops early (the generator is closed or collected), the worker is stopped and joined, and
    ``items`` is closed if it can be.

    Args:
        items: what to iterate; nothing is taken from it before the first item is asked for.
        depth: how many finished items may wait, 1 or more.

    Raises:
        UsageError: the depth is below 1.
    """
    if depth < 1:
        raise UsageError(f"prefetch is {depth!r}: pass a whole number of 1 or more")
    return _consume(items, depth)


def _consume(items: Iterable[T], depth: int) -> Iterator[T]:
    queue: SimpleQueue[T | _End] = SimpleQueue()
    room, stopped = Semaphore(depth), Event()
    worker = Thread(
        target=_produce, args=(items, queue, room, stopped), name="vfiscope-prefetch", daemon=True
    )

    def stop() -> None:
        stopped.set()
        room.release()
        worker.join()

    _stop_all_at_exit()
    _STOPS.add(stop)
    worker.start()
    try:
        while not isinstance(item := queue.get(), _End):
            room.release()
            yield item
    finally:
        stop()
        _STOPS.discard(stop)
    if item.error is not None:
        raise item.error


def _produce(
    items: Iterable[T], queue: SimpleQueue[T | _End], room: Semaphore, stopped: Event
) -> None:
    """Fill the queue. It never blocks: a place is waited for before the item is made."""
    error: BaseException | None = None
    try:
        iterator = iter(items)
        try:
            while room.acquire() and not stopped.is_set():
                queue.put(next(iterator))
        finally:
            if isinstance(iterator, Generator):
                iterator.close()
    except StopIteration:
        pass
    except BaseException as caught:
        error = caught  # not swallowed: it travels to the consumer, who raises it
    finally:
        queue.put(_End(error))


@cache
def _stop_all_at_exit() -> None:
    """Done once, and only if there is a worker."""
    atexit.register(_stop_all)


def _stop_all() -> None:
    """End the workers before the interpreter ends: one that is inside a library then would bring
    the process down."""
    for stop in tuple(_STOPS):
        stop()
