"""Loops for the CPU: how they are compiled by numba, and how they run on all cores.

Copying a slice of an array into another compiles several times longer than a loop over its
elements, so the kernels have loops. A kernel runs without the interpreter's lock and works on the
rows from ``start`` up to ``stop``, each of which has its own place in the output: nothing depends
on how :func:`in_bands` cuts them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, cast

import numba

from vfiscope.jit_cache import CodeCache

__all__ = ["FUSED", "REORDERED", "compiled", "in_bands", "map_rows"]

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])

FUSED = frozenset({"contract"})
"""Allows fused multiply-add and no other order of additions."""
REORDERED = FUSED | {"reassoc"}
"""Allows any order of additions: the same on every run, but the processor's width decides it."""

NAME = "vfiscope-loops"
MOST_BANDS = 16
"""To hand out a band takes some 30 us: on a machine of many cores more than its rows do."""


def compiled(
    fastmath: frozenset[str] = frozenset(), *, inner: bool = False
) -> Callable[[Function], Function]:
    """Compile without the interpreter's lock, the result kept for the next process; every operation
    rounds by itself unless ``fastmath`` says otherwise.

    An ``inner`` function is called by other compiled ones only, which spares it an entry from
    Python.
    """
    entries = {"no_cpython_wrapper": inner, "no_cfunc_wrapper": True}
    options: Any = {"nogil": True, "error_model": "numpy", "fastmath": set(fastmath), **entries}

    def decorate(function: Any) -> Any:
        made: Any = numba.njit(**options)(function)
        if not inner:
            made._cache = CodeCache(function, options)
        return made

    return decorate


def in_bands(kernel: Callable[..., None], count: int, *arguments: Any) -> None:
    """Call ``kernel(start, stop, *arguments)`` for bands that make up the rows from 0 to ``count``,
    on all cores."""
    bands = min(count, threads(), MOST_BANDS)
    if bands < 2 or _in_pool():
        kernel(0, count, *arguments)
        return
    edges = [count * band // bands for band in range(bands + 1)]
    later = [
        _pool(os.getpid()).submit(kernel, start, stop, *arguments)
        for start, stop in pairwise(edges[1:])
    ]
    kernel(0, edges[1], *arguments)
    for each in later:
        each.result()


def map_rows(compute: Callable[[int], T], count: int) -> list[T]:
    """``compute(row)`` for each of the rows from 0 to ``count``, as many at a time as there are
    cores.

    The threads last: new ones for every call would each take memory of their own, which stays with
    the process.
    """
    if _in_pool():
        return [compute(row) for row in range(count)]
    later = [_pool(os.getpid()).submit(compute, row) for row in range(count)]
    try:
        return [each.result() for each in later]
    finally:
        for each in later:
            each.cancel()
        wait(later)


def threads() -> int:
    """How many run at once: those of numba, which knows what this process may use and
    ``NUMBA_NUM_THREADS``."""
    return int(cast(Any, numba.config).NUMBA_NUM_THREADS)


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """The threads of a process: a forked one has none of its parent's."""
    return ThreadPoolExecutor(threads(), thread_name_prefix=NAME)


def _in_pool() -> bool:
    """Whether this thread is one of the pool, where work that waited for others of the pool might
    wait for ever."""
    return threading.current_thread().name.startswith(NAME)
