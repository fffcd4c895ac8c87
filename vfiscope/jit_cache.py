"""Cache compiled loops in the user's cache folder, one file per function and argument types.

numba's own cache lies beside the source: in an installed package its files outlive an uninstall,
and it only notices changes of the file that a function is in. Here the key is what the compiler
sees: the names and instructions of a function and of those that it calls, the values of their
constants, and the versions of the compilers. So a changed constant in another module leads to a new
compilation, and a changed comment does not. Files hold their own checksum and are written
atomically, so processes may share the folder. Files unused for three months are removed.
"""

from __future__ import annotations

import dis
import hashlib
import logging
import math
import os
import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import llvmlite
import numba
import numpy as np
from numba.core import serialize
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from platformdirs import user_cache_path

from vfiscope.types.times import Times, thread_times

__all__ = ["CodeCache", "describe_code", "times_compiling"]

DIGEST = 32
"""Bytes of the checksum before the content of a file."""
UNUSED_S = 90 * 86400
"""Seconds after which an unused file is removed."""
START = 250
"""Start-up time of numba, in instructions: about 0.4 s where compiling an instruction takes
1.5 ms."""

log = logging.getLogger("vfiscope")
_KERNELS: list[FunctionType] = []
"""Every function that has a cache."""
_SAID: set[str] = set()


class _Compiled(threading.local):
    """What compiling and loading has taken in a thread."""

    times = Times()


COMPILED = _Compiled()


def times_compiling() -> Times:
    """What compiling loops and loading compiled ones has taken in the current thread so far."""
    return COMPILED.times


class CodeCache(NullCache):
    """The cache of one function, in the interface that numba expects.

    Args:
        function: the function to compile.
        options: its compiler options, as passed to numba.
    """

    def __init__(self, function: FunctionType, options: Mapping[str, Any]) -> None:
        self._function = function
        self._options = _spelled(options)
        self._began = self._before = Times()
        _KERNELS.append(function)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The cached code for these argument types, or None."""
        self._began, self._before = thread_times(), COMPILED.times
        # All that stored code needs; the rest of numba's start, which takes ten times as long, is
        # what its compiler does where it is needed.
        rtsys.initialize(target_context)
        content = _read(self._path(sig, target_context.codegen()))
        if content is None:
            return None
        rebuild: Any = CompileResult._rebuild
        made = rebuild(target_context, *pickle.loads(content))
        self._count()
        return made

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store freshly compiled code."""
        trouble = None
        if not data.library.has_dynamic_globals:
            trouble = _write(
                self._path(sig, data.codegen), cast(Any, serialize).dumps(data._reduce())
            )
        _say(self._function, self._count().wall, trouble)

    def _count(self) -> Times:
        """What this function has taken, now that it is there. Functions that were compiled for it
        meanwhile have counted theirs, which is part of it."""
        own = thread_times() - self._began
        COMPILED.times = self._before + own
        return own

    def _path(self, sig: Any, codegen: Any) -> Path:
        key = "\n".join(
            [
                _versions(),
                repr(codegen.magic_tuple()),
                str(sig),
                self._options,
                *describe_code(self._function),
            ]
        )
        return (
            _folder()
            / f"{self._function.__name__}-{hashlib.sha256(key.encode()).hexdigest()[:DIGEST]}.bin"
        )


def describe_code(function: FunctionType) -> Iterator[str]:
    """All that the compiler sees of a function: its instructions and constants, and those of the
    functions it calls.

    Raises:
        TypeError: it uses a value whose content cannot be part of the key, so that a change of it
        would go unnoticed.
    """
    waiting, seen = [function], {function}
    while waiting:
        code = waiting[-1].__code__
        if code.co_freevars:
            around = ", ".join(code.co_freevars)
            raise TypeError(
                f"{code.co_qualname} in {code.co_filename} takes {around} from a function around it"
            )
        function = waiting.pop()
        names = function.__globals__
        # The cached code names the module, and loading it imports that module again.
        yield f"{function.__module__}.{code.co_qualname} {code.co_code.hex()}"
        yield f"{code.co_varnames} {code.co_names}"
        for value in (*code.co_consts, *(names[name] for name in code.co_names if name in names)):
            called = getattr(value, "py_func", None)
            if called is None:
                yield _value(value, code)
            elif called not in seen:
                yield _spelled(value.targetoptions)
                seen.add(called)
                waiting.append(called)


def _value(value: Any, code: CodeType) -> str:
    known = (int, float, str, bytes, np.generic, type(None))
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    if isinstance(value, known) or (
        isinstance(value, tuple) and all(isinstance(each, known) for each in value)
    ):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, ModuleType) and value.__name__.split(".")[0] != __name__.split(".")[0]:
        return value.__name__
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"{code.co_qualname} in {code.co_filename} uses {value!r}: use numbers only")


def _spelled(options: Mapping[str, Any]) -> str:
    """Compiler options as text, in a fixed order."""
    return repr(
        sorted(
            (name, sorted(each) if isinstance(each, set) else each)
            for name, each in options.items()
        )
    )


@cache
def _versions() -> str:
    try:
        own = version("vfiscope")
    except PackageNotFoundError:
        own = "unknown"
    return " ".join([own, numba.__version__, llvmlite.__version__, np.__version__, sys.version])


@cache
def _folder() -> Path:
    return user_cache_path("vfiscope", appauthor=False) / "loops"


def _read(path: Path) -> bytes | None:
    """The content of a file; None where there is none, or it is damaged."""
    try:
        content = path.read_bytes()
        age = time.time() - path.stat().st_mtime
    except OSError:
        return None
    if age > UNUSED_S / 10:
        with suppress(OSError):  # a folder that can only be read: its file is as good
            os.utime(path)
    whole = hashlib.sha256(content[DIGEST:]).digest() == content[:DIGEST]
    return content[DIGEST:] if whole else None


def _write(path: Path, content: bytes) -> OSError | None:
    """Write a file atomically; return the error, or None."""
    try:
        if not path.is_absolute():
            raise FileNotFoundError(2, "there is no home folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=path.parent, prefix="making-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(made, path)
        except BaseException:
            os.unlink(made)
            raise
    except OSError as error:
        return error
    _tidy(path.parent)
    return None


@cache
def _tidy(folder: Path) -> None:
    """Remove files that were not used for a long time, once per process."""
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > UNUSED_S:
                    path.unlink()


def _say(function: FunctionType, seconds: float, trouble: OSError | None) -> None:
    """After the first compilation log an estimate for all functions that a job may need, and a
    warning if they cannot be cached.

    The time is taken as proportional to the instructions of a function and of those that it calls;
    over the functions of the usual metrics it varies by a factor of two.
    """
    if "compiling" not in _SAID:
        _SAID.add("compiling")
        whole = seconds * (START + sum(map(_size, _KERNELS))) / (START + _size(function))
        once = ", once" if trouble is None else ""
        log.info("compiling loops for this machine%s: up to about %d s", once, math.ceil(whole))
    if trouble is not None and "trouble" not in _SAID:
        _SAID.add("trouble")
        why = trouble.strerror or trouble
        log.warning(
            "warning: every run compiles again: compiled loops cannot be kept in %s (%s)",
            _folder(),
            why,
        )


def _size(function: FunctionType) -> int:
    """Number of instructions of a function and of those that it calls."""
    called = {
        getattr(function.__globals__.get(name), "py_func", None)
        for name in function.__code__.co_names
    }
    return len([*dis.get_instructions(function)]) + sum(
        _size(each) for each in called if each is not None
    )
