"""Loops for the CPU: how they are compiled by numba, and how they are called.

The first call of each compiles it and keeps the result for later processes. Copying a slice of an array into another
compiles several times longer than a loop over its elements, so the kernels have loops.

Numba's workqueue threading layer breaks when two Python threads enter it at once, so parallel kernels are called
through :func:`launch`, which lets one caller in at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

__all__ = ["FUSED", "REORDERED", "compiled", "launch", "parallel"]

Function = TypeVar("Function", bound=Callable[..., Any])
T = TypeVar("T")

FUSED = frozenset({"contract"})
"""Allows fused multiply-add and no other order of additions."""
REORDERED = FUSED | {"reassoc"}
"""Allows any order of additions: the same on every run, but the processor's width decides it."""

_LOCK = threading.Lock()
log = logging.getLogger("vfiscope")


class _Notice(event.Listener):
    """Says once why the first run takes longer; nothing where all is in numba's cache."""

    def __init__(self) -> None:
        self._said = False

    def on_start(self, event: Any) -> None:
        if not self._said:
            self._said = True
            log.info("compiling loops for this machine: later runs start without")

    def on_end(self, event: Any) -> None:
        """Nothing."""


cast(Any, event).register("numba:compile", _Notice())


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
