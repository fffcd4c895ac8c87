"""The folder of real data, threads as a test needs them, and a process that suits many tests."""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a job that a script started in the background: programs would ignore it for good.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Threads of torch that wait for each other spin otherwise: on cores that several workers share a
# test takes up to four times the CPU time. OpenMP reads it when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def pytest_collectstart() -> None:
    """Little that is made while tests are collected is garbage: looking for it takes a fifth of the
    time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is imported stays: a test that collects garbage need not look through it each time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def log_as_found() -> Iterator[None]:
    """The command line sets the level and the handler of the log of the process: a test that calls
    it with ``--quiet`` leaves nothing behind."""
    log = logging.getLogger("vfiscope")
    level, handlers = log.level, log.handlers
    yield
    log.handlers = handlers
    log.setLevel(level)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; a test that needs it is skipped, visibly, where it is absent, or
    fails where the environment has ``FAIL_ON_SKIP``."""
    if not SHARED.is_dir():
        absent = pytest.fail if os.environ.get("FAIL_ON_SKIP") else pytest.skip
        absent(f"real data not found at {SHARED}")
    return SHARED


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Sets on how many threads torch and the compiled loops run, for one test."""
    import torch

    from vfiscope import jit

    before = torch.get_num_threads()

    def run_on(count: int) -> None:
        torch.set_num_threads(count)
        monkeypatch.setattr(jit, "threads", lambda: count)

    yield run_on
    torch.set_num_threads(before)
