"""Loops for the CPU: how they are compiled by numba, and how they run on all cores.

Copying a slice of an array into another compiles several times longer than a loop over its elements, so the kernels
have loops. A kernel runs without the interpreter's lock and works on the rows from ``start`` up to ``stop``, each of
which has its own place in the output: nothing depends on how :func:`in_bands` cuts them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, cast

import numba

from vfiscope.codecache import CodeCache

__all__ = ["FUSED", "REORDERED", "compiled", "in_bands"]

Function = TypeVar("Function", bound=Callable[..., Any])

FUSED = frozenset({"contract"})
"""Allows fused multiply-add and no other order of additions."""
REORDERED = FUSED | {"reassoc"}
"""Allows any order of additions: the same on every run, but the processor's width decides it."""


def compiled(fastmath: frozenset[str] = frozenset(), *, inner: bool = False) -> Callable[[Function], Function]:
    """Compile without the interpreter's lock, the result kept for the next process; every operation rounds by itself
    unless ``fastmath`` says otherwise.

    An ``inner`` function is called by other compiled ones only, which spares it an entry from Python.
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
    """Call ``kernel(start, stop, *arguments)`` for bands that make up the rows from 0 to ``count``, on all cores."""
    bands = min(count, threads())
    if bands < 2:
        kernel(0, count, *arguments)
        return
    edges = [count * band // bands for band in range(bands + 1)]
    later = [_pool(os.getpid()).submit(kernel, start, stop, *arguments) for start, stop in pairwise(edges[1:])]
    kernel(0, edges[1], *arguments)
    for each in later:
        each.result()


def threads() -> int:
    """How many run at once: those of numba, which knows what this process may use and ``NUMBA_NUM_THREADS``."""
    return int(cast(Any, numba.config).NUMBA_NUM_THREADS)


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """The threads of a process: a forked one has none of its parent's."""
    return ThreadPoolExecutor(threads(), thread_name_prefix="vfiscope-loops")
