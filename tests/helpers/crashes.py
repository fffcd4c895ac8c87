"""Work that is killed or fails on the way: in a fork of this process, or in a new one that has
limits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vfiscope.store import schema, undo

ROWS, BLOCK = 27, 8
BIG = (16, 16)
"""The grid of maps that make a result of megabytes."""
ENDING = schema.Ending(
    sources=[{"role": "test", "path": "/t.mp4"}], pairing={}, status="ok", created="now"
)
PREAMBLE = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parents[1])]!r}
import errno, os, random, resource, signal, time
from helpers.crashes import BIG, ENDING
from helpers.results import batches, finish, make_header, make_scores, store_segments, write
from vfiscope.errors import DiskFullError
from vfiscope.store import Run, Writer, merge
"""
"""Imports of a script for a process of its own."""


def in_process(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def die_at(monkeypatch: pytest.MonkeyPatch, step: int) -> list[str]:
    """End this process, as SIGKILL would, just before the given change on the disk; returns what
    was done so far."""
    done: list[str] = []

    def patched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            if len(done) == step:
                os._exit(9)
            done.append(name)
            return call(*arguments, **options)

        return run

    for name in ("replace", "fsync", "unlink", "mkdir", "rmdir", "truncate", "utime"):
        monkeypatch.setattr(os, name, patched(name, getattr(os, name)))
    monkeypatch.setattr(undo, "place", patched("place", undo.place))
    return done


def forked(work: Callable[[pytest.MonkeyPatch], None]) -> int:
    """Exit code of the work done in a copy of this process; 0 when it came to its end, 1 when it
    raised."""
    pid = os.fork()
    if pid == 0:
        try:
            with pytest.MonkeyPatch.context() as monkeypatch:
                work(monkeypatch)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def cut(path: Path, less: int) -> None:
    os.truncate(path, path.stat().st_size - less)
