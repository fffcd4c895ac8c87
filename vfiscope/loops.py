"""Loops for the CPU: how they are compiled by numba, and how they are called.

Numba's workqueue threading layer breaks when two Python threads enter it at once, so parallel kernels are called
through :func:`launch`, which lets one caller in at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["FUSED", "compiled", "launch", "parallel"]

Function = TypeVar("Function", bound=Callable[..., Any])
T = TypeVar("T")

FUSED = frozenset({"contract"})
"""Allows fused multiply-add and no other order of additions."""

_LOCK = threading.Lock()


def compiled(fastmath: frozenset[str] = frozenset()) -> Callable[[Function], Function]:
    """Compile without the interpreter's lock, the result kept for the next process; every operation rounds by itself
    unless ``fastmath`` says otherwise."""
    return _jit(fastmath, parallel=False)


def parallel(fastmath: frozenset[str] = frozenset()) -> Callable[[Function], Function]:
    """The same for a kernel whose ``prange`` loops run on all threads; call it through :func:`launch`."""
    return _jit(fastmath, parallel=True)


def _jit(fastmath: frozenset[str], *, parallel: bool) -> Callable[[Function], Function]:
    jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=set(fastmath), parallel=parallel)
    return cast(Callable[[Function], Function], jit)


def launch(kernel: Callable[..., T], *arguments: Any) -> T:
    """Call a kernel; one caller at a time."""
    with _LOCK:
        return kernel(*arguments)
