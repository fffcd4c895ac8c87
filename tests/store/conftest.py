"""Fixtures of the tests of the store: scores, the file of an undisturbed run, a copy of it to
damage, a disk that is not waited for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from helpers.crashes import ROWS
from helpers.results import make_scores, write

from vfiscope.types import Scores


@pytest.fixture
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process has written the system still knows; only a power cut needs fsync."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def scores(request: pytest.FixtureRequest) -> Scores:
    """As many rows as ``ROWS`` of the test's module says, else as the tests of crashes have."""
    return make_scores(getattr(request.module, "ROWS", ROWS))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> Path:
    """The file of an undisturbed run."""
    return write(tmp_path_factory.mktemp("expected") / "a.h5", scores)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> Path:
    """The file of a run, which no test changes."""
    return write(tmp_path_factory.mktemp("run") / "a.h5", scores)


@pytest.fixture
def result(original: Path, tmp_path: Path) -> Path:
    """A copy to change or to damage."""
    return Path(shutil.copy(original, tmp_path / "a.h5"))
