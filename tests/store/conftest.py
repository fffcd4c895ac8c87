"""Fixtures of the tests of crashes: scores, the file of an undisturbed run, a disk that is not
waited for."""

from __future__ import annotations

import os
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
def scores() -> Scores:
    return make_scores(ROWS)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> Path:
    """The file of an undisturbed run."""
    return write(tmp_path_factory.mktemp("expected") / "a.h5", scores)
