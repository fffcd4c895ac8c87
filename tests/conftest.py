"""Fixtures and the one tolerance policy of the suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; a test that needs it is skipped, visibly, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"real data not found at {SHARED}")
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
