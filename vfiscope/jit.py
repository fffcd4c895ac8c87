"""Compile loops for the CPU with numba, and run them on all cores.

Kernels use explicit loops, because numba takes several times longer to compile a slice assignment.
A kernel releases the GIL and computes the rows from ``start`` up to ``stop``. Each row has its own
place in the output, so results do not depend on how :func:`in_bands` splits them.

Vectors are as wide as the processor has them. LLVM prefers 256 bits to 512 because the first
processors with AVX-512 lowered their clock for the wide ones; those since Ice Lake and Zen 4 hardly
do, and run the widest loops in two thirds of the time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, cast

import cv2
import numba
from numba.core.codegen import get_host_cpu_features
from numba.core.registry import cpu_target
from threadpoolctl import ThreadpoolController

from vfiscope.jit_cache import CodeCache, times_compiling
from vfiscope.types.times import Times

__all__ = [
    "FUSED",
    "REORDERED",
    "compiled",
    "in_bands",
    "map_rows",
    "one_blas_thread",
    "one_opencv_thread",
    "pool_seconds",
    "times_made_ready",
]

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])

FUSED = frozenset({"contract"})
"""Allows fused multiply-add; additions keep their order."""
REORDERED = FUSED | {"reassoc"}
"""Allows any order of additions: the same on every run, but it depends on the vector width of the
processor."""

NAME = "vfiscope-loops"
OPENCV_LOCK = threading.Lock()
BLAS_LOCK = threading.Lock()
OPENCV_THREADS: list[int] = []
"""OpenCV's numbers of threads that callers of :func:`one_opencv_thread` found."""
MOST_BANDS = 16
"""Submitting a band takes about 30 us; with more bands that would exceed the work in them."""
WIDE_AND_QUICK = "avx512vbmi2"
"""What processors can that have vectors of 512 bits and do not slow down for them."""


def _widen_vectors() -> None:
    """Let numba's compiler use vectors of 512 bits, for all functions of the process: it reads its
    features once, before it compiles the first one. What a user has set, or made it read before,
    stays."""
    settings: Any = numba.config
    features: str = cast(Any, get_host_cpu_features)()
    chosen = settings.CPU_NAME or settings.CPU_FEATURES
    if chosen is None and f"+{WIDE_AND_QUICK}" in features.split(","):
        settings.CPU_FEATURES = f"{features},-prefer-256-bit"
        try:
            _read_features()
        finally:
            settings.CPU_FEATURES = None


def _read_features() -> None:
    cpu_target.target_context.codegen()


_widen_vectors()


def compiled(
    fastmath: frozenset[str] = frozenset(), *, inner: bool = False
) -> Callable[[Function], Function]:
    """Compile a function that releases the GIL, with its code cached for the next process; every
    operation is rounded separately unless ``fastmath`` allows otherwise.

    An ``inner`` function is only called by other compiled ones, so it gets no Python entry point.
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
        _pool(os.getpid()).submit(_measured, kernel, start, stop, *arguments)
        for start, stop in pairwise(edges[1:])
    ]
    with _none_left_running(later):
        kernel(0, edges[1], *arguments)
        for each in later:
            _result(each)


def map_rows(compute: Callable[[int], T], count: int) -> list[T]:
    """``compute(row)`` for each row from 0 up to ``count``, in parallel on all cores.

    The threads are reused: new ones for every call would each allocate memory that the process
    never gives back.
    """
    if _in_pool():
        return [compute(row) for row in range(count)]
    later = [_pool(os.getpid()).submit(_measured, compute, row) for row in range(count)]
    with _none_left_running(later):
        return [_result(each) for each in later]


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Set OpenCV to one thread, and restore its setting afterwards. Callers may overlap: the last
    one restores what the first one found.

    So no result depends on how OpenCV divides its work. A change of the setting stops and starts
    its threads, which takes longer than many a call: who works on many frames sets it once around
    all of them, and what is called for each finds it set.
    """
    with OPENCV_LOCK:
        OPENCV_THREADS.append(cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with OPENCV_LOCK:
            number = OPENCV_THREADS.pop()
            if not OPENCV_THREADS:
                cv2.setNumThreads(number)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Set numpy's matrix products to one thread, and restore the setting afterwards; callers take
    turns, because the setting belongs to the whole process.

    The bits of a product depend on how its library shares it out, so it is cut into fixed blocks
    for :func:`in_bands` instead. Its own threads also spin for 20 ms after each product.
    """
    with BLAS_LOCK, _blas().limit(limits=1):
        yield


def threads() -> int:
    """Number of threads, as numba determines it from the CPU affinity and ``NUMBA_NUM_THREADS``."""
    return int(cast(Any, numba.config).NUMBA_NUM_THREADS)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """The thread pool of a process; keyed by its id, because a fork does not inherit threads."""
    return ThreadPoolExecutor(threads(), thread_name_prefix=NAME)


def pool_seconds() -> float:
    """Processor time that the pool has spent on calls of the current thread."""
    return WORKED_FOR.seconds


def times_made_ready() -> Times:
    """What compiling loops and loading compiled ones has taken for the current thread: in it, and
    in the pool, whose :func:`pool_seconds` hold it too."""
    return times_compiling() + WORKED_FOR.compiling


class _Worked(threading.local):
    """What the pool has done for a thread."""

    seconds = 0.0
    compiling = Times()


WORKED_FOR = _Worked()


@contextmanager
def _none_left_running(later: Sequence[Future[Any]]) -> Iterator[None]:
    """Where an error ends what is inside, wait for the calls in the pool that still run: they write
    into arrays that the caller may use again."""
    try:
        yield
    except BaseException:
        for each in later:
            each.cancel()
        wait(later)
        raise


def _measured(function: Callable[..., T], *arguments: Any) -> tuple[T, float, Times]:
    """The result of a function, the processor time that it took, and what of it was compiling."""
    start, before = time.thread_time(), times_compiling()
    made = function(*arguments)
    return made, time.thread_time() - start, times_compiling() - before


def _result(later: Future[tuple[T, float, Times]]) -> T:
    """The result of a call in the pool, whose time is added to what it did for this thread."""
    made, seconds, compiling = later.result()
    WORKED_FOR.seconds += seconds
    WORKED_FOR.compiling += compiling
    return made


def _in_pool() -> bool:
    """True in a thread of the pool, where waiting for other threads of the pool could deadlock."""
    return threading.current_thread().name.startswith(NAME)
